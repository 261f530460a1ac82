"""What is read from Stripe, as data: each resource's address, how it is paged, and how its objects become events."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar

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
        windows=8,
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
