"""What a merchant will sell: the level, the weekdays, the trend, and how sure that is."""

from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payflux.monitor.projections.rules.forecast import GROWTH_LIMIT, KNOWN_DAYS, VolumeForecast, forecast_sales
from payflux.sandbox.simulator import simulate_sales
from tests.unit.backtest.series import SHOPS

daily_amounts = st.lists(st.integers(0, 50_000), max_size=120).map(lambda sold: np.array(sold, np.int64))


def flat(days: int, amount: int = 1_000) -> np.ndarray:
    return np.full(days, amount, np.int64)


def total(forecast: VolumeForecast) -> int:
    return int(forecast.daily.sum())


def test_sales_that_never_varied_go_on_without_a_band() -> None:
    forecast = forecast_sales(flat(84), 90)
    assert set(forecast.daily.tolist()) == {1_000}
    assert (forecast.weeks, forecast.trend_multiplier) == (12, 1.0)
    assert {forecast.band(days) for days in (1, 30, 90)} == {(1.0, 1.0)}


def test_nothing_sold_forecasts_nothing() -> None:
    for sold in (flat(0), flat(5, 0), flat(400, 0)):
        forecast = forecast_sales(sold, 30)
        assert (forecast.daily.tolist(), forecast.weeks, forecast.band(30)) == ([0] * 30, 0, (1.0, 1.0))


def test_less_than_a_week_goes_on_at_its_mean_and_is_very_unsure() -> None:
    forecast = forecast_sales(np.array([0, 0, 300, 500, 100], np.int64), 14)
    assert (set(forecast.daily.tolist()), forecast.weeks) == ({300}, 0)
    assert forecast.band(14) == (0.0, 3.0)


def test_a_single_week_carries_the_usual_spread_that_is_assumed() -> None:
    low, high = forecast_sales(flat(7), 30).band(30)
    assert low < 0.75 < 1.35 < high


def test_each_weekday_keeps_its_share_and_tomorrow_comes_two_days_after_yesterday() -> None:
    week = [100, 200, 300, 400, 500, 600, 700]
    forecast = forecast_sales(np.tile(np.array(week, np.int64), 10), 8)
    assert forecast.daily.tolist() == [*week[1:], week[0], week[1]]


def moved_by_a_spike(shop: str) -> float:
    """The largest factor on the forecast when one of twelve weeks sells ten times what it did, over six histories."""
    factors = []
    for seed in range(6):
        sold = simulate_sales(SHOPS[shop], seed)[:84]
        for place in range(12):
            spiked = sold.copy()
            spiked[7 * place : 7 * place + 7] *= 10
            factors.append(total(forecast_sales(spiked, 90)) / total(forecast_sales(sold, 90)))
    return max(factors)


@pytest.mark.parametrize("shop", ["steady large", "steady medium", "growing", "shrinking", "drifting"])
def test_one_week_of_ten_times_the_sales_moves_the_forecast_by_no_more_than_the_cap(shop: str) -> None:
    assert moved_by_a_spike(shop) <= 1 + GROWTH_LIMIT


@pytest.mark.parametrize("shop", ["small", "noisy"])
def test_where_weeks_vary_by_a_third_a_spike_can_pass_the_cap_but_not_by_much(shop: str) -> None:
    assert moved_by_a_spike(shop) <= 1.25


def test_a_day_of_a_hundred_times_the_sales_is_not_extrapolated() -> None:
    sold = simulate_sales(SHOPS["steady large"], 3)[:84]
    spiked = sold.copy()
    spiked[-1] *= 100
    assert total(forecast_sales(spiked, 90)) <= 1.05 * total(forecast_sales(sold, 90))


def test_growth_is_followed_up_to_the_cap() -> None:
    growing = (1_000 * 1.005 ** np.arange(84)).astype(np.int64)
    forecast = forecast_sales(growing, 90)
    assert 1 < forecast.trend_multiplier <= 1 + GROWTH_LIMIT
    assert forecast.daily[0] > 0.95 * growing[-1]
    soaring = forecast_sales((1_000 * 1.03 ** np.arange(84)).astype(np.int64), 90)
    assert soaring.trend_multiplier == 1 + GROWTH_LIMIT
    assert forecast_sales(growing[::-1], 90).trend_multiplier < 1


