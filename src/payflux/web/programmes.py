"""The card networks' programmes in words, from the registry that the scores use."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from payflux.monitor.risk.rules.programmes import REGISTRY, Condition, Programme, Step
from payflux.monitor.risk.rules.programmes.programme import BASIS_POINTS, Quantity
from payflux.monitor.risk.rules.programmes.regions import STRONG_AUTHENTICATION, Scope
from payflux.web.formatting import count, day, money_short, percent

QUANTITIES: dict[Quantity, str] = {
    "payments": "the month's payments",
    "previous_payments": "the payments of the month before",
    "net_payments": "the payments less refunded ones",
    "sales_amount": "sales",
    "secured_payments": "payments with 3-D Secure",
    "secured_amount": "sales with 3-D Secure",
    "authorisations": "authorisations",
    "disputes": "disputes",
    "net_disputes": "disputes less won ones",
    "fraud_disputes": "fraud disputes",
    "fraud_dispute_amount": "fraud disputes",
    "fraud_reports": "fraud reports",
    "fraud_report_amount": "fraud reports",
    "secured_fraud_amount": "fraud reports on payments with 3-D Secure",
    "vamp_events": "disputes and fraud reports",
    "vamp_amount": "disputes and fraud reports",
    "enumerated": "attempts that Visa takes for card testing",
}
SIDES = {">=": "at least", ">": "more than", "<=": "at most"}
REGIONS = {
    "AP": "Asia-Pacific",
    "CA": "Canada",
    "CEMEA": "Central and Eastern Europe outside the EU, Middle East, Africa",
    "EU": "Europe",
    "LAC": "Latin America and the Caribbean",
    "US": "United States",
}
MARKS = {"processor": "", "secondary": "reported, not confirmed", "unconfirmed": "unconfirmed, figures not seen"}


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
    return " and ".join(_condition(condition, currency) for condition in step.conditions)


def _row(phase: Programme) -> ProgrammeRow:
    marks = [MARKS[phase.confidence]]
    marks.append("about the processor, not you" if phase.subject == "acquirer" else "")
    marks.append("" if phase.visible else "only the network can count it")
    marks.append("" if phase.sets_tier else "never sets tier 5")
    return ProgrammeRow(
        name=phase.name,
        where=_where(phase.scope),
        counts=phase.counts,
        steps=tuple(
            (step.name, step_needs(step, phase.currency), _fines(step, phase.currency)) for step in phase.steps
        ),
        dates=_dates(phase),
        marks=tuple(mark for mark in marks if mark),
        note=phase.note,
        source=phase.source,
    )


def _step(step: Step, currency: str) -> tuple[str, str, str]:
    return step.name, step_needs(step, currency), _fines(step, currency)


def _dates(phase: Programme) -> str:
    replayed = min(other.valid_from for other in REGISTRY)
    begins = f"From before {replayed.year}" if phase.valid_from == replayed else f"From {day(phase.valid_from)}"
    return begins if phase.valid_to is None else f"{begins} until {day(phase.valid_to)}"


def _where(scope: Scope) -> str:
    if scope.regions:
        return ", ".join(REGIONS[region] for region in sorted(scope.regions))
    if scope.countries >= STRONG_AUTHENTICATION - scope.excluded:
        text = "countries with strong authentication by law (EEA, United Kingdom)"
    elif scope.countries:
        return ", ".join(sorted(scope.countries))
    elif scope.excluded >= STRONG_AUTHENTICATION:
        text = "all countries without strong authentication by law"
    else:
        text = "all countries"
    without = ", ".join(sorted(scope.excluded - STRONG_AUTHENTICATION if not scope.countries else scope.excluded))
    return f"{text}, without {without}" if without else text


def _condition(condition: Condition, currency: str) -> str:
    side, what = SIDES[condition.comparison], QUANTITIES[condition.quantity]
    if condition.of is not None:
        return f"{what} {side} {percent(condition.bound / BASIS_POINTS)} of {QUANTITIES[condition.of]}"
    if condition.quantity.endswith("_amount"):
        return f"{side} {money_short(condition.bound, currency)} of {what}"
    return f"{side} {count(condition.bound)} {what}"


def _fines(step: Step, currency: str) -> str:
    told = [f"{money_short(amount, currency)} from month {month}" for month, amount in step.fines]
    for fee in step.fees:
        beyond = f" above {count(fee.above)}" if fee.above else ""
        told.append(f"{money_short(fee.amount, currency)} for each event{beyond} from month {fee.from_month}")
    return "; ".join(told)
