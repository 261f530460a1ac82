import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.risk.rules import lag
from payflux.monitor.risk.rules.lag.curves import at_pace

DAYS = 400


def drawn(median: float, *, per_day: int = 10, days: int = DAYS, seed: int = 1) -> lag.Lags:
    """Disputes that have arrived by now, with exponential lags of this median, of `per_day` charges a day."""
    random = np.random.default_rng(seed)
    ages = np.repeat(np.arange(days), per_day)
    lags = (random.exponential(median / math.log(2), len(ages)) + random.random(len(ages))).astype(np.int64)
    seen = (lags <= ages) & (lags <= lag.LAST_AGE)
    return lag.Lags(ages[seen], lags[seen], np.ones(int(seen.sum()), np.int64))


def test_curves_grow_from_their_first_knot_to_the_whole() -> None:
    for curve in (lag.DISPUTE_CURVE, lag.REFUND_CURVE):
        assert len(curve) == lag.LAST_AGE + 1
        assert (np.diff(curve) >= 0).all()
        assert curve[-1] == lag.MILLION
    assert lag.DISPUTE_CURVE[[0, 7, 30, 120]].tolist() == [0, 100_000, 500_000, 970_000]


def test_a_slower_pace_stretches_the_curve_and_still_ends_at_the_last_age() -> None:
    slow = at_pace(lag.DISPUTE_CURVE, 2)
    assert slow[60] == pytest.approx(lag.DISPUTE_CURVE[30] / lag.DISPUTE_CURVE[91] * lag.MILLION, abs=1)
    assert slow[lag.LAST_AGE] == lag.MILLION
    assert np.array_equal(at_pace(lag.DISPUTE_CURVE, 1), lag.DISPUTE_CURVE)


def test_without_disputes_the_curve_stays_near_the_reference() -> None:
    curve = lag.reporting(lag.NO_LAGS, DAYS).curve
    assert np.abs(curve - lag.DISPUTE_CURVE).max() < 0.04 * lag.MILLION


@pytest.mark.parametrize("median", [8, 15, 30, 60])
def test_the_curve_of_many_disputes_is_the_merchants_own(median: int) -> None:
    curve = lag.reporting(drawn(median), DAYS).curve
    middle = np.arange(lag.LAST_AGE) + 0.5  # the middle of the day that an age ends in
    true = (1 - 2.0 ** (-middle / median)) / (1 - 2 ** (-lag.LAST_AGE / median)) * lag.MILLION
    assert np.abs(curve[:-1] - true).max() < 0.04 * lag.MILLION


@pytest.mark.parametrize("median", [8, 60])
def test_a_few_disputes_already_move_the_curve_to_the_merchants_pace(median: int) -> None:
    few = drawn(median, per_day=1, days=150)
    curve = lag.reporting(few, 150).curve
    true = (1 - 2 ** (-30 / median)) / (1 - 2 ** (-lag.LAST_AGE / median)) * lag.MILLION
    assert abs(curve[30] - true) < abs(lag.DISPUTE_CURVE[30] - true) / 2


def test_plausible_curves_have_the_expected_one_as_their_mean() -> None:
    reporting = lag.reporting(drawn(20, per_day=1, days=40), 40)
    mean = (reporting.plausible * np.array(reporting.chances)[:, np.newaxis]).sum(axis=0)
    assert math.fsum(reporting.chances) == pytest.approx(1)
    assert len(reporting.chances) > 3
    assert np.abs(mean - reporting.curve).max() < 3


@given(
    st.lists(st.tuples(st.integers(-5, 500), st.integers(-5, 500), st.integers(1, 50)), max_size=60),
    st.integers(0, DAYS),
)
def test_any_disputes_in_any_order_give_one_growing_curve(rows: list[tuple[int, int, int]], days: int) -> None:
    columns = np.array(rows, np.int64).reshape(-1, 3).T
    reporting = lag.reporting(lag.Lags(*columns), days)
    assert (np.diff(reporting.curve) >= 0).all()
    assert reporting.curve[0] >= 0
    assert reporting.curve[-1] == lag.MILLION
    assert np.array_equal(lag.reporting(lag.Lags(*columns[:, ::-1]), days).curve, reporting.curve)


def test_cape_cod_on_the_reference_finds_the_rate_and_what_is_still_to_come() -> None:
    payments = np.full(91, 10_000)
    arrived = np.arange(91), np.round(payments * 0.01 * lag.DISPUTE_CURVE[:91] / lag.MILLION).astype(np.int64)
    ultimate = lag.cape_cod(payments, lag.Lags(arrived[0], np.zeros(91, np.int64), arrived[1]), lag.REFERENCE, 91)
    assert ultimate.payments == 910_000
    assert ultimate.seen == arrived[1].sum()
    assert ultimate.rate.mean == pytest.approx(0.01, rel=0.01)
    assert ultimate.in_the_end.value == pytest.approx(9_100, rel=0.01)
    assert ultimate.in_the_end.low < ultimate.in_the_end.value < ultimate.in_the_end.high


def test_a_count_of_weeks_long_gone_is_already_whole() -> None:
    payments = np.zeros(DAYS, np.int64)
    payments[200:300] = 100
    disputes = lag.Lags(np.full(9, 250), np.full(9, 20), np.ones(9, np.int64))
    ultimate = lag.cape_cod(payments, disputes, lag.reporting(disputes, DAYS), DAYS)
    assert ultimate.in_the_end == (9, 9, 9)


