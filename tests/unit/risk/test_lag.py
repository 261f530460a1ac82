import numpy as np
import pytest

from payflux.monitor.processors.codes import Kind
from payflux.monitor.risk.rules import lag
from tests.unit.risk.building import DAY, NOW, about, sales


def test_curves_grow_from_their_first_knot_to_the_whole() -> None:
    for curve in (lag.DISPUTE_CURVE, lag.REFUND_CURVE):
        assert len(curve) == lag.LAST_AGE + 1
        assert (np.diff(curve) >= 0).all()
        assert curve[-1] == lag.MILLION
    assert lag.DISPUTE_CURVE[[0, 7, 30, 120]].tolist() == [0, 100_000, 500_000, 970_000]


def test_cape_cod_divides_what_was_seen_by_what_had_time_to_be_seen() -> None:
    ages, payments = np.array([30, 200]), np.array([2_000, 1_000])
    ripe = lag.ripe_exposure(payments, ages, lag.DISPUTE_CURVE)
    assert ripe == 2_000 * 500_000 + 1_000 * lag.MILLION
    assert lag.unripe_exposure(payments, ages, lag.DISPUTE_CURVE) == 2_000 * 500_000
    estimate = lag.ultimate_rate(20, ripe)
    assert estimate.value == pytest.approx(20.5 / 2_100)
    assert estimate.low < estimate.value < estimate.high


def test_without_anything_the_prior_speaks() -> None:
    assert lag.ultimate_rate(0, 0).value == pytest.approx(0.005)


def test_own_curve_of_few_disputes_is_the_reference_and_of_many_their_own() -> None:
    nothing = np.empty(0, np.int64)
    assert np.array_equal(lag.own_curve(nothing, nothing, NOW, 90), lag.DISPUTE_CURVE)
    charges = sales(per_day=40, days=90)
    disputes = about(Kind.DISPUTE, charges, 3)
    seen = disputes[disputes["at"] <= NOW]
    curve = lag.own_curve(seen["charge_at"], seen["at"], NOW, 90)
    assert curve[14] > 0.85 * lag.MILLION > lag.DISPUTE_CURVE[14]


@pytest.mark.parametrize("median_lag", [20, 30, 45])
def test_the_ultimate_rate_is_found_where_the_naive_one_is_far_too_low(median_lag: int) -> None:
    random = np.random.default_rng(median_lag)
    at = NOW - random.integers(0, 90 * DAY, 200_000)
    disputed = at[random.random(len(at)) < 0.01]
    arrival = disputed + (random.exponential(median_lag / np.log(2), len(disputed)) * DAY).astype(np.int64)
    seen = arrival <= NOW
    curve = lag.own_curve(disputed[seen], arrival[seen], NOW, 90)
    ages = lag.ages_in_days(at, NOW)
    estimate = lag.ultimate_rate(int(seen.sum()), lag.ripe_exposure(np.ones(len(at), np.int64), ages, curve))
    naive = seen.sum() / len(at)
    assert abs(estimate.value - 0.01) < abs(naive - 0.01) / 2
