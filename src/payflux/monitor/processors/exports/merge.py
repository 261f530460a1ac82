"""Many files tell of the same charge, refund or dispute: each becomes one event, told by the file that knows best.

Facts are keyed by kind and the processor's id. Within a key the layout with the most authority gives amount, time and
rate of exchange, the others fill what it leaves empty, and the later of two states wins. Refunds and disputes that
are only summed up in their charge's row then give way to the real objects about the same charge.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.events import PaymentEvent
from payflux.monitor.processors.exports.layouts.layout import CHARGE_FACTS, SUMMARY, Ending, summary_id

Key = tuple[Kind, str]

PLAIN_AUTHORITY = 4
"""Events of the plain format are complete: nothing is filled in from others."""

# States in the order an object can pass through them; of two reports the later state is the truth.
_COURSE = (
    *(Status.PENDING, Status.INQUIRY, Status.OPEN, Status.ACTIONABLE, Status.SUCCEEDED, Status.SETTLED),
    *(Status.LOST, Status.WON, Status.PREVENTED, Status.CANCELED, Status.FAILED),
)
LATENESS = {status: position for position, status in enumerate(_COURSE)}
"""How far along its life an object of a status is."""

_DEFAULTS = {
    field.name: field.default
    for field in msgspec.structs.fields(PaymentEvent)
    if field.default is not msgspec.NODEFAULT
}


class Facts:
    """The events found so far, one a key."""

    def __init__(self) -> None:
        self._events: dict[Key, tuple[int, PaymentEvent]] = {}
        self.merged = 0

    def add(self, event: PaymentEvent, authority: int) -> None:
        """Take in one event as a layout of this authority tells it."""
        key = (event.kind, event.source_id)
        known = self._events.get(key)
        if known is None:
            self._events[key] = (authority, event)
            return
        self.merged += 1
        self._events[key] = (max(authority, known[0]), _one(known, (authority, event)))

    def end(self, ending: Ending) -> bool:
        """Give the event that `ending` is about its later status; False when no file tells of that event."""
        keys = [(ending.kind, ending.source_id)]
        if ending.kind == Kind.DISPUTE:
            keys.append((Kind.DISPUTE, summary_id(Kind.DISPUTE, ending.charge_id)))
        for key in keys:
            if key in self._events:
                authority, event = self._events[key]
                self._events[key] = authority, _ended(event, ending.status)
                self.merged += 1
                return True
        return False

    def events(self) -> list[PaymentEvent]:
        """The events, summaries resolved and facts about their charges filled in, in order of time."""
        real: dict[tuple[Kind, str], list[PaymentEvent]] = defaultdict(list)
        for _, event in self._events.values():
            if event.kind in (Kind.REFUND, Kind.DISPUTE) and event.charge_id and not event.source_id.endswith(SUMMARY):
                real[event.kind, event.charge_id].append(event)
        found = []
        for authority, event in self._events.values():
            if event.source_id.endswith(SUMMARY):
                rest = _unexplained(event, real.get((event.kind, event.charge_id), ()))
                self.merged += rest is not event
                if rest is None:
                    continue
                event = rest
            found.append(event if authority >= PLAIN_AUTHORITY else self._completed(event))
        return sorted(found, key=lambda event: (event.occurred_at, event.kind, event.source_id))

    def _completed(self, event: PaymentEvent) -> PaymentEvent:
        if event.kind not in (Kind.REFUND, Kind.DISPUTE):
            return event
        known = self._events.get((Kind.CHARGE, event.charge_id))
        summary = self._events.get((event.kind, summary_id(event.kind, event.charge_id)))
        if summary and event.kind == Kind.DISPUTE and summary[1] is not event:
            event = _told_by(event, summary[1])
        if known is None:
            return event
        charge = known[1]
        event = _filled(event, charge, CHARGE_FACTS)
        if event.settled_currency != charge.settled_currency and event.currency == charge.currency and charge.amount:
            settled = (2 * event.amount * charge.settled_amount + charge.amount) // (2 * charge.amount)
            event = msgspec.structs.replace(event, settled_amount=settled, settled_currency=charge.settled_currency)
        return event


def _one(first: tuple[int, PaymentEvent], second: tuple[int, PaymentEvent]) -> PaymentEvent:
    """Two reports of one object as one."""
    (authority, better), (other_authority, other) = (first, second) if first[0] >= second[0] else (second, first)
    earlier = min(better.occurred_at, other.occurred_at) if authority == other_authority else better.occurred_at
    return msgspec.structs.replace(_told_by(better, other), occurred_at=earlier)


def _told_by(event: PaymentEvent, other: PaymentEvent) -> PaymentEvent:
    """`event`, its gaps filled from `other` and its status the later of the two."""
    return _filled(_ended(event, other.status), other, _DEFAULTS)


def _ended(event: PaymentEvent, status: Status) -> PaymentEvent:
    """`event` with the later of its status and `status`."""
    return msgspec.structs.replace(event, status=max(event.status, status, key=LATENESS.__getitem__))


def _filled(event: PaymentEvent, other: PaymentEvent, names: Iterable[str]) -> PaymentEvent:
    gaps = {
        name: getattr(other, name) for name in names if getattr(event, name) == _DEFAULTS[name] != getattr(other, name)
    }
    return msgspec.structs.replace(event, **gaps) if gaps else event


def _unexplained(summary: PaymentEvent, real: Iterable[PaymentEvent]) -> PaymentEvent | None:
    """What of a summed-up refund or dispute the `real` objects about its charge leave over; None when nothing."""
    known = list(real)
    if not known:
        return summary
    if summary.kind == Kind.DISPUTE:
        return None
    told = [refund for refund in known if refund.status == Status.SUCCEEDED and refund.currency == summary.currency]
    rest = summary.amount - sum(refund.amount for refund in told)
    if rest <= 0 or len(told) < len(known):
        return None
    settled = max(summary.settled_amount - sum(refund.settled_amount for refund in told), 0)
    return msgspec.structs.replace(summary, amount=rest, settled_amount=settled)
