"""The resources of the API that can be listed and retrieved, and how a list finds its page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from payflux.sandbox.errors import StripeError, no_such
from payflux.sandbox.merchants.tables import MOVEMENTS, Table
from payflux.sandbox.objects.charges import render_charge, render_intent
from payflux.sandbox.objects.claims import render_dispute, render_refund, render_warning
from payflux.sandbox.objects.ids import read_customer, read_key
from payflux.sandbox.objects.movements import bank_account_id, render_movement, render_payout
from payflux.sandbox.objects.view import Json, View
from payflux.sandbox.parameters import Query


class Resource(NamedTuple):
    path: str  # after /v1/
    noun: str  # as error messages name it
    table: str
    permission: str
    filters: frozenset[str]
    render: Callable[[View, Any, int], Json]


RESOURCES = tuple(
    Resource(path, noun, table, permission, frozenset(filters.split()), render)
    for path, noun, table, permission, filters, render in (
        (
            "charges",
            "charge",
            "charges",
            "rak_charge_read",
            "created customer payment_intent transfer_group",
            render_charge,
        ),
        (
            "payment_intents",
            "payment_intent",
            "intents",
            "rak_payment_intent_read",
            "created customer customer_account",
            render_intent,
        ),
        ("refunds", "refund", "refunds", "rak_charge_read", "charge created payment_intent", render_refund),
        ("disputes", "dispute", "disputes", "rak_dispute_read", "charge created payment_intent", render_dispute),
        (
            "radar/early_fraud_warnings",
            "early fraud warning",
            "warnings",
            "rak_charge_read",
            "charge created payment_intent",
            render_warning,
        ),
        ("payouts", "payout", "payouts", "rak_payout_read", "arrival_date created destination status", render_payout),
        (
            "balance_transactions",
            "balance transaction",
            "movements",
            "rak_balance_transaction_source_read",
            "created currency payout source type",
            render_movement,
        ),
    )
)
BY_TABLE = {resource.table: resource for resource in RESOURCES}


def find_row(view: View, table: str, object_id: str, param: str = "id") -> int:
    """The row number of an object that exists by now; raises a 404 StripeError."""
    key = read_key(table, view.account_id, object_id)
    row = None if key is None else view.merchant.tables[table].find(key)
    if row is None or view.merchant.tables[table].created[row] > view.now:
        raise no_such(BY_TABLE[table].noun, object_id, param)
    return row


def retrieve(view: View, resource: Resource, object_id: str, param: str = "id") -> Json:
    """One object; raises a 404 StripeError."""
    row = find_row(view, resource.table, object_id, param)
    return resource.render(view, view.merchant.tables[resource.table][row], row)


def list_page(view: View, resource: Resource, query: Query) -> Json:
    """One page, the newest object first."""
    table = view.merchant.tables[resource.table]
    rows = _matching(view, resource, table, query)
    if query.ending_before is not None:
        cursor = find_row(view, resource.table, query.ending_before, "ending_before")
        rest = rows[int(np.searchsorted(rows, cursor, side="right")) :]
        page = rest[: query.limit][::-1]
    else:
        rest = rows
        if query.starting_after is not None:
            cursor = find_row(view, resource.table, query.starting_after, "starting_after")
            rest = rows[: int(np.searchsorted(rows, cursor, side="left"))]
        page = rest[-query.limit :][::-1]
    found = zip(table.rows(page), page.tolist(), strict=True)
    return {
        "object": "list",
        "data": [resource.render(view, row, index) for row, index in found],
        "has_more": len(rest) > query.limit,
        "url": f"/v1/{resource.path}",
    }


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


def _mask(view: View, resource: Resource, table: Table[Any], rows: np.ndarray, name: str, value: str) -> np.ndarray:
    data = table.data[rows]
    if name == "charge":
        return data["charge"] == find_row(view, "charges", value, name)
    if name == "payment_intent":
        intent = find_row(view, "intents", value, name)
        own = data["intent"] if resource.table == "charges" else view.merchant.charges.data["intent"][data["charge"]]
        return own == intent
    if name == "customer":
        number = read_customer(view.account_id, value)
        if number is None:
            raise no_such("customer", value, name)
        return data["customer"] == number
    if name == "payout":
        return data["payout"] == find_row(view, "payouts", value, name)
    if name == "source":
        return _of_source(view, data, value)
    if name == "status":
        arrived = data["arrival"] <= view.now
        return {"paid": arrived, "in_transit": ~arrived}.get(value, np.zeros(len(rows), bool))
    same = {
        "type": lambda: np.isin(data["kind"], [n for n, kind in enumerate(MOVEMENTS) if kind.type == value]),
        "currency": lambda: np.full(len(rows), value == "usd"),
        "destination": lambda: np.full(len(rows), value == bank_account_id(view.account_id)),
    }
    return same.get(name, lambda: np.zeros(len(rows), bool))()


def _of_source(view: View, data: np.ndarray, source_id: str) -> np.ndarray:
    for table in ("charges", "refunds", "disputes", "payouts"):
        if read_key(table, view.account_id, source_id) is not None:
            kinds = [n for n, kind in enumerate(MOVEMENTS) if kind.source == table]
            return np.isin(data["kind"], kinds) & (data["source"] == find_row(view, table, source_id, "source"))
    raise StripeError(404, f"No such source: '{source_id}'", code="resource_missing", param="source")
