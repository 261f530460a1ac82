"""A what-if's answer as rows to show: before, after, by how much, and whether that is better."""

from __future__ import annotations

from typing import NamedTuple

from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.monitor.risk.rules.bands import BANDINGS
from payflux.monitor.whatif.answers import Answer, Measure
from payflux.monitor.whatif.changes import Changes
from payflux.web.formatting import difference, percent, quantity

HEADLINE = frozenset(["risk_tier", "stability_score", "trapped_30", "trapped_60", "trapped_90"])
"""Measures that are shown even when they stay as they are."""


class ComparisonRow(NamedTuple):
    """One measure in words. `direction` is better or worse for a risk, more or less for money, else empty."""

    label: str
    before: str
    after: str
    change: str
    direction: str


def comparison(answer: Answer) -> list[tuple[str, list[ComparisonRow]]]:
    """The measures of `answer` that differ to the reader, and the headline ones, under "Risk" and "Money"."""
    currency = answer.projection_before.currency
    rows = [
        (measure.unit == "money", _row(measure, currency)) for measure in answer.measures if _shown(measure, currency)
    ]
    return [
        (title, [row for is_money, row in rows if is_money == money])
        for title, money in ((_("Risk"), False), (_("Money"), True))
    ]


def changes_in_words(changes: Changes) -> list[str]:
    """Each change as a phrase: "RDR on 90 % of Visa disputes"."""
    phrases = []
    if changes.refund_warnings:
        phrases.append(_("open fraud warnings refunded"))
    if changes.rdr is not None:
        phrases.append(_("RDR on %(rdr)s of Visa disputes") % {"rdr": percent(changes.rdr)})
    if changes.three_d_secure is not None:
        phrases.append(
            _("3‑D Secure on %(three_d_secure)s of payments") % {"three_d_secure": percent(changes.three_d_secure)}
        )
    if changes.growth is not None:
        phrases.append(_("sales change by %(growth)s a month") % {"growth": percent(changes.growth)})
    if changes.reserve_rate is not None or changes.hold_days is not None:
        phrases.append(_reserve(changes))
    return phrases


def _reserve(changes: Changes) -> str:
    told = {"rate": percent(changes.reserve_rate or 0.0), "days": changes.hold_days}
    if changes.hold_days is None:
        return _("a reserve of %(rate)s of sales") % told
    if changes.reserve_rate is None:
        return _("a reserve for %(days)s days") % told
    return _("a reserve of %(rate)s of sales for %(days)s days") % told


def _shown(measure: Measure, currency: str) -> bool:
    before, after = (quantity(value, measure.unit, currency) for value in (measure.before, measure.after))
    return measure.key in HEADLINE or before != after


def _row(measure: Measure, currency: str) -> ComparisonRow:
    before, after = (quantity(value, measure.unit, currency) for value in (measure.before, measure.after))
    change = difference(measure.before, measure.after, measure.unit, currency) if before != after else _("no change")
    return ComparisonRow(_(measure.label), before, after, change, "" if before == after else _direction(measure))


def _direction(measure: Measure) -> str:
    if measure.before is None or measure.after is None:
        return ""
    rises = measure.after > measure.before
    if measure.unit == "money":
        return mark("more") if rises else mark("less")
    banding = BANDINGS.get(measure.key)
    if banding is None and measure.key not in HEADLINE:
        return ""
    higher_is_better = measure.key == "stability_score" or (banding is not None and banding.falling)
    return mark("better") if rises == higher_is_better else mark("worse")
