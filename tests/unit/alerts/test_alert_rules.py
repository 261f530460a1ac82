"""What one reading after another does to the alert of a rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.alerts.rules import (
    CALM_FOR,
    Bounds,
    Comparison,
    Flip,
    Reading,
    Rule,
    Trigger,
    Watch,
    advance,
    first_watch,
    let_go,
)

START = datetime(2026, 11, 1, tzinfo=UTC)
SWEEP = timedelta(hours=6)

TIER = Rule(Trigger.TIER_ESCALATION, 1)
SPIKE = Rule(Trigger.RESERVE_SPIKE, 0.25)
TREND = Rule(Trigger.TREND_DEGRADATION, 1)
BREACH = Rule(Trigger.PROJECTION_BREACH, 1)
DISPUTES = Rule(Trigger.CUSTOM, 0.0075, "dispute_activity")
COVERAGE = Rule(Trigger.CUSTOM, 1.0, "coverage", Comparison.BELOW)


def reading(
    number: int = 0,
    *,
    tier: int = 2,
    trend: str = "STABLE",
    t90: Bounds | float = 10_000,
    currency: str = "usd",
    apart: timedelta = SWEEP,
    signals: Mapping[str, Bounds] | None = None,
) -> Reading:
    bounds = t90 if isinstance(t90, Bounds) else Bounds(t90, t90 * 0.9, t90 * 1.1)
    return Reading(
        as_of=START + number * apart,
        risk_tier=tier,
        band="moderate",
        trend=trend,
        stability_score=70,
        currency=currency,
        trapped={30: Bounds(*(one / 3 for one in bounds)), 90: bounds},
        signals=signals or {},
    )


def told(rule: Rule, readings: Sequence[Reading]) -> list[Flip | None]:
    """What each reading after the first does."""
    watch, flips = first_watch(rule, readings[0]), []
    for one in readings[1:]:
        watch, flip = advance(rule, watch, one)
        flips.append(flip)
    return flips


def test_a_higher_tier_raises_an_alert_and_a_higher_one_yet_worsens_it() -> None:
    tiers = [2, 3, 3, 4, 4]
    readings = [reading(number, tier=tier) for number, tier in enumerate(tiers)]
    assert told(TIER, readings) == [Flip.RAISED, None, Flip.WORSENED, None]


def test_an_alert_is_cleared_by_two_calm_readings_a_sweep_apart_and_not_by_one() -> None:
    readings = [reading(number, tier=tier) for number, tier in enumerate([2, 3, 2, 3, 2, 2, 2])]
    assert told(TIER, readings) == [Flip.RAISED, None, None, None, Flip.CLEARED, None]


def test_calm_readings_within_seconds_count_as_one() -> None:
    raised = [reading(0), reading(1, tier=3)]
    calm = [reading(2 * 3600 * 6 + second, apart=timedelta(seconds=1)) for second in range(20)]
    assert told(TIER, [*raised, *calm]) == [Flip.RAISED, *([None] * 20)]


def test_a_tier_that_fell_and_rises_again_is_news() -> None:
    assert told(TIER, [reading(n, tier=tier) for n, tier in enumerate([4, 2, 3])]) == [None, Flip.RAISED]


def test_trapped_capital_up_by_a_quarter_counts_from_its_lower_bound_on() -> None:
    by_its_mean = [reading(0), reading(1, t90=Bounds(13_000, 12_400, 14_000))]
    by_its_bound = [reading(0), reading(1, t90=Bounds(13_000, 12_501, 14_000))]
    assert told(SPIKE, by_its_mean) == [None]
    assert told(SPIKE, by_its_bound) == [Flip.RAISED]


def test_trapped_capital_that_creeps_up_is_told_once_it_is_past_what_was_told_last() -> None:
    creeping = [reading(n, t90=Bounds(10_000 * 1.1**n, 10_000 * 1.1**n, 10_000 * 1.1**n)) for n in range(6)]
    assert told(SPIKE, creeping) == [None, None, Flip.RAISED, None, None]


def test_a_level_follows_down_only_with_the_whole_interval() -> None:
    wavering = [
        reading(0),
        reading(1, t90=Bounds(8_000, 6_000, 10_500)),
        reading(2, t90=Bounds(11_000, 10_500, 12_000)),
    ]
    fallen = [reading(0), reading(1, t90=Bounds(8_000, 7_000, 9_000)), reading(2, t90=Bounds(11_000, 10_500, 12_000))]
    assert told(SPIKE, wavering) == [None, None]
    assert told(SPIKE, fallen) == [None, Flip.RAISED]


def test_amounts_of_another_currency_are_not_compared() -> None:
    assert told(SPIKE, [reading(0), reading(1, t90=900_000, currency="jpy"), reading(2, t90=10_000)]) == [None, None]


def test_any_window_past_the_worst_case_is_a_breach() -> None:
    within = reading(1, t90=Bounds(12_000, 10_900, 13_000))
    beyond = reading(2, t90=Bounds(12_500, 11_100, 14_000))
    assert told(BREACH, [reading(0), within, beyond]) == [None, Flip.RAISED]


def test_a_trend_that_turns_to_degrading_is_told_and_one_that_stays_so_is_not_told_again() -> None:
    trends = ["STABLE", "DEGRADING", "DEGRADING", "STABLE", "IMPROVING", "DEGRADING"]
    flips = told(TREND, [reading(n, trend=trend) for n, trend in enumerate(trends)])
    assert flips == [Flip.RAISED, None, None, Flip.CLEARED, Flip.RAISED]


@pytest.mark.parametrize(
    ("rule", "past", "not_surely", "calm"),
    [
        (DISPUTES, Bounds(0.01, 0.008, 0.013), Bounds(0.01, 0.007, 0.013), Bounds(0.004, 0.003, 0.005)),
        (COVERAGE, Bounds(0.8, 0.7, 0.9), Bounds(0.9, 0.7, 1.1), Bounds(2.0, 1.8, 2.2)),
    ],
)
def test_a_rule_of_ones_own_is_judged_by_the_careful_bound_and_at_once(
    rule: Rule, past: Bounds, not_surely: Bounds, calm: Bounds
) -> None:
    def at(number: int, measured: Bounds) -> Reading:
        return reading(number, signals={rule.metric: measured})

    watch, flip = advance(rule, first_watch(rule, None), at(0, past))
    assert flip is Flip.RAISED
    assert told(rule, [at(0, calm), at(1, not_surely), at(2, past), at(3, past)]) == [None, Flip.RAISED, None]
    assert advance(rule, let_go(watch), at(1, past))[1] is None


def test_a_signal_that_too_little_is_seen_of_changes_nothing() -> None:
    watch, _ = advance(
        DISPUTES, first_watch(DISPUTES, None), reading(0, signals={"dispute_activity": Bounds(0.01, 0.008, 0.013)})
    )
    after, flip = advance(DISPUTES, watch, reading(1))
    assert (after.is_open, flip) == (True, None)


def test_what_a_member_resolved_is_raised_again_only_by_more_of_it() -> None:
    watch, flip = advance(TIER, first_watch(TIER, reading(0)), reading(1, tier=3))
    assert flip is Flip.RAISED
    watch, flip = advance(TIER, let_go(watch), reading(2, tier=3))
    assert flip is None
    assert advance(TIER, watch, reading(3, tier=4))[1] is Flip.RAISED


def test_a_reading_that_was_judged_or_is_older_does_nothing() -> None:
    watch, _ = advance(TIER, first_watch(TIER, reading(1)), reading(2, tier=3))
    assert advance(TIER, watch, reading(2, tier=5)) == (watch, None)
    assert advance(TIER, watch, reading(0, tier=5)) == (watch, None)


amounts = st.integers(0, 50_000)
sequences = st.lists(
    st.tuples(
        st.integers(1, 5),
        st.sampled_from(["IMPROVING", "STABLE", "DEGRADING"]),
        st.tuples(amounts, amounts, amounts),
        st.none() | st.tuples(*[st.floats(0, 0.05)] * 3),
        st.integers(1, 12),  # hours to the next
        st.sampled_from(["usd", "eur"]),
        st.booleans(),  # a member resolves it before
    ),
    min_size=2,
    max_size=30,
)


@given(st.sampled_from([TIER, SPIKE, TREND, BREACH, DISPUTES]), sequences)
def test_whatever_is_read_an_alert_is_raised_once_until_it_is_over_and_cleared_only_after_calm(
    rule: Rule, drawn: list[tuple]
) -> None:
    at, readings, resolves = START, [], []
    for tier, trend, trapped, rate, hours, currency, resolved in drawn:
        at += timedelta(hours=hours)
        low, value, high = sorted(trapped)
        signals = {} if rate is None else {"dispute_activity": Bounds(*(sorted(rate)[n] for n in (1, 0, 2)))}
        bounds = Bounds(value, low, high)
        readings.append(
            Reading(
                as_of=at,
                risk_tier=tier,
                band="low",
                trend=trend,
                stability_score=50,
                currency=currency,
                trapped={90: bounds},
                signals=signals,
            )
        )
        resolves.append(resolved)
    watch, is_open, last_loud = first_watch(rule, readings[0]), False, START
    for one, resolved in zip(readings[1:], resolves[1:], strict=True):
        if resolved:
            watch, is_open = let_go(watch), False
        before: Watch = watch
        watch, flip = advance(rule, watch, one)
        if flip is Flip.RAISED:
            assert not is_open
        elif flip is not None:
            assert is_open
        is_open = flip is not Flip.CLEARED and (is_open or flip is Flip.RAISED)
        assert watch.is_open == is_open
        if flip is Flip.CLEARED:
            assert before.calm_since is not None
            assert one.as_of - before.calm_since >= CALM_FOR
            assert before.calm_since > last_loud
        if flip in (Flip.RAISED, Flip.WORSENED):
            last_loud = one.as_of
        assert advance(rule, watch, one) == (watch, None)
