"""Forecasting mode: when it is on, and what it says of a series."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payflux.monitor.risk.outlook import Arrow, Forecasting, SeriesOutlook
from payflux.monitor.risk.rules.forecasting import DailySeries, forecasting
from payflux.monitor.risk.rules.slopes import sen_slope

counts = st.integers(7, 56).flatmap(
    lambda days: st.lists(st.integers(0, 10_000), min_size=days, max_size=days).filter(lambda sold: sold[0] > 0)
)
whole_weeks = st.integers(2, 8).flatmap(
    lambda weeks: st.lists(st.integers(1, 10_000), min_size=7 * weeks, max_size=7 * weeks)
)


def outlook(amount: object, base: object = None) -> SeriesOutlook:
    bases = None if base is None else np.array(base, np.int64)
    found = forecasting([DailySeries("sales", np.array(amount, np.int64), bases)])
    assert found.active
    return found.series[0]


def rising(days: int = 28, step: int = 10, start: int = 1_000) -> list[int]:
    return [start + step * day for day in range(days)]


def noisy(days: int, per_day: float, seed: int = 1) -> np.ndarray:
    level = 1_000 + per_day * np.arange(days)
    return np.maximum(1, level + np.random.default_rng(seed).normal(0, 60, days)).astype(np.int64)


def test_six_days_are_not_enough_and_that_is_said() -> None:
    found = forecasting([DailySeries("sales", np.full(6, 100, np.int64))])
    assert (found.active, found.days_known, found.series) == (False, 6, ())
    assert "6 of the 7" in found.why_not


def test_days_before_anything_happened_are_not_known() -> None:
    quiet = np.array([0] * 90 + [5] * 6, np.int64)
    assert forecasting([DailySeries("sales", quiet)]).days_known == 6
    assert forecasting([]).days_known == 0
    assert forecasting([DailySeries("sales", np.zeros(90, np.int64))]).active is False
    long = forecasting([DailySeries("sales", quiet), DailySeries("payments", np.ones(96, np.int64))])
    assert (long.active, long.days_known) == (True, 96)


def test_a_constant_series_is_flat_without_any_instability_to_the_longest_horizon() -> None:
    found = outlook([700] * 30)
    assert (found.arrow, found.instability, found.slope, found.acceleration) == (Arrow.FLAT, 0, 0, 0)
    assert (found.horizon_days, found.projected, found.projected_low, found.projected_high) == (90, 700, 700, 700)


def test_a_straight_line_is_carried_on() -> None:
    found = outlook(rising())
    assert found.slope == found.slope_low == found.slope_high == 10
    assert found.level == pytest.approx(1_000 + 270)
    assert found.projected == pytest.approx(found.level + 10 * found.horizon_days)
    assert (found.arrow, found.acceleration) == (Arrow.RISING, 0)


@pytest.mark.parametrize(
    ("step", "arrow"), [(40, Arrow.UP), (10, Arrow.RISING), (2, Arrow.FLAT), (-8, Arrow.FALLING), (-25, Arrow.DOWN)]
)
def test_the_arrow_tells_direction_and_steepness(step: int, arrow: Arrow) -> None:
    assert outlook(rising(step=step)).arrow == arrow


def test_a_weekly_pattern_is_no_trend_and_no_instability_from_two_weeks_on() -> None:
    found = outlook([100, 200, 300, 400, 500, 600, 700] * 3)
    assert (found.slope, found.instability, found.arrow, found.level) == (0, 0, Arrow.FLAT, 400)
    assert found.acceleration == 0


def test_one_day_of_a_hundred_times_the_sales_turns_no_arrow() -> None:
    sold = noisy(42, 0)
    before = outlook(sold)
    sold[-1] *= 100
    after = outlook(sold)
    assert before.arrow == after.arrow == Arrow.FLAT
    assert after.level == pytest.approx(before.level, rel=0.05)


def test_growth_that_speeds_up_accelerates() -> None:
    speeding = [1_000 + day * day for day in range(28)]
    assert outlook(speeding).acceleration == pytest.approx(2)
    assert outlook([1_000 + 27 * 27 - day * day for day in range(28)]).acceleration == pytest.approx(-2)
    assert outlook(speeding[:13]).acceleration is None


def test_noise_shortens_the_horizon_and_raises_the_instability() -> None:
    draw = np.random.default_rng(4)
    calm, wild = (np.maximum(1, 1_000 + draw.normal(0, spread, 42)).astype(np.int64) for spread in (20, 500))
    one, other = outlook(calm), outlook(wild)
    assert one.instability < 0.05 < 0.2 < other.instability
    assert one.horizon_days == 90 > other.horizon_days


def test_a_share_needs_its_base_and_stays_a_share() -> None:
    payments = [200] * 28
    found = outlook([1 + day // 3 for day in range(28)], payments)
    assert (found.unit, found.days) == ("share", 28)
    assert found.arrow == Arrow.UP
    assert found.projected_high is not None
    assert 0 < found.level < found.projected_high <= 1


def test_days_without_payments_say_nothing_of_a_share() -> None:
    payments = [200, 0] * 14
    found = outlook([2, 0] * 14, payments)
    assert (found.days, found.slope, found.level) == (14, 0, 0.01)
    assert forecasting([DailySeries("disputes", np.ones(30, np.int64), np.zeros(30, np.int64))]).series == ()


def test_few_events_are_insufficient_evidence_and_get_no_arrow() -> None:
    found = outlook([1, 0, 0, 0, 1, 0, 0, 0], [9] * 8)
    assert found.arrow is None
    assert found.because.startswith("Insufficient evidence: 2 of 72")


def test_series_of_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="same days"):
        forecasting([DailySeries("a", np.ones(8, np.int64)), DailySeries("b", np.ones(9, np.int64))])


def test_an_outlook_can_be_stored() -> None:
    found = forecasting([DailySeries("sales", noisy(40, 20)), DailySeries("none", np.zeros(40, np.int64))])
    assert msgspec.json.decode(msgspec.json.encode(found, enc_hook=str), type=Forecasting) == found


def test_the_band_of_the_slope_holds_the_true_one_four_times_in_five() -> None:
    hits = [(found := outlook(noisy(42, 5, seed))).slope_low <= 5 <= found.slope_high for seed in range(300)]
    assert 0.74 <= sum(hits) / len(hits) <= 0.90


def test_sens_slope_by_hand() -> None:
    assert sen_slope([0, 1, 2, 9]) == (2.0, 1.0, 7.0)  # 1, 1, 1, 3, 4, 7 before the ranks
    assert sen_slope([1]) is None
    assert sen_slope([None, 3.0, None]) is None
    assert sen_slope([0.0, None, 4.0]) == (2, 2, 2)


@settings(max_examples=60, deadline=None)
@given(whole_weeks)
def test_reversing_time_turns_the_slope_and_keeps_the_acceleration(sold: list[int]) -> None:
    there, back = outlook(sold), outlook(sold[::-1])
    assert back.slope == -there.slope
    assert (back.slope_low, back.slope_high) == (-there.slope_high, -there.slope_low)
    assert back.acceleration == there.acceleration
    assert back.instability == pytest.approx(there.instability, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(counts, st.sampled_from([2, 8, 1_024]))
def test_the_unit_scales_the_slope_and_leaves_arrow_horizon_and_instability(sold: list[int], factor: int) -> None:
    one, other = outlook(sold), outlook([factor * amount for amount in sold])
    assert other.slope == pytest.approx(factor * one.slope, rel=1e-9)
    assert other.level == pytest.approx(factor * one.level, rel=1e-9, abs=1e-9)
    assert other.instability == pytest.approx(one.instability, abs=1e-9)
    assert (other.arrow, other.horizon_days) == (one.arrow, one.horizon_days)


@settings(max_examples=60, deadline=None)
@given(counts)
def test_bands_hold_the_middle_and_nothing_is_negative(sold: list[int]) -> None:
    found = outlook(sold)
    assert found.slope_low <= found.slope <= found.slope_high
    assert 0 <= found.instability <= 1
    assert 0 <= found.horizon_days <= 90
    assert (found.projected is None) == (found.horizon_days == 0)
    if found.projected is not None and found.projected_low is not None and found.projected_high is not None:
        assert 0 <= found.projected_low <= found.projected <= found.projected_high < math.inf


@settings(max_examples=40, deadline=None)
@given(whole_weeks, st.integers(1, 100_000))
def test_selling_more_every_day_alike_lifts_the_level_and_no_slope(sold: list[int], more: int) -> None:
    one, other = outlook(sold), outlook([amount + more for amount in sold])
    assert (other.slope, other.slope_low, other.slope_high) == (one.slope, one.slope_low, one.slope_high)
    assert other.acceleration == one.acceleration
    assert other.level >= one.level
