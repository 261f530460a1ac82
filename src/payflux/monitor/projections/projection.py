"""The result of projecting reserves: how much capital would be trapped, by when, and on what assumptions."""

from __future__ import annotations

from datetime import datetime

import msgspec


class ReserveScenario(msgspec.Struct, frozen=True, kw_only=True):
    """What a processor is assumed to do: hold `rate` of each day's sales for `hold_days` days (a rolling reserve)."""

    name: str
    rate: float  # in [0, 1]
    hold_days: int
    basis: str  # where the assumption comes from


class ProjectedWindow(msgspec.Struct, frozen=True, kw_only=True):
    """Trapped capital at T+`horizon_days`, in minor units, with its 80 % interval.

    `trapped_bps` is basis points of the sales forecast over the same horizon, `days_of_sales` is trapped capital over
    the mean daily forecast.
    """

    horizon_days: int
    trapped: int
    low: int
    high: int
    trapped_bps: int
    days_of_sales: float
    forecast_sales: int  # over the horizon


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """What a reserve has to cover, and what covers it, in minor units.

    `gross` is the sum of the four parts above it at their means, `gross_stress` the same with both rates at their 90th
    percentiles; a negative balance adds to both. `shortfall` is gross less coverage, never negative.
    """

    chargebacks_to_come: int
    refunds_to_come: int
    undelivered: int
    open_disputes: int
    gross: int
    coverage: int | None  # None when the balance is not known
    shortfall: int | None
    gross_stress: int = 0
    shortfall_stress: int | None = None


class ReserveProjection(msgspec.Struct, frozen=True, kw_only=True):
    """A projection as of one instant, in `currency` minor units. `daily` is (day, trapped, low, high).

    `stress` is what the next tier up would mean and `stress_windows` its figures, at the same horizons; `releases` is
    the calendar of the holds that are open now as (day from now, minor units released).
    """

    model_version: str
    as_of: datetime
    currency: str
    event_count: int
    window_days: int
    current_reserve_rate: float  # observed now, in [0, 1]
    currently_held: int  # observed now
    scenario: ReserveScenario
    windows: tuple[ProjectedWindow, ...]  # T+30, T+60, T+90
    daily: tuple[tuple[int, int, int, int], ...]
    daily_sales: int  # expected sales a day
    trend_multiplier: float
    exposure: Exposure
    assumptions: tuple[str, ...]
    inputs_hash: str
    stress: ReserveScenario | None = None
    stress_windows: tuple[ProjectedWindow, ...] = ()
    releases: tuple[tuple[int, int], ...] = ()
