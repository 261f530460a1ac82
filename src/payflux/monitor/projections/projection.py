"""The result of projecting reserves: how much capital would be trapped, by when, and on what assumptions."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec

from payflux.kit.messages import mark
from payflux.kit.phrases import Phrasebook
from payflux.monitor.projections.settings import ProjectionSettings


class ScenarioKind(StrEnum):
    ROLLING = "rolling"  # a share of each day's sales, each day's for so long
    FIXED = "fixed"  # a share of sales until a target is reached, kept while the account is open
    PAYOUT_PAUSE = "payout_pause"  # nothing is paid out


class ReserveScenario(msgspec.Struct, frozen=True, kw_only=True):
    """What a processor is assumed to do: hold `rate` of each day's sales, for `hold_days` days where it is rolling.

    `hold_days` is 0 where no release is scheduled; `target` is where a fixed reserve stops growing, in minor units.
    """

    name: str
    rate: float  # in [0, 1]
    hold_days: int
    basis: str  # where the assumption comes from
    kind: ScenarioKind = ScenarioKind.ROLLING
    target: int | None = None


class ProjectedWindow(msgspec.Struct, frozen=True, kw_only=True):
    """Trapped capital at T+`horizon_days`, in minor units, with its 80 % interval.

    `trapped_bps` is basis points of the sales forecast over the same horizon, `days_of_sales` is trapped capital over
    the mean daily forecast. `observed` is the part of `trapped` that today's holds still make. `expected_draws` is
    what refunds and disputes will have taken out of the new reserve, where the processor draws them from it: `trapped`
    is before it. None is what cannot be said, or was not yet said by the model version that made the window.
    """

    horizon_days: int
    trapped: int
    low: int
    high: int
    trapped_bps: int
    days_of_sales: float
    forecast_sales: int  # over the horizon
    sales_low: int | None = None  # 80 % interval of the sales
    sales_high: int | None = None
    observed: int | None = None
    expected_draws: int | None = None
    trapped_usd: int | None = None  # US cents; None where no own rate leads to the US dollar


class ScenarioOutlook(msgspec.Struct, frozen=True, kw_only=True):
    """What one scenario would trap: at each horizon, and by day as (day, trapped, low, high)."""

    scenario: ReserveScenario
    windows: tuple[ProjectedWindow, ...]
    daily: tuple[tuple[int, int, int, int], ...]


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """Holds that are open now and end on the same UTC day, in minor units.

    `assumed` holds carry no release date of the processor's own; `on` None is a hold that is overdue: it is counted
    beyond every horizon.
    """

    on: date | None
    amount: int
    count: int
    assumed: bool


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


class CurrencyOutlook(msgspec.Struct, frozen=True, kw_only=True):
    """The same projection of another settlement currency, in its own minor units: nothing of it is in the headline."""

    currency: str
    payments: int  # in the window
    current_reserve_rate: float
    currently_held: int
    scenario: ReserveScenario
    windows: tuple[ProjectedWindow, ...]
    daily_sales: int
    exposure: Exposure
    calendar: tuple[Release, ...]


class OwnRate(msgspec.Struct, frozen=True, kw_only=True):
    """What one minor unit of `source` is worth in minor units of `target`, by the account's own settlements."""

    source: str
    target: str
    rate: float


class Total(msgspec.Struct, frozen=True, kw_only=True):
    """All settlement currencies in the account's default one, at its own rates.

    `left_out` names the currencies for which no payment gives a rate. The interval is that of currencies that all err
    to the same side: the widest.
    """

    currency: str
    currently_held: int
    windows: tuple[ProjectedWindow, ...]
    rates: tuple[OwnRate, ...]
    included: tuple[str, ...]
    left_out: tuple[str, ...]


class ReserveProjection(msgspec.Struct, frozen=True, kw_only=True):
    """A projection as of one instant, in `currency` minor units. `daily` is (day, trapped, low, high).

    `scenario`, `windows` and `daily` are the headline; `scenarios` has it and the other things a processor may do.
    `stress` is what the next tier up would mean and `stress_windows` its figures, at the same horizons. `calendar` has
    every hold that is open now; `releases` is the same as (day from now, minor units released) up to the last day.
    """

    model_version: str
    as_of: datetime
    currency: str
    event_count: int
    window_days: int
    current_reserve_rate: float  # observed now, in [0, 1]
    currently_held: int  # observed now
    scenario: ReserveScenario
    windows: tuple[ProjectedWindow, ...]  # T+30, T+60, T+90 unless other horizons were asked for
    daily: tuple[tuple[int, int, int, int], ...]
    daily_sales: int  # expected sales a day
    trend_multiplier: float
    exposure: Exposure
    assumptions: tuple[str, ...]
    inputs_hash: str
    stress: ReserveScenario | None = None
    stress_windows: tuple[ProjectedWindow, ...] = ()
    releases: tuple[tuple[int, int], ...] = ()
    scenarios: tuple[ScenarioOutlook, ...] = ()
    calendar: tuple[Release, ...] = ()
    currencies: tuple[CurrencyOutlook, ...] = ()  # the other settlement currencies
    total: Total | None = None  # only with several currencies
    settings: ProjectionSettings = ProjectionSettings()
    bps_of: str = mark("sales forecast over the same horizon")
    phrases: Phrasebook | msgspec.UnsetType = msgspec.UNSET
