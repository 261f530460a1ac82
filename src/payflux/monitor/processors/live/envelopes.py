"""What an event says: which object of which account changed. Pure.

Of a payload only that is decoded and kept: the object itself is asked for again, so nothing of a payer, whose name and
address payloads carry, is stored.

Sources: docs.stripe.com/api/events, version 2026-10-28.endive; docs.stripe.com/api/v2/core/events (thin events).
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from payflux.monitor.processors.events import moment


class UnreadableEvent(Exception):
    """A signed body is no event of Stripe's; the message names the field."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """One event. `account` is empty for an event of the endpoint's own account, `object_id` where an object has none,
    such as a balance. `charge_id` is the charge that the object is about."""

    id: str
    type: str
    created: datetime
    livemode: bool
    account: str = ""
    object_type: str = ""
    object_id: str = ""
    object_created: int = 0
    charge_id: str = ""

    def kept(self) -> bytes:
        """The form that :func:`kept_envelope` reads again."""
        return msgspec.json.encode(self)


class _Reference(msgspec.Struct):
    id: str = ""


class _Object(msgspec.Struct):
    id: str = ""
    object: str = ""
    created: int = 0
    charge: str | _Reference | None = None


class _Data(msgspec.Struct):
    object: _Object


class _RelatedObject(msgspec.Struct):
    id: str
    type: str


class _Event(msgspec.Struct):
    id: str
    type: str
    created: int | str
    livemode: bool = False
    account: str | None = None
    context: str | None = None
    data: _Data | None = None
    related_object: _RelatedObject | None = None


_event = msgspec.json.Decoder(_Event)
_kept = msgspec.json.Decoder(Envelope)


def read_envelope(body: bytes) -> Envelope:
    """The envelope of an event, whether a snapshot (v1) or thin (v2). Raises UnreadableEvent."""
    try:
        event = _event.decode(body)
        created = _instant(event.created)
    except (msgspec.DecodeError, ValueError, OverflowError, OSError) as error:
        raise UnreadableEvent(f"This is no event of Stripe's: {error}") from None
    account = event.account or event.context or ""
    if not event.id or not f"{event.id}{event.type}{account}".isprintable():
        raise UnreadableEvent("This is no event of Stripe's: its id, type or account is no plain text.")
    if event.related_object is not None:
        related = event.related_object
        return Envelope(
            id=event.id,
            type=event.type,
            created=created,
            livemode=event.livemode,
            account=account,
            object_type=related.type,
            object_id=related.id,
        )
    changed = event.data.object if event.data else _Object()
    charge = changed.charge.id if isinstance(changed.charge, _Reference) else changed.charge
    return Envelope(
        id=event.id,
        type=event.type,
        created=created,
        livemode=event.livemode,
        account=account,
        object_type=changed.object,
        object_id=changed.id,
        object_created=changed.created,
        charge_id=charge or "",
    )


def kept_envelope(body: bytes) -> Envelope:
    return _kept.decode(body)


def _instant(created: int | str) -> datetime:
    if isinstance(created, int):
        return moment(created)
    instant = datetime.fromisoformat(created)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