def test_noise_alone_is_no_trend() -> None:
    multipliers = [forecast_sales(simulate_sales(SHOPS["noisy"], seed)[:84], 7).trend_multiplier for seed in range(40)]
    assert multipliers.count(1.0) >= 32


def test_sales_that_lasted_at_a_new_level_are_the_level() -> None:
    dropped = np.concatenate([flat(56, 1_000), flat(35, 400)])
    assert 350 < forecast_sales(dropped, 30).daily.mean() < 550


def test_a_shop_that_stopped_fades_to_nothing() -> None:
    said = [total(forecast_sales(np.concatenate([flat(84), flat(7 * idle, 0)]), 30)) for idle in (0, 5, 8, 12)]
    assert said == sorted(said, reverse=True)
    assert (said[0], said[-1]) == (30_000, 0)


def test_a_payment_every_third_week_is_forecast_at_its_frequency() -> None:
    sold = flat(252, 0)
    sold[3::21] = 9_000
    assert total(forecast_sales(sold, 90)) == pytest.approx(90 * 9_000 / 21, rel=0.35)


def test_only_the_last_thirteen_months_are_read() -> None:
    recent = simulate_sales(SHOPS["small"], 1)[:KNOWN_DAYS]
    older = np.concatenate([flat(200, 999_999), recent])
    one, other = forecast_sales(recent, 90), forecast_sales(older, 90)
    assert one.daily.tolist() == other.daily.tolist()
    assert one[1:] == other[1:]


def test_days_before_the_first_sale_say_nothing() -> None:
    sold = simulate_sales(SHOPS["small"], 1)[:60]
    sold[0] = max(1, sold[0])
    one, other = forecast_sales(sold, 90), forecast_sales(np.concatenate([flat(100, 0), sold]), 90)
    assert one.daily.tolist() == other.daily.tolist()
    assert one[1:] == other[1:]


def test_a_merchant_whose_past_surprised_gets_a_wider_band() -> None:
    calm, drifting = simulate_sales(SHOPS["steady large"], 5)[:400], simulate_sales(SHOPS["drifting"], 5)[:400]
    for days in (30, 60, 90):
        narrow, wide = forecast_sales(calm, 90).band(days), forecast_sales(drifting, 90).band(days)
        assert wide[0] < narrow[0] < narrow[1] < wide[1]


@settings(max_examples=60, deadline=None)
@given(daily_amounts, st.integers(0, 120), st.integers(0, 400))
def test_bands_hold_the_expected_sum_and_nothing_is_negative(sold: np.ndarray, days: int, ahead: int) -> None:
    forecast = forecast_sales(sold, days)
    low, high = forecast.band(ahead)
    assert 0 <= low <= 1 <= high
    assert len(forecast.daily) == days
    assert forecast.daily.dtype == np.int64
    assert not days or forecast.daily.min() >= 0
    assert abs(forecast.trend_multiplier - 1) <= GROWTH_LIMIT + 1e-9


@settings(max_examples=30, deadline=None)
@given(daily_amounts, st.integers(2, 1_000))
def test_the_unit_of_money_does_not_matter(sold: np.ndarray, factor: int) -> None:
    one, other = forecast_sales(sold, 30), forecast_sales(sold * factor, 30)
    assert total(other) == pytest.approx(factor * total(one), abs=factor * 31 * 7)
    assert other.weeks == one.weeks


def test_huge_amounts_stay_exact_integers() -> None:
    assert set(forecast_sales(flat(84, 10**15), 30).daily.tolist()) == {10**15}


def test_a_forecast_does_not_go_backward() -> None:
    with pytest.raises(ValueError, match="forward"):
        forecast_sales(flat(10), -1)


def test_thirteen_months_take_a_few_milliseconds() -> None:
    sold = simulate_sales(SHOPS["growing"], 1)[:KNOWN_DAYS]
    taken = []
    for _ in range(20):
        started = process_time()
        forecast_sales(sold, 90)
        taken.append(process_time() - started)
    assert min(taken) < 0.02  # ten times what it takes alone on the machine
