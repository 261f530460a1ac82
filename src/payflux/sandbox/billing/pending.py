"""Invoice items: what changes in the middle of a period give back and ask for, kept until the next invoice."""

from __future__ import annotations

from collections.abc import Sequence

import stripe

from payflux.sandbox.schema.objects import complete
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work, new_id

_COPIED = ("amount", "currency", "description", "discountable", "period", "pricing", "quantity", "quantity_decimal")


def hold(work: Work, subscription: Json, lines: Sequence[Json]) -> list[Json]:
    """Keep proration `lines` as invoice items."""
    return [
        work.create(
            complete(
                stripe.InvoiceItem,
                {name: line[name] for name in _COPIED}
                | {
                    "id": new_id("ii"),
                    "customer": subscription["customer"],
                    "date": work.now,
                    "discounts": [],
                    "livemode": False,
                    "metadata": {},
                    "parent": {
                        "subscription_details": {
                            "subscription": subscription["id"],
                            "subscription_item": line["parent"]["subscription_item_details"]["subscription_item"],
                        },
                        "type": "subscription_details",
                    },
                    "proration": True,
                    "tax_rates": [],
                },
            ),
            "invoiceitem.created",
        )
        for line in lines
    ]


def pending_items(work: Work, subscription: Json) -> list[Json]:
    """The invoice items that wait for an invoice, the oldest first."""
    where = {"parent.subscription_details.subscription": subscription["id"]}
    return [item for item in work.find("invoiceitem", where, oldest_first=True) if item["invoice"] is None]


def pending_lines(work: Work, subscription: Json) -> list[Json]:
    """The lines that the waiting invoice items make."""
    return [_line_of(item) for item in pending_items(work, subscription)]


def take_pending(work: Work, subscription: Json, invoice: Json) -> None:
    """Put the waiting invoice items on an invoice that has their lines."""
    for item in pending_items(work, subscription):
        work.change(item, {"invoice": invoice["id"]})


def _line_of(item: Json) -> Json:
    details = item["parent"]["subscription_details"]
    return complete(
        stripe.InvoiceLineItem,
        {name: item[name] for name in _COPIED}
        | {
            "id": new_id("il"),
            "discount_amounts": [],
            "livemode": False,
            "parent": {
                "subscription_item_details": {
                    "invoice_item": item["id"],
                    "proration": True,
                    "proration_details": {"credited_items": None},
                    **details,
                },
                "type": "subscription_item_details",
            },
            "pretax_credit_amounts": [],
            "subscription": details["subscription"],
            "subtotal": item["amount"],
            "taxes": [],
        },
    )
