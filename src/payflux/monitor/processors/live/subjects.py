"""What an event is about, and whether a connection may take it. Pure.

Types: docs.stripe.com/api/events/types. Not the type but the object it names decides what is read again, so that types
that Stripe adds later, and thin ones, work as they come.
"""

from __future__ import annotations

from enum import Enum

from payflux.monitor.processors.live.envelopes import Envelope
from payflux.monitor.processors.models import ConnectionStatus
from payflux.monitor.processors.resources import OBJECTS

EVENT_TYPES: tuple[str, ...] = (
    "account.application.deauthorized",
    "account.updated",
    "balance.available",
    "balance_settings.updated",
    "capability.updated",
    "charge.captured",
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "charge.expired",
    "charge.failed",
    "charge.pending",
    "charge.refunded",
    "charge.succeeded",
    "charge.updated",
    "payout.canceled",
    "payout.created",
    "payout.failed",
    "payout.paid",
    "payout.updated",
    "radar.early_fraud_warning.created",
    "radar.early_fraud_warning.updated",
    "refund.created",
    "refund.failed",
    "refund.updated",
    "reserve.hold.created",
    "reserve.hold.updated",
    "reserve.plan.created",
    "reserve.plan.disabled",
    "reserve.plan.expired",
    "reserve.plan.updated",
    "reserve.release.created",
    "review.closed",
    "review.opened",
)
"""The events that tell of something we store: what an endpoint subscribes to, and what polling asks for."""

_ACCOUNT_OBJECTS = frozenset({"account", "capability", "balance", "balance_settings", "reserve.plan"})
_DEAUTHORIZED = "account.application.deauthorized"


class Subject(Enum):
    OBJECT = "object"  # one object that is read again
    ACCOUNT = "account"  # the account's state and balance
    END = "end"  # the merchant took the access away
    NONE = "none"  # nothing that we store


def subject_of(envelope: Envelope) -> Subject:
    if envelope.type == _DEAUTHORIZED:
        return Subject.END
    if envelope.object_type in OBJECTS and envelope.object_id:
        return Subject.OBJECT
    return Subject.ACCOUNT if envelope.object_type in _ACCOUNT_OBJECTS else Subject.NONE


def objects_of(envelope: Envelope) -> list[tuple[str, str]]:
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
    return "unknown type" if subject_of(envelope) is Subject.NONE else ""