@pytest.mark.parametrize("days", [0, 1, 5, 90, DAYS])
def test_without_anything_the_prior_speaks_and_nothing_is_evidence(days: int) -> None:
    ultimate = lag.cape_cod(np.zeros(days, np.int64), lag.NO_LAGS, lag.reporting(lag.NO_LAGS, days), 90)
    assert ultimate.rate.mean == pytest.approx(0.005)
    assert ultimate.in_the_end == (0, 0, 0)
    assert ultimate.insufficient


@pytest.mark.parametrize(("payments", "disputes", "insufficient"), [(24, 5, True), (25, 2, True), (25, 3, False)])
def test_few_payments_or_disputes_are_insufficient_evidence(payments: int, disputes: int, insufficient: bool) -> None:
    lags = lag.Lags(*np.array([[0], [0], [disputes]]))
    assert lag.cape_cod(np.array([payments]), lags, lag.REFERENCE, 90).insufficient is insufficient


def test_a_rate_that_has_doubled_is_judged_on_what_is_recent() -> None:
    payments = np.full(DAYS, 400)
    ages = np.arange(DAYS)
    rate = np.where(ages < 120, 0.02, 0.01)
    shares = lag.DISPUTE_CURVE[np.minimum(ages, lag.LAST_AGE)] / lag.MILLION
    disputes = lag.Lags(ages, np.zeros(DAYS, np.int64), np.round(payments * rate * shares).astype(np.int64))
    ultimate = lag.cape_cod(payments, disputes, lag.REFERENCE, 91)
    assert ultimate.rate.mean == pytest.approx(0.02, rel=0.05)
    assert ultimate.rate.probability_over(0.015) > 0.99
    assert ultimate.rate.probability_over(0.025) < 0.01


def test_the_chance_of_passing_a_threshold_falls_with_the_threshold_and_is_half_near_the_mean() -> None:
    rate = lag.Posterior(100, 10_000)
    chances = [rate.probability_over(threshold) for threshold in (0.0, 0.008, 0.01, 0.012, 0.1)]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] == 1
    assert chances[2] == pytest.approx(0.5, abs=0.02)
    assert rate.probability_over(rate.estimate.low) == pytest.approx(0.9, abs=1e-9)


@given(
    st.lists(st.tuples(st.integers(0, 150), st.integers(0, 100)), max_size=30),
    st.tuples(st.integers(0, 150), st.integers(0, 100)),
    st.integers(1, 500),
)
def test_one_dispute_more_never_lowers_the_careful_rate(
    rows: list[tuple[int, int]], more: tuple[int, int], payments: int
) -> None:
    def low(rows: list[tuple[int, int]]) -> float:
        columns = np.array([(age, days, 1) for age, days in rows], np.int64).reshape(-1, 3).T
        return lag.careful_rate(np.full(120, payments), lag.Lags(*columns), 90).estimate.low

    assert low([*rows, more]) >= low(rows)


def test_networks_and_reasons_add_up_to_the_whole_and_borrow_from_it() -> None:
    disputes = drawn(25, per_day=2)
    even = lag.Lags(*(column[::2] for column in disputes))
    exposure = {1: np.full(DAYS, 300), 2: np.full(DAYS, 100), 3: np.full(DAYS, 1), 4: np.zeros(DAYS, np.int64)}
    parts = lag.break_down(exposure, {lag.Group(1, True): even, lag.Group(2, False): even}, 91)
    assert {group.network for group in parts.groups} == {1, 2, 3}
    assert math.fsum(part.to_come.value for part in parts.groups.values()) == pytest.approx(parts.whole.to_come.value)
    assert sum(part.seen for part in parts.groups.values()) == parts.whole.seen
    small, large = parts.groups[lag.Group(3, True)], parts.groups[lag.Group(1, True)]
    assert small.insufficient
    assert 0.3 * large.rate.mean < small.rate.mean < large.rate.mean
    assert small.rate.shape < 6


def test_fraud_that_arrives_faster_has_a_faster_curve() -> None:
    fast, slow = drawn(8, per_day=4), drawn(50, per_day=4)
    exposure = {1: np.full(DAYS, 1_000)}
    parts = lag.break_down(exposure, {lag.Group(1, True): fast, lag.Group(1, False): slow}, 91)
    fraud, other = parts.groups[lag.Group(1, True)], parts.groups[lag.Group(1, False)]
    assert fraud.unripe < other.unripe / 2
    assert fraud.to_come.value < other.to_come.value / 2


def test_exposures_are_exact_sums_by_age() -> None:
    ages, amounts = np.array([30, 200, 30]), np.array([1_500, 1_000, 500])
    assert lag.ripe_exposure(amounts, ages, lag.DISPUTE_CURVE) == 2_000 * 500_000 + 1_000 * lag.MILLION
    assert lag.unripe_exposure(amounts, ages, lag.DISPUTE_CURVE) == 2_000 * 500_000


def test_an_amount_rate_is_that_of_the_money_with_a_wider_stress_for_fewer_events() -> None:
    ripe = 10_000_000 * lag.MILLION
    mean, stress = lag.amount_rate(100_000, ripe, 20, 5_000, 0.005)
    assert mean == pytest.approx((100_000 + 0.005 * 500_000) / 10_500_000)
    assert mean < stress < lag.amount_rate(100_000, ripe, 2, 5_000, 0.005)[1]
    assert lag.amount_rate(0, 0, 0, 0, 0.005) == (0, 0)
