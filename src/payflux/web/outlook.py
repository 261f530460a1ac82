"""Where the numbers are going, as rows to show: daily series of forecasting mode, and releases of holds by week."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.monitor.projections.projection import Release
from payflux.monitor.risk.outlook import Arrow, Forecasting, SeriesOutlook
from payflux.monitor.risk.rules.programmes.programme import Quantity
from payflux.monitor.risk.surface import DisputeCost, DisputeOutlook, Escalation, RiskSurface
from payflux.web.formatting import count, difference, money_short, percent, plain
from payflux.web.programmes import QUANTITIES

SERIES = {
    "sales": mark("Sales a day"),
    "payments": mark("Payments a day"),
    "dispute_activity": mark("Disputes per payment"),
    "fraud_warning_rate": mark("Fraud warnings per payment"),
    "refund_rate": mark("Refunded share of sales"),
    "decline_rate": mark("Declined attempts"),
}
DIRECTIONS = {
    Arrow.UP: mark("rising steeply"),
    Arrow.RISING: mark("rising"),
    Arrow.FLAT: mark("level"),
    Arrow.FALLING: mark("falling"),
    Arrow.DOWN: mark("falling steeply"),
}
COUNTED = {"dispute_activity": mark("disputes"), "fraud_warning_rate": mark("fraud warnings")}
"""What a signal counts."""

WEEK = timedelta(days=7)


CHANGE_DAYS = 30
"""The days that a slope is told over: that of one day is too small to read."""


class SeriesRow(NamedTuple):
    """One series in words. `change` is over :data:`CHANGE_DAYS`, `projected` is empty where not even tomorrow can be
    said."""

    label: str
    arrow: str
    direction: str
    because: str
    level: str
    change: str
    change_range: str
    bend: str
    projected: str
    projected_range: str
    horizon: str
    instability: str


class ReleaseWeek(NamedTuple):
    """What ends in the seven days from `start`, in minor units; `assumed` is the part without a date of its own."""

    start: date
    amount: int
    count: int
    assumed: int


def escalation_sentence(next_tier: Escalation) -> str:
    """How likely the next tier is, and on how many events that rests."""
    events = _(COUNTED.get(next_tier.signal, mark("events")))
    expected, low, high = (count(round(number)) for number in (next_tier.expected, next_tier.low, next_tier.high))
    return _(
        "%(probability)s chance that the next %(days)s days ask for tier %(tier)s or worse: it takes %(count)s "
        "%(events)s on about %(payments)s payments, and %(expected)s are expected (80\u00a0%%: "
        "%(low)s\u00a0–\u00a0%(high)s)."
    ) % {
        "probability": percent(round(next_tier.probability, 2)),
        "days": next_tier.days_ahead,
        "tier": next_tier.tier,
        "count": count(next_tier.events),
        "events": events,
        "payments": count(next_tier.payments),
        "expected": expected,
        "low": low,
        "high": high,
    }


def dispute_costs(surface: RiskSurface) -> list[tuple[str, tuple[DisputeCost, ...]]]:
    """What the next dispute costs, networks of the same cost together: ("Visa or Mastercard", items)."""
    networks: dict[tuple[DisputeCost, ...], list[str]] = {}
    for dispute in surface.next_dispute:
        if dispute.items:
            networks.setdefault(dispute.items, []).append(network_name(dispute.network))
    return [(_(" or ").join(filter(None, names)), items) for items, names in networks.items()]


def dispute_outlook_name(outlook: DisputeOutlook) -> str:
    """What an outlook is about: "All cards", "Visa, for fraud"."""
    name = _("All cards") if outlook.network == "all" else network_name(outlook.network)
    if outlook.reason == "all":
        return name
    return (_("%(cards)s, for fraud") if outlook.reason == "fraud" else _("%(cards)s, other reasons")) % {"cards": name}


def quantity_name(quantity: Quantity) -> str:
    """What a figure of a programme is called."""
    return _(QUANTITIES[quantity])


def network_name(network: str) -> str:
    """A card network as it is written; empty stays empty."""
    return network.replace("_", " ").capitalize()


def series_rows(forecasting: Forecasting, currency: str) -> list[SeriesRow]:
    """Each series of `forecasting`; amounts are minor units of `currency`."""
    return [_series_row(series, currency) for series in forecasting.series]


def releases_by_week(calendar: Sequence[Release], today: date) -> list[ReleaseWeek]:
    """The dated releases of `calendar` by week from `today` on, weeks without one among them; overdue ones have no
    week."""
    dated = [(release, (release.on - today) // WEEK) for release in calendar if release.on is not None]
    weeks = []
    for week in range(max((place for _release, place in dated), default=-1) + 1):
        ending = [release for release, place in dated if place == week]
        assumed = sum(release.amount for release in ending if release.assumed)
        amount, count = (sum(getattr(release, name) for release in ending) for name in ("amount", "count"))
        weeks.append(ReleaseWeek(today + week * WEEK, amount, count, assumed))
    return weeks


def _series_row(series: SeriesOutlook, currency: str) -> SeriesRow:
    def told(value: float | None) -> str:
        if value is None:
            return ""
        if series.unit == "share":
            return percent(value)
        return money_short(round(value), currency) if series.key == "sales" else plain(value, 1)

    def changed(slope: float) -> str:
        unit = "money" if series.key == "sales" else "rate" if series.unit == "share" else ""
        return difference(0.0, slope * CHANGE_DAYS, unit, currency)

    bend = "" if series.acceleration is None else (_("bending up") if series.acceleration > 0 else _("bending down"))
    return SeriesRow(
        label=_(SERIES[series.key]),
        arrow=series.arrow or "",
        direction=_(DIRECTIONS[series.arrow]) if series.arrow else _("not enough data"),
        because=_(series.because),
        level=told(series.level),
        change=changed(series.slope),
        change_range=_("%(slope_low)s to %(slope_high)s")
        % {"slope_low": changed(series.slope_low), "slope_high": changed(series.slope_high)},
        bend=bend if series.acceleration else "",
        projected=told(series.projected),
        projected_range=f"{told(series.projected_low)} – {told(series.projected_high)}" if series.horizon_days else "",
        horizon=_("in %(days)s days") % {"days": series.horizon_days} if series.horizon_days else "",
        instability=plain(series.instability, 2),
    )


FILTERS: dict[str, Callable[..., object]] = {
    "escalation": escalation_sentence,
    "dispute_costs": dispute_costs,
    "dispute_outlook_name": dispute_outlook_name,
    "quantity_name": quantity_name,
}
"""Template filters by name."""
