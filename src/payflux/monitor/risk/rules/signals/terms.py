"""A programme's conditions, and what is reported to follow it, in words."""

from __future__ import annotations

from payflux.kit.messages import mark
from payflux.kit.phrases import Phrase, dated, figure, joined, say
from payflux.monitor.risk.rules.history import History
from payflux.monitor.risk.rules.programmes import Condition, Programme, Step, announced, in_force

_QUANTITIES = {
    "payments": mark("payments"),
    "previous_payments": mark("payments of the month before"),
    "net_payments": mark("payments less refunded ones"),
    "secured_payments": mark("payments with 3-D Secure"),
    "disputes": mark("disputes"),
    "net_disputes": mark("disputes less won ones"),
    "fraud_disputes": mark("fraud disputes"),
    "fraud_dispute_amount": mark("fraud disputes"),
    "vamp_events": mark("events"),
    "vamp_amount": mark("disputes and fraud reports"),
}
_AMOUNTS = ("fraud_dispute_amount", "vamp_amount")


def needs(step: Step, phase: Programme | None = None) -> str:
    """All that a month needs to reach `step`, and in how many months in a row `phase` asks for it."""
    *first, last = (_condition(condition) for condition in step.conditions)
    said: str = say("%(first)s and %(last)s", first=joined(", ", first), last=last) if first else last
    months = phase.months_to_enter if phase else 1
    return said if months == 1 else say("%(needs)s, in %(months)s months in a row", needs=said, months=months)


def reported_next(history: History, phase: Programme) -> str:
    """What is reported of the phase's network and sets no level, as no processor states it; else empty."""
    day, country = history.as_of.date(), history.account.country if history.account else ""
    others = (*in_force(day, country), *announced(day, country))
    found = [
        say(
            _REPORTED if other.confidence != "unconfirmed" else _ANNOUNCED,
            day=dated(other.valid_from),
            programme=other.name,
            counts=other.counts,
        )
        for other in others
        if other.network == phase.network and not other.steps
    ]
    return joined(" ", found)


_ANNOUNCED = mark("From %(day)s, announced, its figures not seen: %(programme)s, %(counts)s.")
_REPORTED = mark("From %(day)s, reported, not confirmed: %(programme)s, %(counts)s.")
_SIDES = {">=": mark("at least"), ">": mark("more than"), "<=": mark("at most")}


def _condition(condition: Condition) -> Phrase:
    side, what = _SIDES[condition.comparison], _QUANTITIES[condition.quantity]
    if condition.of is not None:
        return say(
            "%(what)s %(side)s %(share)s of %(of)s",
            what=what,
            side=side,
            share=figure(f"{condition.bound / 100:g} %"),
            of=_QUANTITIES[condition.of],
        )
    if condition.quantity in _AMOUNTS:
        amount = figure(f"{condition.bound // 100:,} USD")
        return say("%(side)s %(amount)s of %(what)s", side=side, amount=amount, what=what)
    return say("%(side)s %(number)s %(what)s", side=side, number=figure(f"{condition.bound:,}"), what=what)
