"""The card networks' programmes in words, from the registry that the scores use."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.monitor.risk.rules.programmes import REGISTRY, Condition, Programme, Step
from payflux.monitor.risk.rules.programmes.programme import BASIS_POINTS, Quantity
from payflux.monitor.risk.rules.programmes.regions import STRONG_AUTHENTICATION, Scope
from payflux.web.formatting import count, day, money_short, percent

QUANTITIES: dict[Quantity, str] = {
    "payments": mark("the month's payments"),
    "previous_payments": mark("the payments of the month before"),
    "net_payments": mark("the payments less refunded ones"),
    "sales_amount": mark("sales"),
    "secured_payments": mark("payments with 3-D Secure"),
    "secured_amount": mark("sales with 3-D Secure"),
    "authorisations": mark("authorisations"),
    "disputes": mark("disputes"),
    "net_disputes": mark("disputes less won ones"),
    "fraud_disputes": mark("fraud disputes"),
    "fraud_dispute_amount": mark("fraud disputes"),
    "fraud_reports": mark("fraud reports"),
    "fraud_report_amount": mark("fraud reports"),
    "secured_fraud_amount": mark("fraud reports on payments with 3-D Secure"),
    "vamp_events": mark("disputes and fraud reports"),
    "vamp_amount": mark("disputes and fraud reports"),
    "enumerated": mark("attempts that Visa takes for card testing"),
}
SIDES = {">=": mark("at least"), ">": mark("more than"), "<=": mark("at most")}
REGIONS = {
    "AP": mark("Asia-Pacific"),
    "CA": mark("Canada"),
    "CEMEA": mark("Central and Eastern Europe outside the EU, Middle East, Africa"),
    "EU": mark("Europe"),
    "LAC": mark("Latin America and the Caribbean"),
    "US": mark("United States"),
}
MARKS = {
    "processor": "",
    "secondary": mark("reported, not confirmed"),
    "unconfirmed": mark("unconfirmed, figures not seen"),
}


class ProgrammeRow(NamedTuple):
    """One phase of a programme. `steps` are (name, what it needs, its fines); `marks` say what it is not sure of, or
    whom it is about when not the merchant."""

    name: str
    where: str
    counts: str
    steps: tuple[tuple[str, str, str], ...]
    dates: str
    marks: tuple[str, ...]
    note: str
    source: str


def programme_rows(today: date) -> list[ProgrammeRow]:
    """The phases in force on `today`, then those that are announced, by the day they start."""
    lasting = [phase for phase in REGISTRY if phase.valid_to is None or phase.valid_to > today]
    return [_row(phase) for phase in sorted(lasting, key=lambda phase: max(phase.valid_from, today))]


def step_needs(step: Step, currency: str) -> str:
    """All that one month needs to reach `step`; amounts are in `currency`."""
    return _(" and ").join(_condition(condition, currency) for condition in step.conditions)


def _row(phase: Programme) -> ProgrammeRow:
    marks = [_(MARKS[phase.confidence])]
    marks.append(_("about the processor, not you") if phase.subject == "acquirer" else "")
    marks.append("" if phase.visible else _("only the network can count it"))
    marks.append("" if phase.sets_tier else _("never sets tier 5"))
    return ProgrammeRow(
        name=phase.name,
        where=_where(phase.scope),
        counts=_(phase.counts),
        steps=tuple(
            (_(step.name), step_needs(step, phase.currency), _fines(step, phase.currency)) for step in phase.steps
        ),
        dates=_dates(phase),
        marks=tuple(mark for mark in marks if mark),
        note=_(phase.note),
        source=phase.source,
    )


def _dates(phase: Programme) -> str:
    replayed = min(other.valid_from for other in REGISTRY)
    begins = (
        _("From before %(year)s") % {"year": replayed.year}
        if phase.valid_from == replayed
        else _("From %(valid_from)s") % {"valid_from": day(phase.valid_from)}
    )
    return (
        begins
        if phase.valid_to is None
        else _("%(begins)s until %(valid_to)s") % {"begins": begins, "valid_to": day(phase.valid_to)}
    )


def _where(scope: Scope) -> str:
    if scope.regions:
        return ", ".join(_(REGIONS[region]) for region in sorted(scope.regions))
    if scope.countries >= STRONG_AUTHENTICATION - scope.excluded:
        text = _("countries with strong authentication by law (EEA, United Kingdom)")
    elif scope.countries:
        return ", ".join(sorted(scope.countries))
    elif scope.excluded >= STRONG_AUTHENTICATION:
        text = _("all countries without strong authentication by law")
    else:
        text = _("all countries")
    without = ", ".join(sorted(scope.excluded - STRONG_AUTHENTICATION if not scope.countries else scope.excluded))
    return _("%(regions)s, without %(without)s") % {"regions": text, "without": without} if without else text


def _condition(condition: Condition, currency: str) -> str:
    side, what = _(SIDES[condition.comparison]), _(QUANTITIES[condition.quantity])
    if condition.of is not None:
        return _("%(what)s %(side)s %(basis_points)s of %(of)s") % {
            "what": what,
            "side": side,
            "basis_points": percent(condition.bound / BASIS_POINTS),
            "of": _(QUANTITIES[condition.of]),
        }
    if condition.quantity.endswith("_amount"):
        return _("%(side)s %(currency)s of %(what)s") % {
            "side": side,
            "currency": money_short(condition.bound, currency),
            "what": what,
        }
    return _("%(side)s %(number)s %(what)s") % {"side": side, "number": count(condition.bound), "what": what}


def _fines(step: Step, currency: str) -> str:
    told = [
        _("%(currency)s from month %(month)s") % {"currency": money_short(amount, currency), "month": month}
        for month, amount in step.fines
    ]
    for fee in step.fees:
        said = {
            "currency": money_short(fee.amount, currency),
            "above": count(fee.above),
            "from_month": fee.from_month,
        }
        told.append(
            (
                _("%(currency)s for each event above %(above)s from month %(from_month)s")
                if fee.above
                else _("%(currency)s for each event from month %(from_month)s")
            )
            % said
        )
    return "; ".join(told)
