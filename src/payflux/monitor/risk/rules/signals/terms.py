"""A programme's conditions, and what is reported to follow it, in words."""

from __future__ import annotations

from payflux.monitor.risk.rules.history import History
from payflux.monitor.risk.rules.programmes import Condition, Programme, Step, announced, in_force

_QUANTITIES = {
    "payments": "payments",
    "previous_payments": "payments of the month before",
    "net_payments": "payments less refunded ones",
    "secured_payments": "payments with 3-D Secure",
    "disputes": "disputes",
    "net_disputes": "disputes less won ones",
    "fraud_disputes": "fraud disputes",
    "fraud_dispute_amount": "fraud disputes",
    "vamp_events": "events",
    "vamp_amount": "disputes and fraud reports",
}
_AMOUNTS = ("fraud_dispute_amount", "vamp_amount")


def needs(step: Step, phase: Programme | None = None) -> str:
    """All that a month needs to reach `step`, and in how many months in a row `phase` asks for it."""
    *first, last = (_condition(condition) for condition in step.conditions)
    said = f"{', '.join(first)} and {last}" if first else last
    months = phase.months_to_enter if phase else 1
    return said if months == 1 else f"{said}, in {months} months in a row"


def reported_next(history: History, phase: Programme) -> str:
    """What is reported of the phase's network and sets no level, as no processor states it; else empty."""
    day, country = history.as_of.date(), history.account.country if history.account else ""
    others = (*in_force(day, country), *announced(day, country))
    found = [
        f"From {other.valid_from.isoformat()}, {_reported(other)}: {other.name}, {other.counts}."
        for other in others
        if other.network == phase.network and not other.steps
    ]
    return " ".join(found)


def _reported(phase: Programme) -> str:
    return "announced, its figures not seen" if phase.confidence == "unconfirmed" else "reported, not confirmed"


def _condition(condition: Condition) -> str:
    side = {">=": "at least", ">": "more than", "<=": "at most"}[condition.comparison]
    what = _QUANTITIES[condition.quantity]
    if condition.of is not None:
        return f"{what} {side} {condition.bound / 100:g} % of {_QUANTITIES[condition.of]}"
    amount = condition.quantity in _AMOUNTS
    return f"{side} {condition.bound // 100:,} USD of {what}" if amount else f"{side} {condition.bound:,} {what}"
