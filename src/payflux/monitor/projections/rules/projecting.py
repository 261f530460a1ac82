"""From payment events and a risk surface to trapped capital."""

from __future__ import annotations

from datetime import UTC

from msgspec.structs import replace

from payflux.kit.phrases import kept
from payflux.monitor.projections.projection import CurrencyOutlook, Exposure, ReserveProjection, ReserveScenario
from payflux.monitor.projections.rules.assumptions import assumptions_of
from payflux.monitor.projections.rules.currencies import (
    Rates,
    converted,
    mean,
    other_currencies,
    own_rates,
    payments_in,
    rate_between,
    total_of,
)
from payflux.monitor.projections.rules.outlooks import Ground, ground_of, outlook_of
from payflux.monitor.projections.rules.releases import release_calendar, releases_by_day
from payflux.monitor.projections.rules.reserves import (
    FIXED_TARGET_USD,
    PAYOUT_PAUSE,
    fixed_scenario,
    scenario_of,
    stress_of,
)
from payflux.monitor.projections.settings import ProjectionSettings
from payflux.monitor.risk.rules import inputs_hash
from payflux.monitor.risk.rules.exposure import debt, funds_of, own_outlook
from payflux.monitor.risk.rules.history import History
from payflux.monitor.risk.rules.holds import reserve_rate
from payflux.monitor.risk.rules.statistics import settle
from payflux.monitor.risk.surface import RiskSurface

MODEL_VERSION = "reserve-2.0"


def project(
    history: History, surface: RiskSurface, settings: ProjectionSettings | None = None, *, rates: Rates | None = None
) -> ReserveProjection:
    """Trapped capital at each horizon of `settings` and on every day up to the last, at least 90.

    Trapped(T) = open holds not yet released at T + what the scenario holds of expected sales. The headline rests on
    the payments' volume by day, the tier's scenario and the open holds alone; the balance on the exposure and on the
    payout pause. Amounts are minor units of the settlement currency of most payments; the others stand apart. `rates`
    are the history's own unless others are given.
    """
    settings = settings or ProjectionSettings()
    rates = own_rates(history) if rates is None else rates
    ground = ground_of(history, settings, rates)
    stress = stress_of(surface.risk_tier)
    scenarios = tuple(outlook_of(ground, scenario) for scenario in _scenarios(ground, surface.risk_tier, rates))
    headline = scenarios[0]
    others = tuple(_other(ground_of(other, settings, rates), surface.risk_tier) for other in other_currencies(history))
    parts = [(history.currency_code, ground.observed(0), headline.windows)]
    parts += [(other.currency, other.currently_held, other.windows) for other in others]
    default = history.account.default_currency if history.account else history.currency_code
    projection = ReserveProjection(
        model_version=MODEL_VERSION,
        as_of=history.as_of.astimezone(UTC),
        currency=history.currency_code,
        event_count=history.event_count,
        window_days=surface.window_days,
        current_reserve_rate=settle(reserve_rate(history)),
        currently_held=ground.observed(0),
        scenario=headline.scenario,
        windows=headline.windows,
        daily=headline.daily,
        daily_sales=mean(int(ground.forecast.daily.sum()), ground.days),
        trend_multiplier=ground.forecast.trend_multiplier,
        exposure=exposure_of(history),
        assumptions=(),
        inputs_hash=inputs_hash(history, MODEL_VERSION, surface.risk_tier, settings, sorted(rates.items())),
        stress=stress,
        stress_windows=outlook_of(ground, stress).windows if stress else (),
        releases=releases_by_day(history, ground.holds, ground.days),
        scenarios=scenarios,
        calendar=release_calendar(history, ground.holds),
        currencies=others,
        total=total_of(default, parts, rates) if others else None,
        settings=settings,
    )
    return kept(replace(projection, assumptions=assumptions_of(projection, surface, ground)))


def exposure_of(history: History) -> Exposure:
    """What a reserve has to cover in the history's currency, and what covers it."""
    ahead, funds, owed = own_outlook(history), funds_of(history), debt(history)
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


def _scenarios(ground: Ground, tier: int, rates: Rates) -> list[ReserveScenario]:
    """The headline first, then a minimum reserve and a payout pause where they can be said."""
    history, settings = ground.history, ground.settings
    scenarios = [_headline(ground, tier)]
    target, from_usd = settings.target, rate_between(rates, "usd", history.currency_code)
    if target is None and from_usd is not None:
        target = converted(FIXED_TARGET_USD, from_usd)
    if target is not None:
        scenarios.append(fixed_scenario(target, settings))
    return scenarios if history.balance is None or PAYOUT_PAUSE in scenarios else [*scenarios, PAYOUT_PAUSE]


def _headline(ground: Ground, tier: int) -> ReserveScenario:
    """The tier's scenario; where payouts are stopped already, that stop with the balance it holds, unless a reserve was
    chosen."""
    history, settings = ground.history, ground.settings
    stopped = history.account is not None and not history.account.payouts_enabled and history.balance is not None
    chosen = settings.rate is not None or settings.hold_days is not None
    return PAYOUT_PAUSE if stopped and not chosen else scenario_of(tier, history, settings)


def _other(ground: Ground, tier: int) -> CurrencyOutlook:
    history = ground.history
    headline = outlook_of(ground, _headline(ground, tier))
    return CurrencyOutlook(
        currency=history.currency_code,
        payments=payments_in(history),
        current_reserve_rate=settle(reserve_rate(history)),
        currently_held=ground.observed(0),
        scenario=headline.scenario,
        windows=headline.windows,
        daily_sales=mean(int(ground.forecast.daily.sum()), ground.days),
        exposure=exposure_of(history),
        calendar=release_calendar(history, ground.holds),
    )
