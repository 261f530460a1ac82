"""The form in which payment events are posted to us, version 1. Pure.

One event tells how one object (a charge, a refund, …) stands, absolutely: never a difference to what was said before.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple, get_type_hints

import msgspec
from msgspec import UNSET, Meta, UnsetType

from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.exports.amounts import LARGEST

VERSION = 1
MOST_EVENTS = 1000
"""Events that one delivery may hold."""

LONGEST_ID, LONGEST_CODE = 255, 64

SCHEMA_PATH = f"/schemas/payment-events.v{VERSION}.json"

Time = Annotated[datetime, Meta(tz=True)]
# a plain $ would let a line break through
_ID = r"^[A-Za-z0-9_.:/#+=~|-]+$(?!\n)"
_CODE = r"^[a-z0-9_.-]+$(?!\n)"
_LETTERS = r"^[A-Za-z]+$(?!\n)"


def is_id(text: str) -> bool:
    """Whether `text` may be the id of an object."""
    return len(text) <= LONGEST_ID and re.match(_ID, text) is not None


def is_code(text: str) -> bool:
    """Whether `text` may be a reason."""
    return len(text) <= LONGEST_CODE and re.match(_CODE, text) is not None


class EventType(NamedTuple):
    """What a `type` says: the kind of object, and the statuses it may have; without a `status` the first one, unless
    it must be given. What `follows` an earlier event needs the time of the change."""

    kind: Kind
    statuses: tuple[Status, ...]
    must_say: bool = False
    follows: bool = False


TYPES: dict[str, EventType] = {
    "charge.succeeded": EventType(Kind.CHARGE, (Status.SUCCEEDED,)),
    "charge.failed": EventType(Kind.CHARGE, (Status.FAILED,)),
    "charge.pending": EventType(Kind.CHARGE, (Status.PENDING,)),
    "charge.canceled": EventType(Kind.CHARGE, (Status.CANCELED,)),
    "refund.created": EventType(Kind.REFUND, (Status.SUCCEEDED, Status.PENDING)),
    "refund.updated": EventType(
        Kind.REFUND, (Status.PENDING, Status.SUCCEEDED, Status.FAILED, Status.CANCELED), must_say=True, follows=True
    ),
    "refund.failed": EventType(Kind.REFUND, (Status.FAILED,)),
    "dispute.opened": EventType(Kind.DISPUTE, (Status.OPEN, Status.INQUIRY)),
    "dispute.updated": EventType(Kind.DISPUTE, (Status.OPEN, Status.INQUIRY), must_say=True, follows=True),
    "dispute.closed": EventType(
        Kind.DISPUTE, (Status.WON, Status.LOST, Status.PREVENTED, Status.INQUIRY), must_say=True, follows=True
    ),
    "fraud_warning.created": EventType(Kind.EARLY_FRAUD_WARNING, (Status.ACTIONABLE,)),
    "fraud_warning.closed": EventType(Kind.EARLY_FRAUD_WARNING, (Status.SETTLED,), follows=True),
    "payout.created": EventType(Kind.PAYOUT, (Status.PENDING,)),
    "payout.paid": EventType(Kind.PAYOUT, (Status.SUCCEEDED,)),
    "payout.failed": EventType(Kind.PAYOUT, (Status.FAILED,)),
    "payout.canceled": EventType(Kind.PAYOUT, (Status.CANCELED,)),
    "reserve.held": EventType(Kind.RESERVE_HOLD, (Status.SUCCEEDED,)),
    "reserve.released": EventType(Kind.RESERVE_RELEASE, (Status.SUCCEEDED,)),
    "review.opened": EventType(Kind.REVIEW, (Status.OPEN,)),
    "review.closed": EventType(Kind.REVIEW, (Status.SETTLED,), follows=True),
}
"""The types of events by name; what each tells."""

Id = Annotated[str, Meta(min_length=1, max_length=LONGEST_ID, pattern=_ID)]
Amount = Annotated[int, Meta(ge=0, le=LARGEST)]
Currency = Annotated[str, Meta(min_length=3, max_length=3, pattern=_LETTERS)]


class PostedEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one object at your processor stands. The later `updated` of two events about one object counts, in whatever
    order they arrive."""

    type: Annotated[str, Meta(description="what happened, such as charge.succeeded or dispute.opened")]
    id: Annotated[
        Id,
        Meta(description="your processor's id of the charge, refund, dispute, …: letters, digits and _.:/#+=~|-"),
    ]
    created: Annotated[
        Time, Meta(description="when the object was made, with its time zone, such as 2026-11-20T13:45:00Z")
    ]
    amount: Annotated[
        Amount, Meta(description="a whole number of minor units, such as 1999 for 19.99 USD, never negative")
    ]
    currency: Annotated[Currency, Meta(description="the ISO 4217 code of `amount`, such as usd")]
    version: Annotated[Literal[1], Meta(description="1, the version of this form")] = 1
    updated: Annotated[
        Time | UnsetType, Meta(description="when it came to stand as this event says; not before `created`")
    ] = UNSET
    status: Annotated[
        Literal[
            "pending", "succeeded", "failed", "canceled", "open", "won", "lost", "prevented", "inquiry",
            "actionable", "settled",
        ]
        | UnsetType,
        Meta(description="how the object stands, where the type leaves it open"),
    ] = UNSET  # fmt: skip
    settled_amount: Annotated[
        Amount | UnsetType, Meta(description="`amount` in the currency that you are paid out in, in its minor units")
    ] = UNSET
    settled_currency: Annotated[
        Currency | UnsetType, Meta(description="the ISO 4217 code of `settled_amount`; goes with it")
    ] = UNSET
    charge_id: Annotated[
        Id | UnsetType, Meta(description="the id of the charge that the object is about; not for a charge itself")
    ] = UNSET
    charge_created: Annotated[Time | UnsetType, Meta(description="when that charge was made")] = UNSET
    network: Annotated[
        Literal["visa", "mastercard", "amex", "discover", "diners", "jcb", "unionpay", "other"] | UnsetType,
        Meta(description="the card network: visa, mastercard, amex, discover, diners, jcb, unionpay or other"),
    ] = UNSET
    method: Annotated[
        Literal["card", "card_present", "other"] | UnsetType,
        Meta(description="how it was paid: card (not present), card_present or other"),
    ] = UNSET
    outcome: Annotated[
        Literal["authorized", "issuer_declined", "blocked", "invalid", "manual_review"] | UnsetType,
        Meta(description="who decided a charge: authorized, issuer_declined, blocked, invalid or manual_review"),
    ] = UNSET
    risk_level: Annotated[
        Literal["normal", "elevated", "highest"] | UnsetType,
        Meta(description="your processor's fraud rating of the charge: normal, elevated or highest"),
    ] = UNSET
    three_d_secure: Annotated[bool | UnsetType, Meta(description="whether 3-D Secure was used: true or false")] = UNSET
    country: Annotated[
        Annotated[str, Meta(min_length=2, max_length=2, pattern=_LETTERS)] | UnsetType,
        Meta(description="the card's country, ISO 3166 alpha-2, such as US"),
    ] = UNSET
    reason: Annotated[
        Annotated[str, Meta(max_length=LONGEST_CODE, pattern=_CODE)] | UnsetType,
        Meta(description="a code such as fraudulent or insufficient_funds: lower-case letters, digits and _.-"),
    ] = UNSET
    card: Annotated[
        Id | UnsetType, Meta(description="a fingerprint that is the same for the same card; never its number")
    ] = UNSET
    customer: Annotated[
        Id | UnsetType, Meta(description="your processor's id of the customer; never a name or an e-mail address")
    ] = UNSET
    ends_at: Annotated[
        Time | UnsetType,
        Meta(description="reserve: scheduled release; payout: arrival; dispute: when the answer is due"),
    ] = UNSET


class Ping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Proves that a delivery arrives and is signed right; changes nothing."""

    type: Literal["test"]
    version: Literal[1] = 1


MEANINGS: dict[str, str] = {
    name: hint.__metadata__[-1].description
    for name, hint in get_type_hints(PostedEvent, include_extras=True).items()
    if hint.__metadata__[-1].description
}
"""What each field of an event holds."""


def json_schema() -> dict[str, Any]:
    """What one delivery holds, as JSON Schema 2020-12."""
    (event, ping), forms = msgspec.json.schema_components([PostedEvent, Ping], ref_template="#/$defs/{name}")
    forms["PostedEvent"]["properties"]["type"]["enum"] = list(TYPES)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"PayFlux payment events, version {VERSION}",
        "anyOf": [event, {"type": "array", "items": event, "minItems": 1, "maxItems": MOST_EVENTS}, ping],
        "$defs": forms,
    }
