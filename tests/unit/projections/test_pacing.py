"""What is allowed a day lasts all day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.projections.projection import ReserveProjection
from payflux.monitor.projections.rules.pacing import DAY, is_scored_too, may_read_at
from tests.unit.projections.building import projected
from tests.unit.risk.building import elevated_merchant

MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)
LIMITS = st.one_of(st.none(), st.integers(1, 200))
HOURS = st.floats(0, 23.99)


def used_by(wanted: list[float], per_day: int | None, urgent: bool) -> list[datetime]:
    """When readings are made that are wanted at these hours of a day; whatever waits is tried again at its turn."""
    made: list[datetime] = []
    for hour in sorted(wanted):
        turn = may_read_at(MIDNIGHT + timedelta(hours=hour), used=len(made), per_day=per_day, urgent=urgent)
        assert turn is not None
        if turn < MIDNIGHT + DAY:
            made.append(turn)
    return made


@given(st.lists(HOURS, max_size=300), LIMITS, st.booleans())
def test_no_more_are_made_a_day_than_the_plan_allows(wanted: list[float], per_day: int | None, urgent: bool) -> None:
    made = used_by(wanted, per_day, urgent)
    assert per_day is None or len(made) <= per_day


@given(HOURS, st.integers(0, 1000), LIMITS, st.booleans())
def test_what_has_to_wait_gets_through_at_the_next_midnight_at_the_latest(
    hour: float, used: int, per_day: int | None, urgent: bool
) -> None:
    now = MIDNIGHT + timedelta(hours=hour)
    turn = may_read_at(now, used=used, per_day=per_day, urgent=urgent)
    assert turn is not None
    assert now <= turn <= MIDNIGHT + DAY
    assert may_read_at(MIDNIGHT + DAY, used=0, per_day=per_day, urgent=True) == MIDNIGHT + DAY


@given(HOURS, st.integers(0, 1000), LIMITS)
def test_news_that_matters_never_waits_longer_than_everyday_sales(hour: float, used: int, per_day: int | None) -> None:
    now = MIDNIGHT + timedelta(hours=hour)
    urgent, routine = (may_read_at(now, used=used, per_day=per_day, urgent=urgent) for urgent in (True, False))
    assert urgent is not None
    assert routine is not None
    assert urgent <= routine


def test_a_plan_without_projections_makes_none() -> None:
    assert may_read_at(MIDNIGHT, used=0, per_day=0, urgent=True) is None


def test_of_48_a_day_a_busy_morning_uses_a_quarter_and_the_rest_is_spread() -> None:
    made = used_by([hour / 10 for hour in range(240)], 48, urgent=False)
    assert len([at for at in made if at <= MIDNIGHT + timedelta(hours=2)]) <= 16
    assert len(made) == 47
    assert may_read_at(MIDNIGHT + timedelta(hours=9), used=20, per_day=48, urgent=True) == MIDNIGHT + timedelta(hours=9)


def said(*trapped: int) -> ReserveProjection:
    """A projection with a window for each of `trapped`, whose interval is a tenth to both sides."""
    made = projected(elevated_merchant())
    windows = tuple(
        msgspec.structs.replace(window, trapped=each, low=each * 9 // 10, high=each * 11 // 10)
        for window, each in zip(made.windows, trapped, strict=True)
    )
    return msgspec.structs.replace(made, windows=windows)


def test_of_one_day_only_what_says_something_else_is_scored_too() -> None:
    first = said(1000, 2000, 3000)
    assert is_scored_too(first, None, same_tier=True)
    assert not is_scored_too(first, first, same_tier=True)
    assert not is_scored_too(said(1050, 1900, 3300), first, same_tier=True), "within what was said"
    assert is_scored_too(said(1000, 2000, 3301), first, same_tier=True)
    assert is_scored_too(said(1000, 1799, 3000), first, same_tier=True)
    assert is_scored_too(first, first, same_tier=False)
    assert is_scored_too(msgspec.structs.replace(first, currency="eur"), first, same_tier=True)
