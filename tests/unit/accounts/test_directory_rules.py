"""Which role a directory's groups give, and how long a domain is proven whose record is gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from payflux.frontdoor.accounts.sso.rules import (
    DEFAULT_ROLES,
    LAPSES_AFTER,
    WORTH_TELLING,
    Standing,
    highest_role,
    standing_of,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ROLES = st.lists(st.sampled_from([None, *DEFAULT_ROLES]))


@given(ROLES, ROLES)
def test_more_groups_never_give_less_and_no_group_gives_what_none_of_them_does(
    some: list[str | None], more: list[str | None]
) -> None:
    fewer, all_of_them = highest_role(some), highest_role([*more, *some])
    assert all_of_them is None or all_of_them in (*some, *more)
    rank: list[str | None] = [None, *DEFAULT_ROLES]
    assert rank.index(all_of_them) >= rank.index(fewer)


@given(st.integers(0, 40), st.integers(0, 60 * 24 * 40))
def test_a_domain_is_given_up_only_after_it_was_told_of_and_one_look_decides_nothing(times: int, minutes: int) -> None:
    missing = timedelta(minutes=minutes)
    standing = standing_of(NOON - missing, times_missing=times, now=NOON)
    if times < 2 or missing < WORTH_TELLING:
        assert standing is Standing.SOUND
    else:
        assert standing is (Standing.LAPSED if missing >= LAPSES_AFTER else Standing.MISSING)
    assert standing_of(None, times_missing=0, now=NOON) is Standing.SOUND
