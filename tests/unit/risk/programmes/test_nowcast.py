import math
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.risk.rules.programmes import Month, Nowcast, Step, nowcast, programme, step_reached


def limit_of(day: date, name: str = "excessive") -> Step:
    phase = programme("vamp", day)
    assert phase is not None
    return next(step for step in phase.steps if step.name == name)


EXCESSIVE = limit_of(date(2026, 11, 1))
NON_COMPLIANT = limit_of(date(2026, 11, 1), "non-compliant")


def ending(step: Step = EXCESSIVE, **figures: Any) -> Nowcast:
    month: dict[str, Any] = {"events": 700, "payments": 50_000, "days_elapsed": 15.0, "days_in_month": 30, **figures}
    found = nowcast(step, **month)
    assert found is not None
    return found


def test_the_pace_so_far_carries_on_to_the_end_of_the_month() -> None:
    found = ending()
    assert found.payments == 100_000
    assert found.limit == 1_500
    assert found.events == pytest.approx(700 + 700.5)
    assert found.ratio == pytest.approx(0.014005)
    assert found.events_low < found.events < found.events_high
    assert 0 < found.probability < 0.05


def test_the_limit_is_the_greater_of_count_and_ratio_at_the_payments_expected() -> None:
    assert ending(expected_payments=200_000).limit == 3_000
    assert ending(expected_payments=60_000).limit == 1_500
    assert ending(NON_COMPLIANT, events=1, payments=100).limit == 5


def test_earlier_months_steady_a_young_month() -> None:
    young: dict[str, Any] = {"events": 0, "payments": 3_000, "days_elapsed": 1.0}
    alone = ending(**young)
    steadied = ending(**young, earlier_events=1_800, earlier_payments=90_000)
    assert alone.events < 16
    # two percent of 90,000 are 60 a day; 50 events of them are the most that they weigh
    assert steadied.events == pytest.approx((50 + 0.5) / (1 + 50 / 60) * 29)


def test_open_warnings_are_expected_to_escalate_four_times_in_five() -> None:
    assert ending(open_warnings=100).events - ending().events == pytest.approx(80)
    assert ending(open_warnings=100, escalation=0.0) == ending()
    certain = ending(open_warnings=100, escalation=1.0)
    assert certain.events_low == ending().events_low + 100


def test_a_month_that_is_over_is_certain() -> None:
    over = ending(events=1_500, payments=100_000, days_elapsed=30.0)
    assert (over.events_low, over.events_high, over.ratio, over.probability) == (1_500, 1_500, 0.015, 1.0)
    below = ending(events=1_499, payments=100_000, days_elapsed=30.0)
    assert (below.events_high, below.probability) == (1_499, 0.0)


def test_the_tail_agrees_with_adding_up_the_negative_binomial_and_binomial_masses() -> None:
    found = ending(NON_COMPLIANT, events=3, payments=600, days_elapsed=10.0, open_warnings=4)
    shape, odds = 3.5, 20 / 10

    def negative_binomial(n: int) -> float:
        ways = math.exp(math.lgamma(n + shape) - math.lgamma(shape) - math.lgamma(n + 1))
        return ways * (1 / (1 + odds)) ** shape * (odds / (1 + odds)) ** n

    def binomial(k: int) -> float:
        return math.comb(4, k) * 0.8**k * 0.2 ** (4 - k)

    # 0.5 % of 1,800 payments are 9 events
    below = math.fsum(binomial(k) * negative_binomial(n) for k in range(5) for n in range(9) if 3 + k + n < 9)
    assert found.limit == 9
    assert found.probability == pytest.approx(1 - below, abs=1e-11)


@given(st.integers(0, 3_000), st.floats(0.5, 30), st.integers(1, 200_000), st.integers(0, 200), st.integers(0, 3_000))
def test_one_more_event_now_or_earlier_or_open_warning_never_lowers_the_chance_or_the_interval(
    events: int, days: float, payments: int, warnings: int, earlier: int
) -> None:
    def at(events: int, warnings: int, earlier: int) -> Nowcast:
        return ending(
            events=events,
            payments=payments,
            days_elapsed=days,
            open_warnings=warnings,
            earlier_events=earlier,
            earlier_payments=100_000,
        )

    now = at(events, warnings, earlier)
    one_more = (at(events + 1, warnings, earlier), at(events, warnings + 1, earlier), at(events, warnings, earlier + 1))
    for worse in one_more:
        assert worse.events >= now.events * (1 - 1e-11)
        assert worse.probability >= now.probability - 1e-11
        assert worse.events_low >= now.events_low
        assert worse.events_high >= now.events_high
    assert events <= now.events_low <= now.events_high
    assert 0 <= now.probability <= 1


@given(st.integers(0, 2_000), st.integers(1, 200_000))
def test_the_chance_at_the_end_is_that_of_the_step_itself(events: int, payments: int) -> None:
    found = ending(NON_COMPLIANT, events=events, payments=payments, days_elapsed=30.0)
    phase = programme("vamp", date(2026, 11, 1))
    assert phase is not None
    reached = step_reached(phase, Month(0, payments=payments, disputes=events)) is not None
    assert found.probability == float(reached)


@pytest.mark.parametrize("a_day", [2.0, 40.0])
def test_four_in_five_months_of_poisson_events_end_within_the_interval(a_day: float) -> None:
    draws = np.random.default_rng(7).poisson(a_day, size=(400, 60))
    inside = 0
    for days in draws:
        found = ending(
            events=int(days[30:40].sum()),
            payments=20_000,
            days_elapsed=10.0,
            earlier_events=int(days[:30].sum()),
            earlier_payments=60_000,
        )
        inside += found.events_low <= int(days[30:].sum()) <= found.events_high
    assert 0.77 <= inside / len(draws) <= 0.87


def test_nothing_known_gives_no_answer_and_nonsense_is_refused() -> None:
    assert nowcast(EXCESSIVE, events=0, payments=0, days_elapsed=0, days_in_month=30) is None
    assert nowcast(EXCESSIVE, events=5, payments=0, days_elapsed=3, days_in_month=30) is None
    with pytest.raises(ValueError, match="not negative"):
        ending(events=-1)
    phase = programme("ecm", date(2026, 11, 1))
    assert phase is not None
    with pytest.raises(ValueError, match="no VAMP events"):
        ending(phase.steps[0])
