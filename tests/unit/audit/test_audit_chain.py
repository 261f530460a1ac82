"""A chain of audit entries: whatever is done to it shows, and where."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.kit.audit import REDACTED, without_secrets
from payflux.kit.audit_chain import FIRST_HASH, Break, Link, entry_hash, find_breaks

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def chain(length: int) -> list[Link]:
    links: list[Link] = []
    for sequence in range(1, length + 1):
        before = links[-1].hash if links else FIRST_HASH
        fields = {"action": f"change {sequence}", "at": NOON, "after": {"role": "admin"}}
        links.append(Link(sequence, fields, before, entry_hash(fields, sequence=sequence, previous_hash=before)))
    return links


def breaks_of(links: list[Link], *, whole: list[Link]) -> list[Break]:
    return find_breaks(links, last_sequence=len(whole), last_hash=whole[-1].hash)


def forged(link: Link, before: bytes, **fields: object) -> Link:
    """`link` with other fields, and hashes that fit them."""
    changed = {**link.fields, **fields}
    return replace(
        link,
        fields=changed,
        previous_hash=before,
        hash=entry_hash(changed, sequence=link.sequence, previous_hash=before),
    )


def test_a_chain_that_was_left_alone_holds_and_so_does_an_empty_one() -> None:
    whole = chain(5)
    assert breaks_of(whole, whole=whole) == []
    assert find_breaks([], last_sequence=0, last_hash=FIRST_HASH) == []


def test_an_entry_that_was_changed_shows() -> None:
    whole = chain(5)
    changed = [*whole]
    changed[2] = replace(whole[2], fields={**whole[2].fields, "action": "nothing"})
    assert breaks_of(changed, whole=whole) == [Break(3, "changed")]


def test_an_entry_that_was_changed_with_its_own_hash_shows_at_the_next() -> None:
    whole = chain(5)
    changed = [*whole]
    changed[2] = forged(whole[2], whole[1].hash, action="nothing")
    assert breaks_of(changed, whole=whole) == [Break(4, "misplaced")]


def test_a_chain_rewritten_to_its_end_shows_at_the_end_that_is_known() -> None:
    whole = chain(5)
    rewritten = whole[:2]
    for link in whole[2:]:
        rewritten.append(forged(link, rewritten[-1].hash, action="nothing"))
    assert breaks_of(rewritten, whole=whole) == [Break(5, "cut off")]


@given(st.integers(1, 8), st.data())
def test_an_entry_that_was_removed_shows_wherever_it_stood(length: int, data: st.DataObject) -> None:
    whole = chain(length)
    gone = data.draw(st.integers(0, length - 1))
    breaks = breaks_of(whole[:gone] + whole[gone + 1 :], whole=whole)
    assert breaks == [Break(gone + 1, "cut off" if gone == length - 1 else "missing")]


@given(st.permutations(range(5)))
def test_entries_in_another_order_show(order: list[int]) -> None:
    whole = chain(5)
    moved = [replace(whole[old], sequence=new + 1) for new, old in enumerate(order)]
    assert (breaks_of(moved, whole=whole) == []) == (order == [0, 1, 2, 3, 4])


def test_the_same_instant_and_the_same_number_are_hashed_alike_however_they_are_written() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=9)))
    one = {"at": NOON, "id": UUID(int=7), "after": {"threshold": 1e3, "list": (1, 2)}}
    other = {"id": str(UUID(int=7)), "after": {"list": [1, 2], "threshold": 1000}, "at": elsewhere}
    assert entry_hash(one, sequence=1, previous_hash=FIRST_HASH) == entry_hash(
        other, sequence=1, previous_hash=FIRST_HASH
    )


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"role": "admin", "count": 3}, {"role": "admin", "count": 3}),
        ({"password": "quiet harbour lantern"}, {"password": REDACTED}),
        ({"refresh_token": "x", "code": "123456"}, {"refresh_token": REDACTED, "code": REDACTED}),
        ({"note": "used rk_test_12345678abc"}, {"note": f"used {REDACTED}"}),
        ({"note": "card 4242 4242 4242 4242"}, {"note": f"card {REDACTED}"}),
        (
            {"nested": {"secret": "x", "items": ["whsec_0123456789"]}},
            {"nested": {"secret": REDACTED, "items": [REDACTED]}},
        ),
        ({"id": "01990000-1234-7567-8901-234567890123"}, {"id": "01990000-1234-7567-8901-234567890123"}),
    ],
)
def test_what_is_secret_is_not_kept(fields: dict[str, object], kept: dict[str, object]) -> None:
    assert without_secrets(fields) == kept
