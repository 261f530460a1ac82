"""The resources of the API that can be listed and retrieved, and how a list finds its page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import stripe
import stripe.reserve
from stripe import StripeObject, params
from typing_extensions import TypedDict

from payflux.sandbox.errors import no_such
from payflux.sandbox.merchants.tables import MOVEMENTS, Table
from payflux.sandbox.objects.accounts import render_account, render_customer
from payflux.sandbox.objects.charges import render_charge, render_intent
from payflux.sandbox.objects.claims import render_dispute, render_refund, render_warning
from payflux.sandbox.objects.events import render_event
from payflux.sandbox.objects.ids import read_customer, read_key
from payflux.sandbox.objects.movements import bank_account_id, render_movement, render_payout
from payflux.sandbox.objects.reserves import render_hold, render_plan, render_release
from payflux.sandbox.objects.reviews import render_review
from payflux.sandbox.objects.view import Json, View
from payflux.sandbox.query import Query
from payflux.sandbox.schema.objects import type_of

OBJECT_FILTERS = frozenset({"charge", "payment_intent", "customer", "payout", "source", "reserve_plan"})
NO_ROW = -2  # -1 says that there is none


class Resource(NamedTuple):
    path: str  # after /v1/
    of: type[StripeObject]
    table: str
    permission: str
    params: Any  # the typed dictionary of a list's parameters
    render: Callable[[View, Any, int], Json]

    @property
    def kind(self) -> str:
        """What the field `object` of its objects says."""
        return type_of(self.of)


class Created(TypedDict, total=False):
    gt: int
    gte: int
    lt: int
    lte: int


class PageParams(TypedDict, total=False):
    """The parameters that every list takes."""

    created: Created | int
    ending_before: str
    limit: int
    starting_after: str


class ReserveListParams(PageParams, total=False):
    """A list of holds or releases; the stable package declares none."""

    currency: str
    reserve_plan: str


RESOURCES = (
    Resource("charges", stripe.Charge, "charges", "rak_charge_read", params.ChargeListParams, render_charge),
    Resource(
        "payment_intents",
        stripe.PaymentIntent,
        "intents",
        "rak_payment_intent_read",
        params.PaymentIntentListParams,
        render_intent,
    ),
    Resource("refunds", stripe.Refund, "refunds", "rak_charge_read", params.RefundListParams, render_refund),
    Resource("disputes", stripe.Dispute, "disputes", "rak_dispute_read", params.DisputeListParams, render_dispute),
    Resource(
        "radar/early_fraud_warnings",
        stripe.radar.EarlyFraudWarning,
        "warnings",
        "rak_charge_read",
        params.radar.EarlyFraudWarningListParams,
        render_warning,
    ),
    Resource("payouts", stripe.Payout, "payouts", "rak_payout_read", params.PayoutListParams, render_payout),
    Resource(
        "balance_transactions",
        stripe.BalanceTransaction,
        "movements",
        "rak_balance_transaction_source_read",
        params.BalanceTransactionListParams,
        render_movement,
    ),
)
EVENTS = Resource("events", stripe.Event, "events", "rak_event_read", params.EventListParams, render_event)
REVIEWS = Resource("reviews", stripe.Review, "reviews", "rak_review_read", params.ReviewListParams, render_review)
RESERVES = (
    Resource("reserve/plans", stripe.reserve.Plan, "plans", "rak_reserve_read", PageParams, render_plan),
    Resource("reserve/holds", stripe.reserve.Hold, "holds", "rak_reserve_read", ReserveListParams, render_hold),
    Resource(
        "reserve/releases", stripe.reserve.Release, "releases", "rak_reserve_read", ReserveListParams, render_release
    ),
)
ALL = (*RESOURCES, EVENTS, REVIEWS, *RESERVES)
BY_TABLE = {resource.table: resource for resource in ALL}
BY_KIND = {resource.kind: resource for resource in ALL}


def find_in_books(view: View, object_id: str) -> Json | None:
    """The merchant's object with this id, if it exists by now."""
    for resource in BY_TABLE.values():
        key = read_key(resource.table, view.account_id, object_id)
        if key is None:
            continue
        table = view.merchant.table(resource.table)
        row = table.find(key)
        if row is not None and table.created[row] <= view.now:
            return view.amended(resource.render(view, table[row], row))
    if object_id == view.account_id:
        return view.amended(render_account(view))
    return render_customer(view, object_id) if read_customer(view.account_id, object_id) is not None else None


