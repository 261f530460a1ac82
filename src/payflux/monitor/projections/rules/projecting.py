"""From payment events and a risk surface to trapped capital."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from payflux.monitor.processors.snapshots import AccountSnapshot, BalanceSnapshot
from payflux.monitor.projections.projection import Exposure, ProjectedWindow, ReserveProjection, ReserveScenario
from payflux.monitor.projections.rules.forecast import WEEKS, VolumeForecast, daily_sales, forecast_sales
from payflux.monitor.projections.rules.reserves import WHOLE, rolling_reserve, scenario_of, stress_of
from payflux.monitor.risk.rules import inputs_hash
from payflux.monitor.risk.rules.exposure import DELIVERY_DAYS, coverage, debt, outlook
from payflux.monitor.risk.rules.history import DAY, History, prepare
from payflux.monitor.risk.rules.holds import DEFAULT_HOLD_DAYS, Holds, open_holds, reserve_rate
from payflux.monitor.risk.rules.statistics import settle
from payflux.monitor.risk.surface import RiskSurface

MODEL_VERSION = "reserve-1.0"
PATH_DAYS = 90


def project(
    events: np.ndarray,
    surface: RiskSurface,
    *,
    as_of: datetime,
    account: AccountSnapshot | None,
    balance: BalanceSnapshot | None,
    horizons: Sequence[int] = (30, 60, 90),
) -> ReserveProjection:
    """Trapped capital at each of `horizons` (days, at least 1) and on every day up to the last, at least 90.

    Trapped(T) = open holds not yet released at T + rate · expected sales of the last min(T, hold) days. The windows
    rest on the payments' volume by day, the tier's scenario and the open holds alone; `balance` only on the exposure.
    Amounts are minor units of the settlement currency of most payments. Raises ValueError as `prepare` does, or for a
    horizon below one day.
    """
    if min(horizons, default=1) < 1:
        raise ValueError("a horizon is at least one day")
    history = prepare(events, as_of=as_of, account=account, balance=balance, window_days=surface.window_days)
    days = max(PATH_DAYS, *horizons)
    forecast = forecast_sales(daily_sales(history, 7 * WEEKS), days)
    holds = open_holds(history)
    scenario, stress = scenario_of(surface.risk_tier, history), stress_of(surface.risk_tier)
    path = _path(history, forecast, holds, scenario, range(days + 1))
    return ReserveProjection(
        model_version=MODEL_VERSION,
        as_of=as_of.astimezone(UTC),
        currency=history.currency_code,
        event_count=len(history.last(history.events, surface.window_days)),
        window_days=surface.window_days,
        current_reserve_rate=settle(reserve_rate(history)),
        currently_held=holds.open_at(history.now),
        scenario=scenario,
        windows=_windows(path, forecast, horizons),
        daily=tuple(path),
        daily_sales=_mean(int(forecast.daily.sum()), days),
        trend_multiplier=forecast.trend_multiplier,
        exposure=_exposure(history),
        assumptions=_assumptions(history, forecast, holds, scenario, surface),
        inputs_hash=inputs_hash(history, MODEL_VERSION, surface.risk_tier, tuple(horizons)),
        stress=stress,
        stress_windows=_windows(_path(history, forecast, holds, stress, range(days + 1)), forecast, horizons)
        if stress
        else (),
        releases=_releases(history, holds, days),
    )


def _path(
    history: History, forecast: VolumeForecast, holds: Holds, scenario: ReserveScenario, days: range
) -> list[tuple[int, int, int, int]]:
    """(day, expected, low, high) trapped minor units."""
    path = []
    for day, held in zip(days, rolling_reserve(forecast.daily, scenario.rate, scenario.hold_days, days), strict=True):
        observed = holds.open_at(history.now + day * DAY)
        low, high = forecast.band(min(day, scenario.hold_days))
        path.append((day, observed + held, observed + round(held * low), observed + round(held * high)))
    return path


def _windows(
    path: Sequence[tuple[int, int, int, int]], forecast: VolumeForecast, horizons: Sequence[int]
) -> tuple[ProjectedWindow, ...]:
    windows = []
    for day in horizons:
        _, trapped, low, high = path[day]
        sales = int(forecast.daily[:day].sum())
        windows.append(
            ProjectedWindow(
                horizon_days=day,
                trapped=trapped,
                low=low,
                high=high,
                trapped_bps=_mean(trapped * WHOLE, sales),
                days_of_sales=round(trapped * day / sales, 2) if sales else 0.0,
                forecast_sales=sales,
            )
        )
    return tuple(windows)


def _releases(history: History, holds: Holds, days: int) -> tuple[tuple[int, int], ...]:
    day = (holds.ends_at - history.now + DAY - 1) // DAY
    calendar = ((int(when), int(holds.amounts[day == when].sum())) for when in np.unique(day))
    return tuple(entry for entry in calendar if entry[0] <= days)


def _exposure(history: History) -> Exposure:
    ahead, funds, owed = outlook(history), coverage(history), debt(history)
    gross = ahead.chargebacks_to_come + ahead.refunds_to_come + ahead.undelivered + ahead.open_disputes + owed
    stress = ahead.chargebacks_stress + ahead.refunds_stress + ahead.undelivered + ahead.open_disputes + owed
    return Exposure(
        chargebacks_to_come=ahead.chargebacks_to_come,
        refunds_to_come=ahead.refunds_to_come,
        undelivered=ahead.undelivered,
        open_disputes=ahead.open_disputes,
        gross=gross,
        coverage=funds,
        shortfall=None if funds is None else max(0, gross - funds),
        gross_stress=stress,
        shortfall_stress=None if funds is None else max(0, stress - funds),
    )


def _assumptions(
    history: History, forecast: VolumeForecast, holds: Holds, scenario: ReserveScenario, surface: RiskSurface
) -> tuple[str, ...]:
    code = history.currency_code.upper()
    said = [f"Tier {surface.risk_tier} ({surface.risk_band}): {scenario.name}. {scenario.basis}"]
    if forecast.weeks:
        said.append(
            f"Sales go on like the median of the last {forecast.weeks} whole weeks"
            + (
                f", times {forecast.trend_multiplier:.3f} for its recent course"
                if forecast.trend_multiplier != 1
                else ""
            )
            + "; a spike is not extrapolated."
        )
    elif forecast.daily.any():
        said.append(f"Less than a week of sales is known of the {WEEKS} weeks that a forecast takes: very uncertain.")
    else:
        said.append(f"No sales in the last {WEEKS} weeks: nothing is forecast, so nothing new can be held.")
    said.append("Basis points are of the sales forecast over the same horizon; days of sales of its daily mean.")
    if holds.undated:
        said.append(f"{holds.undated:,} open holds carry no release date: {DEFAULT_HOLD_DAYS} days are assumed.")
    said.append(f"Goods are delivered within {DELIVERY_DAYS} days; disputes and refunds arrive by reference curves.")
    others = _other_currencies(history)
    if others:
        said.append(f"Only payments that settle in {code} are projected; {others:,} settle in other currencies.")
    said.append("No public figure says how often a reserve is imposed: the scenario is what would be held if it were.")
    return tuple(said)


def _other_currencies(history: History) -> int:
    currency = history.last(history.payments, history.window_days)["settled_currency"]
    return int(np.count_nonzero(currency != history.currency))


def _mean(total: int, count: int) -> int:
    """`total` / `count` rounded half up; 0 for nothing."""
    return (2 * total + count) // (2 * count) if count else 0
