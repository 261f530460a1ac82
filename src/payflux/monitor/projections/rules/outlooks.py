"""What one settlement currency's sales and holds come to under each scenario."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from payflux.monitor.projections.projection import ProjectedWindow, ReserveScenario, ScenarioKind, ScenarioOutlook
from payflux.monitor.projections.rules.currencies import Rates, rate_between, window_of
from payflux.monitor.projections.rules.draws import DRAWS_FROM_RESERVE, GivenBack, expected_draws, given_back
from payflux.monitor.projections.rules.forecast import KNOWN_DAYS, VolumeForecast, daily_sales, forecast_sales
from payflux.monitor.projections.rules.reserves import fixed_reserve, paused_payouts, share_of, swept_sales
from payflux.monitor.projections.settings import ProjectionSettings
from payflux.monitor.risk.rules.exposure import balance_in_all
from payflux.monitor.risk.rules.history import History
from payflux.monitor.risk.rules.holds import Holds, open_holds
from payflux.monitor.risk.rules.statistics import settle
from payflux.monitor.risk.rules.summary import DAY

PATH_DAYS = 90
MONTH = 30
"""Days of a month of growth."""


class Ground(NamedTuple):
    """What every scenario of one settlement currency stands on."""

    history: History
    forecast: VolumeForecast
    holds: Holds
    back: GivenBack
    settings: ProjectionSettings
    days: int  # the last day of the path
    usd_rate: float | None

    def observed(self, day: int) -> int:
        """Minor units of today's holds that are still open at the end of `day`."""
        return self.holds.open_at(self.history.now + day * DAY)


def ground_of(history: History, settings: ProjectionSettings, rates: Rates) -> Ground:
    """What the projections of the history's currency stand on."""
    days = max(PATH_DAYS, *settings.horizons)
    selling = history.account is None or history.account.charges_enabled
    forecast = forecast_sales(daily_sales(history, KNOWN_DAYS if selling else 0), days)
    return Ground(
        history,
        forecast if settings.growth is None else _grown(forecast, settings.growth),
        open_holds(history),
        given_back(history),
        settings,
        days,
        rate_between(rates, history.currency_code, "usd"),
    )


def outlook_of(ground: Ground, scenario: ReserveScenario) -> ScenarioOutlook:
    """The path of `scenario` by day and its windows at the horizons.

    Where a rolling reserve has started to release, the wider of the bands of its length and of all days is taken.
    """
    forecast, path = ground.forecast, []
    kept = scenario.hold_days if scenario.kind == ScenarioKind.ROLLING else None
    for day, sold in enumerate(swept_sales(forecast.daily, kept, range(ground.days + 1))):
        bands = {forecast.band(day), forecast.band(day if kept is None else min(day, kept))}
        low, high = min(band[0] for band in bands), max(band[1] for band in bands)
        held = [_held(ground, scenario, amount, day) for amount in (sold, round(sold * low), round(sold * high))]
        observed = ground.observed(day)
        path.append((day, observed + held[0], observed + min(held), observed + max(held)))
    windows = tuple(_window(ground, scenario, path[day]) for day in ground.settings.horizons)
    return ScenarioOutlook(scenario=scenario, windows=windows, daily=tuple(path))


def _held(ground: Ground, scenario: ReserveScenario, sold: int, day: int) -> int:
    if scenario.kind == ScenarioKind.FIXED:
        return fixed_reserve(sold, scenario.rate, scenario.target or 0)
    if scenario.kind == ScenarioKind.PAYOUT_PAUSE:
        # holds that end are released into a balance that stays where it is
        balance = balance_in_all(ground.history) + ground.observed(0) - ground.observed(day)
        return paused_payouts(balance, sold, ground.back.of(sold), ground.settings.fee_rate)
    return share_of(sold, scenario.rate)


def _window(ground: Ground, scenario: ReserveScenario, at: tuple[int, int, int, int]) -> ProjectedWindow:
    day, *trapped = at
    sales = int(ground.forecast.daily[:day].sum())
    low, high = ground.forecast.band(day)
    return window_of(
        day,
        trapped=(trapped[0], trapped[1], trapped[2]),
        sales=(sales, round(sales * low), round(sales * high)),
        observed=ground.observed(day),
        draws=_draws(ground, scenario, day),
        usd_rate=ground.usd_rate,
    )


def _draws(ground: Ground, scenario: ReserveScenario, day: int) -> int | None:
    draws = DRAWS_FROM_RESERVE.get(ground.settings.processor)
    if draws is None or scenario.kind != ScenarioKind.ROLLING:
        return None
    return expected_draws(ground.forecast.daily, scenario, ground.back, day) if draws else 0


def _grown(forecast: VolumeForecast, growth: float) -> VolumeForecast:
    """`forecast` with `growth` a month, compounded by day, in place of its own trend."""
    level = [sold / forecast.trend_multiplier for sold in forecast.daily.tolist()]
    daily = [round(sold * settle(math.pow(1 + growth, day / MONTH))) for day, sold in enumerate(level, start=1)]
    whole = math.fsum(level)
    return forecast._replace(
        daily=np.array(daily, np.int64), trend_multiplier=settle(sum(daily) / whole) if whole else 1.0
    )
