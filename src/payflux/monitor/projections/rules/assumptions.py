"""What a projection rests on, in sentences."""

from __future__ import annotations

from payflux.kit.messages import mark
from payflux.kit.phrases import counted, figure, joined, say
from payflux.monitor.projections.projection import ReserveProjection, ScenarioKind
from payflux.monitor.projections.rules.draws import DRAWS_FROM_RESERVE
from payflux.monitor.projections.rules.forecast import STOPPED_WEEKS, WEEKS
from payflux.monitor.projections.rules.outlooks import Ground
from payflux.monitor.risk.rules.exposure import DELIVERY_DAYS
from payflux.monitor.risk.rules.holds import DEFAULT_HOLD_DAYS
from payflux.monitor.risk.rules.measures import payments_counted
from payflux.monitor.risk.surface import Band, RiskSurface


def assumptions_of(projection: ReserveProjection, surface: RiskSurface, ground: Ground) -> tuple[str, ...]:
    """The assumptions of `projection`, which has none yet, made from `surface` on `ground`."""
    scenario, settings = projection.scenario, projection.settings
    tier = say(
        "Tier %(tier)s (%(band)s): %(scenario)s.",
        tier=surface.risk_tier,
        band=_BANDS[surface.risk_band],
        scenario=scenario.name,
    )
    said = [joined(" ", (tier, scenario.basis)), _sales(ground, settings.growth)]
    said.append(say("Basis points are of the %(base)s; days of sales of its daily mean.", base=projection.bps_of))
    if ground.holds.undated:
        undated = counted(ground.holds.undated, "%(count)s open hold", "%(count)s open holds")
        said.append(
            say("%(holds)s without a release date: %(days)s days are assumed.", holds=undated, days=DEFAULT_HOLD_DAYS)
        )
    said.append(
        say(
            "Goods are delivered within %(days)s days; disputes arrive at the pace of yours so far, refunds by a "
            "reference curve.",
            days=DELIVERY_DAYS,
        )
    )
    if scenario.rate and scenario.kind == ScenarioKind.ROLLING:
        said.append(_draws(settings.processor))
    said += _left_out(projection)
    said += _currencies(projection)
    said.append(
        mark("No public figure says how often a reserve is imposed: the scenario is what would be held if it were.")
    )
    return tuple(said)


_BANDS = {
    Band.LOW: mark("low"),
    Band.MODERATE: mark("moderate"),
    Band.ELEVATED: mark("elevated"),
    Band.HIGH: mark("high"),
    Band.CRITICAL: mark("critical"),
}


def _sales(ground: Ground, growth: float | None) -> str:
    forecast, account = ground.forecast, ground.history.account
    if account is not None and not account.charges_enabled:
        return mark("The account may not take payments now: no further sales are projected.")
    if growth is not None and forecast.daily.any():
        return say(
            "Sales start at their recent level and change by %(share)s a month, as was chosen.",
            share=figure(f"{growth * 100:.4g} %"),
        )
    if forecast.weeks and forecast.daily.any() and forecast.trend_multiplier != 1:
        return say(
            "Sales go on at the usual level of the last %(weeks)s whole weeks, recent ones first, times %(times)s for "
            "its recent course; a spike is not extrapolated.",
            weeks=forecast.weeks,
            times=figure(f"{forecast.trend_multiplier:.3f}"),
        )
    if forecast.weeks and forecast.daily.any():
        return say(
            "Sales go on at the usual level of the last %(weeks)s whole weeks, recent ones first; a spike is not "
            "extrapolated.",
            weeks=forecast.weeks,
        )
    if forecast.daily.any():
        return say(
            "Less than a week of sales is known of the %(weeks)s weeks that a forecast takes: very uncertain.",
            weeks=WEEKS,
        )
    if forecast.weeks:
        return say(
            "No sales in the last %(weeks)s weeks or more: nothing is forecast, so nothing new can be held.",
            weeks=STOPPED_WEEKS,
        )
    return say("No sales in the last %(weeks)s weeks: nothing is forecast, so nothing new can be held.", weeks=WEEKS)


def _draws(processor: str) -> str:
    name = {"stripe": "Stripe", "paypal": "PayPal"}.get(processor, mark("This processor"))
    draws = DRAWS_FROM_RESERVE.get(processor)
    if draws is None:
        return say(
            "%(processor)s does not say whether refunds and disputes come out of the reserve: none is taken off.",
            processor=name,
        )
    if draws:
        return say(
            "%(processor)s takes refunds and disputes first from the reserved amount of their payment; what that may "
            "draw is shown apart, for the new reserve alone, and not taken off.",
            processor=name,
        )
    return say(
        "%(processor)s takes refunds and disputes from the available balance; the reserve stays whole.", processor=name
    )


def _left_out(projection: ReserveProjection) -> list[str]:
    kinds = {outlook.scenario.kind for outlook in projection.scenarios}
    said: list[str] = []
    if ScenarioKind.FIXED not in kinds:
        said.append(
            say(
                "The published minimum reserve is in US dollars, and no own rate leads to %(currency)s: it is left "
                "out.",
                currency=projection.currency.upper(),
            )
        )
    if ScenarioKind.PAYOUT_PAUSE not in kinds:
        said.append(mark("What a payout pause would hold cannot be said without the account's balance."))
    return said


def _currencies(projection: ReserveProjection) -> list[str]:
    if not projection.currencies:
        return []
    others = sum(outlook.payments for outlook in projection.currencies)
    said = [
        say(
            "The headline has what settles in %(currency)s alone, without %(payments)s in other currencies, each of "
            "which stands apart.",
            currency=projection.currency.upper(),
            payments=payments_counted(others),
        )
    ]
    if projection.total and projection.total.left_out:
        names = ", ".join(currency.upper() for currency in projection.total.left_out)
        said.append(
            say(
                "No payment of the last 90 days gives a rate for %(currencies)s: the total is without it.",
                currencies=names,
            )
        )
    return said
