"""The sales forecast replayed on past days: on the real purchases, and on shops that no constant was set on."""

from collections.abc import Sequence

import numpy as np
import pytest

from payflux.monitor.backtest.volume import (
    HORIZONS,
    SumForecast,
    VolumeScore,
    backtest,
    last_day,
    last_week,
    ours,
    pooled,
)
from payflux.sandbox.simulator import any_shop, simulate_sales
from tests.unit.backtest.series import LAUNCH_DAYS, real_purchases

WITHIN = (0.77, 0.85)


@pytest.fixture(scope="module")
def held_out() -> dict[tuple[str, int], VolumeScore]:
    series = {str(seed): backtest(simulate_sales(any_shop(seed), seed)) for seed in range(1_000, 1_040)}
    return {(score.method, score.horizon): score for score in pooled(series)}


@pytest.mark.parametrize("horizon", HORIZONS)
def test_the_band_covers_what_it_says_on_shops_it_was_not_set_on(
    held_out: dict[tuple[str, int], VolumeScore], horizon: int
) -> None:
    assert WITHIN[0] <= held_out["ours", horizon].coverage <= WITHIN[1]


@pytest.mark.parametrize("horizon", HORIZONS)
@pytest.mark.parametrize("peer", ["last day", "last week", "last year"])
def test_it_beats_every_naive_forecast_by_more_than_a_twentieth(
    held_out: dict[tuple[str, int], VolumeScore], peer: str, horizon: int
) -> None:
    assert held_out["ours", horizon].crps <= 0.95 * held_out[peer, horizon].crps


def test_ninety_days_of_history_are_enough_for_an_honest_band() -> None:
    series = {
        str(seed): backtest(simulate_sales(any_shop(seed), seed), known_days=90, methods={"ours": ours})
        for seed in range(1_000, 1_040)
    }
    assert all(0.75 <= score.coverage <= 0.87 for score in pooled(series))


def test_the_real_purchases_are_forecast_better_than_the_last_week_repeated_does() -> None:
    scores = {(score.method, score.horizon): score for score in backtest(real_purchases()[LAUNCH_DAYS:])}
    for horizon in HORIZONS:
        assert scores["ours", horizon].crps <= 0.95 * scores["last week", horizon].crps
        assert abs(scores["ours", horizon].bias) < 0.10
        # 315 days hold about ten stretches of 30 that do not overlap: chance alone goes down to 59 % (one in twenty)
        assert scores["ours", horizon].coverage >= 0.59


def test_flat_sales_are_forecast_exactly_by_every_method() -> None:
    for score in backtest(np.full(500, 700, np.int64)):
        assert (score.bias, score.mape, score.coverage, score.crps, score.winkler) == (0, 0, 1, 0, 0)


def test_a_method_sees_no_day_from_its_origin_on() -> None:
    seen: list[int] = []

    def spy(sold: np.ndarray, horizons: Sequence[int]) -> list[SumForecast]:
        seen.append(int(sold[-1]))
        assert len(sold) <= 100
        return last_week(sold, horizons)

    backtest(np.arange(1, 201, dtype=np.int64), horizons=(30,), known_days=100, methods={"spy": spy})
    assert seen == list(range(56, 170, 7))


def test_the_naive_peers_repeat_the_last_day_and_the_last_week() -> None:
    week = np.array([1, 2, 3, 4, 5, 6, 7], np.int64)
    sold = np.tile(week, 3)
    assert last_day(sold, (10,))[0].expected == 70
    assert last_week(sold, (7, 8))[0].expected == 28
    assert last_week(sold, (7, 8))[1].expected == 28 + 2  # tomorrow is the second day of the week


def test_a_series_too_short_for_one_origin_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 147 days"):
        backtest(np.ones(146, np.int64))
    assert backtest(np.ones(147, np.int64))[0].origins == 1
