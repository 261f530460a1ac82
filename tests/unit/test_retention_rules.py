"""For how long something is kept: never past its bounds, never shorter before it was announced."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from payflux.activation.retention.rules import NOTICE, Choice, Kept, bounds_of, chosen, is_shorter, period

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PLANS = st.none() | st.integers(30, 4000)
STEPS = st.lists(st.tuples(st.integers(0, 14 * 24 * 60), st.none() | st.integers(1, 4000)), max_size=8)


@given(st.sampled_from(Kept), PLANS, STEPS, st.booleans())
def test_whatever_is_chosen_when_nothing_goes_that_was_not_announced_a_week_before(
    kind: Kept, plan_days: int | None, steps: list[tuple[int, int | None]], may_choose: bool
) -> None:
    bounds, choice, now = bounds_of(kind, plan_days), Choice(), NOON

    def kept(choice: Choice, at: datetime) -> int | None:
        return period(kind, choice, plan_days=plan_days, may_choose=may_choose, now=at)

    for minutes, typed in steps:
        now += minutes * MINUTE
        longest = 4000 if bounds.longest is None else bounds.longest
        wanted = None if typed is None else min(max(typed, bounds.shortest), longest)
        before = kept(choice, now)
        choice = chosen(kind, choice, wanted, plan_days=plan_days, now=now)
        if not may_choose:
            assert kept(choice, now + NOTICE) == bounds.usual
            continue
        becomes = kept(choice, now + NOTICE)
        assert becomes == (bounds.usual if wanted is None else wanted)
        assert is_shorter(becomes, before) is (choice.coming_at is not None)
        for ahead in (timedelta(0), NOTICE - MINUTE):
            assert not is_shorter(kept(choice, now + ahead), before)
        if choice.coming_at is None:
            assert kept(choice, now) == becomes, "a longer period holds at once"
        days = kept(choice, now)
        assert not is_shorter(bounds.longest, days)
        assert days is None or days >= min(bounds.shortest, bounds.usual or bounds.shortest)


def test_a_plan_that_keeps_less_cuts_a_choice_and_one_without_choices_ends_it() -> None:
    choice = Choice(days=900)
    assert period(Kept.EVIDENCE, choice, plan_days=None, may_choose=True, now=NOON) == 900
    assert period(Kept.EVIDENCE, choice, plan_days=730, may_choose=True, now=NOON) == 730
    assert period(Kept.EVIDENCE, choice, plan_days=180, may_choose=False, now=NOON) == 180
    assert period(Kept.PAYMENT_EVENTS, choice, plan_days=30, may_choose=True, now=NOON) == 900
    assert period(Kept.DELIVERIES, Choice(), plan_days=None, may_choose=True, now=NOON) == 90
