"""What a session sells: its line items, what a discount takes off them, and what is due today.

The order is kept beside its session, as a document of the sandbox's own: the API shows parts of it only.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

import stripe

from payflux.sandbox.billing.rules import Reduction, reductions
from payflux.sandbox.errors import StripeError
from payflux.sandbox.payments.catalogue import create_price
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.schema.writing import missing, not_carried_out, positive, require_one
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work, new_id

_TYPE = "_checkout_order"
MOST_ITEMS = 100


def new_order(session_id: str, now: int, lines: list[Json], *, trial_end: int | None, **data: Json) -> Json:
    """An order, not stored yet; `data` are the parameters for what the session makes in the end."""
    return {
        "id": f"{_TYPE}/{session_id}",
        "object": _TYPE,
        "created": now,
        "session": session_id,
        "lines": lines,
        "trial_end": trial_end,
        "coupon": None,
        "promotion_code": None,
        "customer": None,
        "payment_method": None,
        "intent": None,
        **data,
    }


def order_of(work: Work, session_id: str) -> Json:
    order = work.store.get(work.account_id, f"{_TYPE}/{session_id}")
    if order is None:
        raise KeyError(session_id)
    return order


def order_with_intent(work: Work, intent_id: str) -> Json | None:
    """The order that a payment or setup intent is for."""
    return next(iter(work.find(_TYPE, {"intent": intent_id})), None)


def make_lines(work: Work, items: Sequence[Json], mode: str) -> list[Json]:
    """Line items from the parameter `line_items`. Raises StripeError."""
    if not items:
        raise missing("line_items")
    if len(items) > MOST_ITEMS:
        raise StripeError(400, f"A session has at most {MOST_ITEMS} line items.", param="line_items")
    lines = [_line(work, item, mode, f"line_items[{n}]") for n, item in enumerate(items)]
    if len({line["currency"] for line in lines}) > 1:
        raise StripeError(400, "All line items must have the same currency.", param="line_items")
    rhythms = {(p["interval"], p["interval_count"]) for line in lines if (p := line["price"]["recurring"])}
    if len(rhythms) > 1:
        raise StripeError(
            400,
            "Checkout does not support multiple prices with different billing intervals.",
            param="line_items",
        )
    return lines


def _line(work: Work, item: Json, mode: str, param: str) -> Json:
    not_carried_out(item, "tax_rates")
    require_one(item, "price", "price_data")
    positive(item, "quantity")
    if "quantity" not in item:
        raise StripeError(
            400, f"Missing required param: {param}[quantity].", code="parameter_missing", param=f"{param}[quantity]"
        )
    if "price_data" in item:
        # a price made for one session cannot be used again
        price = create_price(work, {**item["price_data"], "active": False})
    elif "price" in item:
        price = work.require("price", item["price"], f"{param}[price]")
        if not price["active"]:
            raise StripeError(
                400,
                f"The price specified is inactive. This field only accepts active prices: {price['id']}",
                param=f"{param}[price]",
            )
    else:
        raise missing(f"{param}[price]")
    if mode == "payment" and price["recurring"]:
        raise StripeError(
            400,
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use "
            "only one-time prices.",
            param=param,
        )
    if mode == "subscription" and not price["recurring"]:
        raise StripeError(
            400, "The sandbox sells recurring prices only in `subscription` mode.", param=f"{param}[price]"
        )
    product = work.require("product", price["product"])
    line = {
        "id": new_id("li"),
        "amount_discount": 0,
        "amount_subtotal": _amount(price, item["quantity"]),
        "amount_tax": 0,
        "amount_total": _amount(price, item["quantity"]),
        "currency": price["currency"],
        "description": product["name"],
        "metadata": item.get("metadata", {}),
        "price": price,
        "quantity": item["quantity"],
    }
    if "adjustable_quantity" in item:
        line["adjustable_quantity"] = {"maximum": 99, "minimum": 0} | item["adjustable_quantity"]
    return complete(stripe.LineItem, line)


def _amount(price: Json, quantity: int) -> int:
    whole = Decimal(price["unit_amount_decimal"]) * quantity
    return int(whole.quantize(Decimal(1), ROUND_HALF_UP))


def priced(order: Json, coupon: Json | None) -> list[Json]:
    """The line items as they are due today: nothing in a trial, and less by what a coupon takes off."""
    today = [0 if order["trial_end"] else _amount(line["price"], line["quantity"]) for line in order["lines"]]
    off = [0] * len(today)
    if coupon is not None:
        off = reductions(today, Reduction(coupon["percent_off"], coupon["amount_off"]))
    return [
        line | {"amount_subtotal": amount, "amount_discount": less, "amount_total": amount - less}
        for line, amount, less in zip(order["lines"], today, off, strict=True)
    ]


def full_amount(order: Json) -> int:
    """What the line items cost without trial or discount."""
    return sum(_amount(line["price"], line["quantity"]) for line in order["lines"])


def totals(lines: Sequence[Json]) -> Json:
    """The session's amounts for its line items."""
    discount = sum(line["amount_discount"] for line in lines)
    subtotal = sum(line["amount_subtotal"] for line in lines)
    return {
        "amount_subtotal": subtotal,
        "amount_total": subtotal - discount,
        "total_details": complete(
            stripe.checkout.Session.TotalDetails,
            {"amount_discount": discount, "amount_shipping": None, "amount_tax": 0},
        ),
    }
