"""What an event is about, and whether a connection may take it. Pure.

Not an event's type but the object it names decides what is read again, so that types that Stripe adds later, and thin
events, work as they come.
"""

from __future__ import annotations

from enum import Enum

from payflux.kit.messages import mark
from payflux.monitor.processors.live.envelopes import Envelope
from payflux.monitor.processors.models import ConnectionStatus
from payflux.monitor.processors.resources import OBJECTS

_ACCOUNT_OBJECTS = frozenset({"account", "application", "balance", "balance_settings", "capability", "reserve.plan"})
"""Of these the account's state is read again; an application is named when the merchant takes the access away."""

ObjectKey = tuple[str, str]
"""An object's type, as Stripe's `object` names it, and its id."""


class Subject(Enum):
    OBJECT = "object"  # one object that is read again
    ACCOUNT = "account"  # the account's state and balance
    NONE = "none"  # nothing that we store


def subject_of(envelope: Envelope) -> Subject:
    if envelope.object_type in OBJECTS and envelope.object_id:
        return Subject.OBJECT
    return Subject.ACCOUNT if envelope.object_type in _ACCOUNT_OBJECTS else Subject.NONE


def objects_of(envelope: Envelope) -> list[ObjectKey]:
    """Type and id of each object to read again. A refund may let an authorization go, so its charge is one of them."""
    objects = [(envelope.object_type, envelope.object_id)]
    if envelope.object_type == "refund" and envelope.charge_id:
        objects.append(("charge", envelope.charge_id))
    return objects


def reason_to_ignore(envelope: Envelope, *, external_account_id: str, livemode: bool, status: str) -> str:
    """Why a connection with these facts must not apply an event that reached it; empty when it may."""
    if envelope.account and envelope.account != external_account_id:
        return "about another account"
    if envelope.livemode != livemode:
        return "a live event, but the connection is in test mode" if envelope.livemode else "a test event"
    if status == ConnectionStatus.DISCONNECTED:
        return "the connection was ended"
    return mark("unknown type") if subject_of(envelope) is Subject.NONE else ""
