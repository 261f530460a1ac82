"""How a key is written, and what it may be for."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.frontdoor.accounts.keys import rules
from payflux.frontdoor.accounts.keys.rules import Environment, KeyState
from payflux.frontdoor.accounts.team.capabilities import Role, may

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LETTERS = string.digits + string.ascii_letters


@pytest.mark.parametrize("environment", ["live", "test"])
def test_a_key_says_what_it_is_for_and_carries_its_checksum(environment: Environment) -> None:
    key = rules.new_key(environment)
    assert key.startswith(f"pfx_{environment}_")
    assert rules.environment_of(key) == environment
    value = 0
    for letter in key[-6:]:
        value = value * 62 + LETTERS.index(letter)
    assert value == crc32(key[:-6].encode())


@given(st.integers(0, 46), st.sampled_from(LETTERS + "_-é "))
def test_a_key_with_one_letter_changed_is_no_key(place: int, letter: str) -> None:
    key = rules.new_key("live")
    changed = key[:place] + letter + key[place + 1 :]
    assert (rules.environment_of(changed) is None) == (changed != key)


@given(st.text(max_size=60))
def test_other_text_is_no_key(text: str) -> None:
    assert rules.environment_of(text) is None
    assert rules.environment_of(f"pfx_live_{text}") is None


@pytest.mark.parametrize("role", list(Role))
def test_nobody_gives_a_key_more_than_their_role_does(role: Role) -> None:
    within = set(rules.scopes_within(role))
    assert within == {name for name, scope in rules.SCOPES.items() if may(role, scope.capability)}
    beyond = set(rules.SCOPES) - within
    for scope in beyond:
        assert scope in rules.problems_of(role, name="ours", scopes=[scope], days=90)["scopes"]
    assert rules.problems_of(role, name="ours", scopes=within, days=90) == {}


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("name", {"name": "  "}),
        ("name", {"name": "x" * 101}),
        ("name", {"name": "a\nb"}),
        ("scopes", {"scopes": []}),
        ("scopes", {"scopes": ["everything"]}),
        ("days", {"days": 0}),
        ("days", {"days": 4000}),
    ],
)
def test_a_wrong_field_is_named(field: str, asked: dict[str, object]) -> None:
    right: dict[str, object] = {"name": "ours", "scopes": ["risk:read"], "days": 90}
    assert list(rules.problems_of("owner", **right | asked)) == [field]  # ty: ignore[invalid-argument-type]


@given(
    st.timedeltas(timedelta(days=-400), timedelta(days=400)),
    st.none() | st.timedeltas(timedelta(days=-400), timedelta(0)),
    st.booleans(),
)
def test_a_key_opens_until_it_expires_or_is_revoked(
    ends_in: timedelta, revoked: timedelta | None, replaced: bool
) -> None:
    state = rules.state_at(
        NOW,
        expires_at=NOW + ends_in,
        revoked_at=None if revoked is None else NOW + revoked,
        replaced_by=1 if replaced else None,
    )
    assert state.opens == (revoked is None and ends_in > timedelta(0))
    assert (state is KeyState.ROTATING) == (state.opens and replaced)


@given(st.sampled_from(rules.OVERLAPS), st.timedeltas(timedelta(0), timedelta(days=400)))
def test_an_overlap_never_prolongs_a_key(hours: int, left: timedelta) -> None:
    ends = rules.end_of_overlap(NOW + left, NOW, hours=hours)
    assert ends == min(NOW + left, NOW + timedelta(hours=hours))
