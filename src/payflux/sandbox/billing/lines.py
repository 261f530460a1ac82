"""The lines of invoices: what a period of an item costs, what a change in the middle of one gives back and asks for."""

from __future__ import annotations

from collections.abc import Sequence

import stripe

from payflux.sandbox.billing.items import amount_of
from payflux.sandbox.billing.rules import prorated
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.store import Json
from payflux.sandbox.wording import day, money
from payflux.sandbox.work import Work, new_id


def price_text(price: Json) -> str:
    """Such as `$499.00 / month` or `$99.00 every 3 months`."""
    recurring, each = price["recurring"], money(price["unit_amount"] or 0, price["currency"])
    count, interval = recurring["interval_count"], recurring["interval"]
    return f"{each} / {interval}" if count == 1 else f"{each} every {count} {interval}s"


def product_name(work: Work, price: Json) -> str:
    product = work.get("product", price["product"])
    return product["name"] if product else price["nickname"] or price["id"]


def period_lines(
    work: Work, items: Sequence[Json], period: tuple[int, int], whole: tuple[int, int] | None = None
) -> list[Json]:
    """What `items` cost for `period`; the part of it where the `whole` period of the cycle is longer."""
    return [
        _line(
            work,
            item,
            prorated(amount_of(item), whole or period, *period),
            period,
            f"{item['quantity']} × {product_name(work, item['price'])} (at {price_text(item['price'])})",
        )
        for item in items
    ]


def trial_lines(work: Work, items: Sequence[Json], period: tuple[int, int]) -> list[Json]:
    return [_line(work, item, 0, period, f"Trial period for {product_name(work, item['price'])}") for item in items]


def proration_lines(
    work: Work, before: Sequence[Json], after: Sequence[Json], period: tuple[int, int], at: int
) -> list[Json]:
    """What a change of items at `at`, in the middle of `period`, gives back for the unused time of what was `before`
    and asks for the remaining time of what is `after`. Items that stay as they are make no line."""
    rest = at, period[1]
    kept = {_terms(item) for item in before} & {_terms(item) for item in after}
    lines = []
    for sign, word, items in ((-1, "Unused", before), (1, "Remaining", after)):
        for item in items:
            if _terms(item) in kept:
                continue
            amount = sign * prorated(amount_of(item), period, *rest)
            many = f"{item['quantity']} × " if item["quantity"] != 1 else ""
            text = f"{word} time on {many}{product_name(work, item['price'])} after {day(at)}"
            lines.append(_line(work, item, amount, rest, text, proration=True))
    return lines


def _terms(item: Json) -> tuple[str, str, int]:
    return item["id"], item["price"]["id"], item["quantity"]


def _line(
    work: Work, item: Json, amount: int, period: tuple[int, int], description: str, *, proration: bool = False
) -> Json:
    price = item["price"]
    return complete(
        stripe.InvoiceLineItem,
        {
            "id": new_id("il"),
            "amount": amount,
            "currency": price["currency"],
            "description": description,
            "discount_amounts": [],
            "discountable": not proration,
            "livemode": False,
            "parent": {
                "subscription_item_details": {
                    "proration": proration,
                    "proration_details": {"credited_items": None} if proration else None,
                    "subscription": item["subscription"],
                    "subscription_item": item["id"],
                },
                "type": "subscription_item_details",
            },
            "period": {"start": period[0], "end": period[1]},
            "pretax_credit_amounts": [],
            "pricing": {
                "price_details": {"price": price["id"], "product": price["product"]},
                "type": "price_details",
                "unit_amount_decimal": price["unit_amount_decimal"],
            },
            "quantity": item["quantity"],
            "quantity_decimal": str(item["quantity"]),
            "subscription": item["subscription"],
            "subtotal": amount,
            "taxes": [],
        },
    )
