"""What calls have changed in the objects of the books: such as a charge of last week that was refunded by hand.

The books are made of numbers that nobody writes; a changed object keeps its place there and shows the changed fields
from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payflux.sandbox.errors import StripeError
from payflux.sandbox.objects.ids import read_key
from payflux.sandbox.objects.view import AMENDMENT, View
from payflux.sandbox.store import Store


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


def amended_charges(store: Store, account_id: str) -> frozenset[int]:
    """The keys of the payments that calls have changed: the books leave them alone from then on."""
    found = (read_key("charges", account_id, document["of"]) for document in store.find(account_id, AMENDMENT))
    return frozenset(key for key in found if key is not None)


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
