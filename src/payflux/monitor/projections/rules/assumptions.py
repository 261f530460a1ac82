"""What a projection rests on, in sentences."""

from __future__ import annotations

from payflux.monitor.projections.projection import ReserveProjection, ScenarioKind
from payflux.monitor.projections.rules.draws import DRAWS_FROM_RESERVE
from payflux.monitor.projections.rules.forecast import STOPPED_WEEKS, WEEKS
from payflux.monitor.projections.rules.outlooks import Ground
from payflux.monitor.risk.rules.exposure import DELIVERY_DAYS
from payflux.monitor.risk.rules.holds import DEFAULT_HOLD_DAYS
from payflux.monitor.risk.rules.measures import counted
from payflux.monitor.risk.surface import RiskSurface


def assumptions_of(projection: ReserveProjection, surface: RiskSurface, ground: Ground) -> tuple[str, ...]:
    """The assumptions of `projection`, which has none yet, made from `surface` on `ground`."""
    scenario, settings = projection.scenario, projection.settings
    said = [f"Tier {surface.risk_tier} ({surface.risk_band}): {scenario.name}. {scenario.basis}"]
    said.append(_sales(ground, settings.growth))
    said.append(f"Basis points are of the {projection.bps_of}; days of sales of its daily mean.")
    if ground.holds.undated:
        undated = counted(ground.holds.undated, "open hold")
        said.append(f"{undated} without a release date: {DEFAULT_HOLD_DAYS} days are assumed.")
    said.append(
        f"Goods are delivered within {DELIVERY_DAYS} days; disputes arrive at the pace of yours so far, refunds by a "
        "reference curve."
    )
    if scenario.rate and scenario.kind == ScenarioKind.ROLLING:
        said.append(_draws(settings.processor))
    said += _left_out(projection)
    said += _currencies(projection)
    said.append("No public figure says how often a reserve is imposed: the scenario is what would be held if it were.")
    return tuple(said)


def _sales(ground: Ground, growth: float | None) -> str:
    forecast, account = ground.forecast, ground.history.account
    if account is not None and not account.charges_enabled:
        return "The account may not take payments now: no further sales are projected."
    if growth is not None and forecast.daily.any():
        return f"Sales start at their recent level and change by {growth * 100:.4g} % a month, as was chosen."
    if forecast.weeks and forecast.daily.any():
        course = (
            f", times {forecast.trend_multiplier:.3f} for its recent course" if forecast.trend_multiplier != 1 else ""
        )
        level = f"Sales go on at the usual level of the last {forecast.weeks} whole weeks, recent ones first{course}"
        return f"{level}; a spike is not extrapolated."
    if forecast.daily.any():
        return f"Less than a week of sales is known of the {WEEKS} weeks that a forecast takes: very uncertain."
    if forecast.weeks:
        return f"No sales in the last {STOPPED_WEEKS} weeks or more: nothing is forecast, so nothing new can be held."
    return f"No sales in the last {WEEKS} weeks: nothing is forecast, so nothing new can be held."


def _draws(processor: str) -> str:
    name = {"stripe": "Stripe", "paypal": "PayPal"}.get(processor, "This processor")
    draws = DRAWS_FROM_RESERVE.get(processor)
    if draws is None:
        return f"{name} does not say whether refunds and disputes come out of the reserve: none is taken off."
    if draws:
        return (
            f"{name} takes refunds and disputes first from the reserved amount of their payment; what that may draw is "
            "shown apart, for the new reserve alone, and not taken off."
        )
    return f"{name} takes refunds and disputes from the available balance; the reserve stays whole."


def _left_out(projection: ReserveProjection) -> list[str]:
    kinds = {outlook.scenario.kind for outlook in projection.scenarios}
    code, said = projection.currency.upper(), []
    if ScenarioKind.FIXED not in kinds:
        said.append(f"The published minimum reserve is in US dollars, and no own rate leads to {code}: it is left out.")
    if ScenarioKind.PAYOUT_PAUSE not in kinds:
        said.append("What a payout pause would hold cannot be said without the account's balance.")
    return said


def _currencies(projection: ReserveProjection) -> list[str]:
    if not projection.currencies:
        return []
    others = sum(outlook.payments for outlook in projection.currencies)
    code = projection.currency.upper()
    said = [
        f"The headline has what settles in {code} alone, without {counted(others, 'payment')} in other currencies, "
        "each of which stands apart."
    ]
    if projection.total and projection.total.left_out:
        names = ", ".join(currency.upper() for currency in projection.total.left_out)
        said.append(f"No payment of the last 90 days gives a rate for {names}: the total is without it.")
    return said
