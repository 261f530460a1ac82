"""How far a month is from each step of a programme, in events."""

from __future__ import annotations

from typing import NamedTuple

from payflux.monitor.risk.rules.programmes.programme import Condition, Month, Programme, Quantity, Step

_COUNTED_BY_EVENT: frozenset[Quantity] = frozenset(
    ["disputes", "net_disputes", "fraud_disputes", "fraud_reports", "vamp_events", "enumerated"]
)
_COUNTED_BY_AMOUNT: frozenset[Quantity] = frozenset(
    ["vamp_amount", "fraud_report_amount", "fraud_dispute_amount", "secured_fraud_amount"]
)


class Distance(NamedTuple):
    """How many further events of the month would meet all conditions of `step`; 0: it is reached.

    `now` divides by the payments so far, `month_end` by those expected until the month is over; both are the same
    where the month before is the divisor. None: it cannot be said, or no number of events would do, as `blocked`
    names the figures in the way. `binding` is the condition that would be met last at the month's end.
    """

    step: Step
    now: int | None
    month_end: int | None
    binding: Condition | None
    blocked: tuple[Quantity, ...]


def events_to_steps(
    phase: Programme,
    month: Month,
    previous: Month | None = None,
    *,
    expected_payments: int | None = None,
    ticket: int | None = None,
) -> tuple[Distance, ...]:
    """The distance to each step of `phase`, mild to severe.

    `month` is the running month so far, `previous` the one before. `expected_payments` are those of the whole month,
    by default what was seen; sales, authorisations and credits are taken to grow with them. `ticket` is the amount of
    one further event, minor units, needed where amounts are bounded. An event is one that counts for the programme.
    """
    ended = _grown(month, expected_payments)
    found = []
    for step in phase.steps:
        now = [_further(condition, month, previous, ticket) for condition in step.conditions]
        later = [_further(condition, ended, previous, ticket) for condition in step.conditions]
        pairs = list(zip(step.conditions, later, strict=True))
        blocked = tuple(dict.fromkeys(condition.quantity for condition, events in pairs if events is None))
        worst = max(((events, condition) for condition, events in pairs if events), default=None, key=lambda p: p[0])
        found.append(Distance(step, _all(now), _all(later), worst[1] if worst else None, blocked))
    return tuple(found)


def _all(events: list[int | None]) -> int | None:
    known = [number for number in events if number is not None]
    return max(known, default=0) if len(known) == len(events) else None


def _further(condition: Condition, month: Month, previous: Month | None, ticket: int | None) -> int | None:
    """Further events until this condition holds; None when they cannot bring it about or a figure is not known."""
    held = condition.holds(month, previous)
    if held is None:
        return None
    if held:
        return 0
    each = 1 if condition.quantity in _COUNTED_BY_EVENT else ticket if condition.quantity in _COUNTED_BY_AMOUNT else 0
    value, needed = month.get(condition.quantity, previous), condition.needed(month, previous)
    return -(-(needed - value) // each) if each and needed is not None and value is not None else None


def _grown(month: Month, expected_payments: int | None) -> Month:
    """`month` with the payments expected at its end, and the figures that grow with them."""
    if expected_payments is None or expected_payments <= month.payments or not month.payments:
        return month._replace(payments=max(month.payments, expected_payments or 0))

    def grown(figure: int | None) -> int | None:
        return None if figure is None else figure * expected_payments // month.payments

    return month._replace(
        payments=expected_payments,
        credits=month.credits * expected_payments // month.payments,
        sales_amount=grown(month.sales_amount),
        secured_payments=grown(month.secured_payments),
        secured_amount=grown(month.secured_amount),
        authorisations=grown(month.authorisations),
    )