def find_row(view: View, table: str, object_id: str) -> int:
    """The row number of an object that exists by now, or -2, which no row refers to."""
    key = read_key(table, view.account_id, object_id)
    row = None if key is None else view.merchant.table(table).find(key)
    return NO_ROW if row is None or view.merchant.table(table).created[row] > view.now else row


class Found(NamedTuple):
    """Objects of the books in order of a list, and whether there are more beyond."""

    objects: list[Json]
    more: bool


def find_page(view: View, resource: Resource, query: Query, *, upward: bool = False) -> Found:
    """Up to `query.limit` objects of the books, the newest first; the oldest first for `upward`.

    The cursor, where there is one, is an object of the books. Raises a 404 StripeError for a filter by an object that
    does not exist.
    """
    for name in OBJECT_FILTERS & query.filters.keys():
        _require(view, name, query.filters[name])
    table = view.merchant.table(resource.table)
    rows = _matching(view, resource, table, query)
    if query.ending_before is not None:
        cursor = find_row(view, resource.table, query.ending_before)
        rows = rows[int(np.searchsorted(rows, cursor, side="right")) :]
    elif query.starting_after is not None:
        cursor = find_row(view, resource.table, query.starting_after)
        rows = rows[: int(np.searchsorted(rows, cursor, side="left"))]
    page = rows[: query.limit] if upward else rows[-query.limit :][::-1]
    found = zip(table.rows(page), page.tolist(), strict=True)
    return Found([view.amended(resource.render(view, row, index)) for row, index in found], len(rows) > query.limit)


def _require(view: View, kind: str, object_id: str) -> None:
    made = view.store is not None and view.store.get(view.account_id, object_id) is not None
    if not made and find_in_books(view, object_id) is None:
        raise no_such(kind, object_id, kind)


def _matching(view: View, resource: Resource, table: Table[Any], query: Query) -> np.ndarray:
    """The row numbers, ascending, of what the filters leave and exists by now."""
    low, high = query.created
    first = int(np.searchsorted(table.created, low, side="left"))
    last = int(np.searchsorted(table.created, min(high, view.now), side="right"))
    rows = np.arange(first, max(first, last))
    if resource.table == "payouts":
        arrival = table.data["arrival"][rows]
        rows = rows[(arrival >= query.arrival_date[0]) & (arrival <= query.arrival_date[1])]
    for name, value in query.filters.items():
        rows = rows[_mask(view, resource, table, rows, name, value)]
    return rows


def _mask(view: View, resource: Resource, table: Table[Any], rows: np.ndarray, name: str, value: Any) -> np.ndarray:
    data = table.data[rows]
    if name == "charge":
        return data["charge"] == find_row(view, "charges", value)
    if name == "payment_intent":
        intent = find_row(view, "intents", value)
        own = data["intent"] if resource.table == "charges" else view.merchant.charges.data["intent"][data["charge"]]
        return own == intent
    if name == "customer":
        number = read_customer(view.account_id, value)
        return data["customer"] == (NO_ROW if number is None else number)
    if name == "payout":
        return data["payout"] == find_row(view, "payouts", value)
    if name == "source":
        return _of_source(view, data, value)
    if name == "status":
        arrived = data["arrival"] <= view.now
        matching = {"paid": arrived, "in_transit": ~arrived}.get(value, np.zeros(len(rows), bool)).copy()
        for changed, status in view.changed("status").items():
            matching[rows == find_row(view, resource.table, changed)] = status == value
        return matching
    if name == "open":
        matching = (data["closed_at"] > view.now) == value
        for changed in view.changed("open"):
            matching[rows == find_row(view, resource.table, changed)] = value is False
        return matching
    same = {
        "type": lambda: np.isin(data["kind"], [n for n, kind in enumerate(MOVEMENTS) if kind.type == value]),
        "currency": lambda: np.full(len(rows), value == view.currency),
        "reserve_plan": lambda: np.full(len(rows), value == view.id("plans", 0)),
        "destination": lambda: np.full(len(rows), value == bank_account_id(view.account_id)),
    }
    return same.get(name, lambda: np.zeros(len(rows), bool))()


def _of_source(view: View, data: np.ndarray, source_id: str) -> np.ndarray:
    for table in ("charges", "refunds", "disputes", "payouts"):
        if read_key(table, view.account_id, source_id) is not None:
            kinds = [n for n, kind in enumerate(MOVEMENTS) if kind.source == table]
            return np.isin(data["kind"], kinds) & (data["source"] == find_row(view, table, source_id))
    return np.zeros(len(data), bool)
