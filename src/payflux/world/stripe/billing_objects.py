"""Stripe's objects of billing, as far as we read them. Times are aware UTC, money is integer minor units."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

ENDED = frozenset({"canceled", "incomplete_expired"})
"""The statuses that no subscription leaves again."""


class Customer(msgspec.Struct, frozen=True):
    id: str
    livemode: bool = False
    deleted: bool = False


class Recurring(msgspec.Struct, frozen=True):
    interval: str


class Price(msgspec.Struct, frozen=True):
    id: str
    currency: str = "usd"
    unit_amount: int | None = None
    recurring: Recurring | None = None


class Item(msgspec.Struct, frozen=True):
    id: str
    price: Price
    quantity: int = 1
    current_period_start: int | None = None
    current_period_end: int | None = None


class Items(msgspec.Struct, frozen=True):
    data: list[Item]


class Invoice(msgspec.Struct, frozen=True):
    id: str
    status: str | None = None
    next_payment_attempt: int | None = None


class RemoteSubscription(msgspec.Struct, frozen=True):
    """A subscription at Stripe. Its period stands on its items since 2025-03-31.basil, on itself before."""

    id: str
    customer: str
    status: str
    items: Items
    created: int
    livemode: bool = False
    metadata: dict[str, str] = {}
    cancel_at_period_end: bool = False
    cancel_at: int | None = None
    ended_at: int | None = None
    trial_end: int | None = None
    current_period_start: int | None = None
    current_period_end: int | None = None
    latest_invoice: Invoice | str | None = None

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    @property
    def item(self) -> Item:
        """The one thing it is for; we sell nothing beside a plan's seats."""
        return self.items.data[0]

    @property
    def period(self) -> tuple[datetime | None, datetime | None]:
        """When the current period began and ends."""
        start = self.item.current_period_start or self.current_period_start
        return instant(start), instant(self.item.current_period_end or self.current_period_end)

    @property
    def next_payment_attempt(self) -> datetime | None:
        """When Stripe tries again to collect a payment that failed."""
        invoice = self.latest_invoice
        return instant(invoice.next_payment_attempt) if isinstance(invoice, Invoice) else None


class CheckoutSession(msgspec.Struct, frozen=True):
    id: str
    status: str
    expires_at: int
    url: str | None = None
    subscription: str | None = None


class PortalConfiguration(msgspec.Struct, frozen=True):
    id: str
    metadata: dict[str, str] = {}


class EventData(msgspec.Struct, frozen=True):
    object: dict[str, Any]


class RemoteEvent(msgspec.Struct, frozen=True):
    """A snapshot event. What its object says is a hint alone: how it stands now is read anew."""

    id: str
    type: str
    created: int
    livemode: bool
    data: EventData
    account: str | None = None
    api_version: str | None = None


def instant(seconds: int | None) -> datetime | None:
    """Unix seconds as an aware time."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
