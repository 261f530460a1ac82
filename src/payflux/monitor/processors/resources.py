"""What is read from Stripe, as data: each resource's address, how it is paged, and how its objects become events."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar
from urllib.parse import quote

import msgspec

from payflux.monitor.processors import decode
from payflux.monitor.processors.events import PaymentEvent
from payflux.monitor.processors.normalise import (
    RESERVE_TYPES,
    charge_event,
    dispute_event,
    payout_event,
    refund_event,
    reserve_event,
    review_event,
    warning_event,
)

PAGE_SIZE = 100  # the most that Stripe gives
RESERVE_DAYS = 365
"""Holds outlive the window they are scored in, so reserve movements are read this far back."""


class Listed(Protocol):
    id: str
    created: int


class PageOfEvents(NamedTuple):
    """One page, normalised. `last_id` and `oldest`, unix seconds, are of its last object."""

    events: list[PaymentEvent]
    objects: int
    last_id: str
    oldest: int
    has_more: bool


class Resource(NamedTuple):
    """One list endpoint. Its history is cut into `windows` of equal time, each read on its own.

    `types` are the values of Stripe's `type` filter, each read apart; empty where nothing is filtered. `days` is how
    far back it is read at least. Without an `essential` resource there is nothing to score.
    """

    path: str
    label: str
    read: Callable[[bytes], PageOfEvents]
    expand: tuple[str, ...] = ()
    types: tuple[str, ...] = ("",)
    windows: int = 1
    days: int = 0
    essential: bool = False


Item = TypeVar("Item", bound=Listed)


def _pages_of(
    form: type[decode.Page[Item]], normalise: Callable[[Item], PaymentEvent | None]
) -> Callable[[bytes], PageOfEvents]:
    decoder = msgspec.json.Decoder(form)

    def read(body: bytes) -> PageOfEvents:
        page = decoder.decode(body)
        events = [event for item in page.data if (event := normalise(item)) is not None]
        if not page.data:
            return PageOfEvents(events, 0, "", 0, has_more=False)
        last = page.data[-1]
        return PageOfEvents(events, len(page.data), last.id, last.created, page.has_more)

    return read


RESOURCES: dict[str, Resource] = {
    "charges": Resource(
        path="/v1/charges",
        label="Charges",
        read=_pages_of(decode.Page[decode.Charge], charge_event),
        expand=("data.balance_transaction",),
        windows=10,
        essential=True,
    ),
    "refunds": Resource(
        path="/v1/refunds",
        label="Refunds",
        read=_pages_of(decode.Page[decode.Refund], refund_event),
        expand=("data.balance_transaction", "data.charge.balance_transaction"),
    ),
    "disputes": Resource(
        path="/v1/disputes",
        label="Disputes",
        read=_pages_of(decode.Page[decode.Dispute], dispute_event),
        expand=("data.charge.balance_transaction",),
    ),
    "early_fraud_warnings": Resource(
        path="/v1/radar/early_fraud_warnings",
        label="Early fraud warnings",
        read=_pages_of(decode.Page[decode.EarlyFraudWarning], warning_event),
        expand=("data.charge.balance_transaction",),
    ),
    "payouts": Resource(path="/v1/payouts", label="Payouts", read=_pages_of(decode.Page[decode.Payout], payout_event)),
    "balance_transactions": Resource(
        path="/v1/balance_transactions",
        label="Reserve movements",
        read=_pages_of(decode.Page[decode.BalanceTransaction], reserve_event),
        expand=("data.source",),
        types=RESERVE_TYPES,
        days=RESERVE_DAYS,
    ),
}
"""Every list that a pull reads, by its name in capabilities and progress, in the order progress is told."""

OPEN_REVIEWS = Resource(
    path="/v1/reviews",
    label="Reviews",
    read=_pages_of(decode.Page[decode.Review], review_event),
    expand=("data.charge.balance_transaction",),
)
"""Stripe lists only the reviews that are open now: there is no history to pull."""


class SingleObject(NamedTuple):
    """How one object, named by its id, is read as it stands now.

    `address` is that of its kind. With a `filter`, the object itself cannot be read by everyone; the list at `address`
    is read instead, whose filter of that name takes the id.
    """

    address: str
    read: Callable[[bytes], list[PaymentEvent]]
    expand: tuple[str, ...] = ()
    filter: str = ""

    def path(self, object_id: str) -> str:
        return self.address if self.filter else f"{self.address}/{quote(object_id, safe='')}"

    def query(self, object_id: str) -> dict[str, str | int | list[str]]:
        """The parameters to ask with."""
        query: dict[str, str | int | list[str]] = {"expand[]": list(self.expand)} if self.expand else {}
        return query | ({self.filter: object_id, "limit": PAGE_SIZE} if self.filter else {})


def _object_of(
    form: type[Item], normalise: Callable[[Item], PaymentEvent | None]
) -> Callable[[bytes], list[PaymentEvent]]:
    decoder = msgspec.json.Decoder(form)

    def read(body: bytes) -> list[PaymentEvent]:
        event = normalise(decoder.decode(body))
        return [] if event is None else [event]

    return read


def _reserve_movements(body: bytes) -> list[PaymentEvent]:
    return RESOURCES["balance_transactions"].read(body).events


_MOVEMENTS_OF = SingleObject("/v1/balance_transactions", _reserve_movements, ("data.source",), filter="source")

OBJECTS: dict[str, SingleObject] = {
    "charge": SingleObject("/v1/charges", _object_of(decode.Charge, charge_event), ("balance_transaction",)),
    "refund": SingleObject(
        "/v1/refunds",
        _object_of(decode.Refund, refund_event),
        ("balance_transaction", "charge.balance_transaction"),
    ),
    "dispute": SingleObject("/v1/disputes", _object_of(decode.Dispute, dispute_event), ("charge.balance_transaction",)),
    "radar.early_fraud_warning": SingleObject(
        "/v1/radar/early_fraud_warnings",
        _object_of(decode.EarlyFraudWarning, warning_event),
        ("charge.balance_transaction",),
    ),
    "payout": SingleObject("/v1/payouts", _object_of(decode.Payout, payout_event)),
    "review": SingleObject("/v1/reviews", _object_of(decode.Review, review_event), ("charge.balance_transaction",)),
    "balance_transaction": SingleObject(
        "/v1/balance_transactions", _object_of(decode.BalanceTransaction, reserve_event), ("source",)
    ),
    "reserve.hold": _MOVEMENTS_OF,
    "reserve.release": _MOVEMENTS_OF,
}
"""Every object that one event is made of, by the `object` that Stripe names it by: how to read it alone.

A reserve can be listed only in Stripe's preview, so a hold or a release is read as the balance transactions that it
made. A `reserve.plan` moves no money. Changes of the account come from its snapshots: `account_changes`.
"""
