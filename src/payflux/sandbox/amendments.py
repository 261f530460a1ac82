"""What calls have changed in the objects of the books: such as a charge of last week that was refunded by hand.

The books are made of numbers that nobody writes; a changed object keeps its place there and shows the changed fields
from then on. What goes on in the books is changed by orders, from the next midnight.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payflux.sandbox.errors import StripeError
from payflux.sandbox.merchants.orders import SCHEDULE, Order, Orders, Schedule
from payflux.sandbox.merchants.purchases import DAY
from payflux.sandbox.objects.ids import read_key
from payflux.sandbox.objects.view import AMENDMENT, View
from payflux.sandbox.store import Store

_ORDER = "_order"


def amend(view: View, store: Store, object_id: str, changes: Mapping[str, Any]) -> None:
    """Let an object of the books show `changes` from the moment of `view` on.

    Raises StripeError 400 for a payment that the books themselves refund, dispute or warn of, now or later: its story
    is told already.
    """
    _require_free(view, object_id)
    document = store.get(view.account_id, f"{AMENDMENT}/{object_id}") or {
        "id": f"{AMENDMENT}/{object_id}",
        "object": AMENDMENT,
        "created": view.now,
        "of": object_id,
        "changes": [],
    }
    document["changes"].append({"at": view.now, "values": dict(changes)})
    store.put(view.account_id, document)


def give_order(view: View, store: Store, what: str, value: Any) -> None:
    """Let the books follow an order of `merchants/orders.py` from the midnight on that comes next."""
    at = view.now - view.now % DAY + DAY
    name = f"{_ORDER}/{what}/{at}"
    value = [sorted(days) for days in value] if isinstance(value, Schedule) else value
    store.delete(view.account_id, name)
    store.put(
        view.account_id, {"id": name, "object": _ORDER, "created": view.now, "at": at, "what": what, "value": value}
    )


def orders_of(store: Store, account_id: str) -> Orders:
    """The orders that were given about an account, and what its books leave alone."""
    amended = [document["of"] for document in store.find(account_id, AMENDMENT)]
    given = [
        Order(document["at"], document["what"], _value(document["what"], document["value"]))
        for document in store.find(account_id, _ORDER, oldest_first=True)
    ]
    return Orders(tuple(given), _keys("reviews", account_id, amended), _keys("charges", account_id, amended))


def _value(what: str, value: Any) -> Any:
    return Schedule(*map(frozenset, value)) if what == SCHEDULE else value


def _keys(table: str, account_id: str, ids: list[str]) -> frozenset[int]:
    return frozenset(key for found in ids if (key := read_key(table, account_id, found)) is not None)


def _require_free(view: View, object_id: str) -> None:
    key = read_key("charges", view.account_id, object_id)
    row = None if key is None else view.merchant.charges.find(key)
    if row is not None and row in view.merchant.told:
        raise StripeError(
            400,
            f"The sandbox's own story of charge {object_id} has a refund, dispute, warning or review in it, now or "
            "later. Choose another charge, such as the newest one.",
            param="charge",
        )
