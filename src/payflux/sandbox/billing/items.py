"""The items of a subscription: a price and how many of it. They live inside their subscription alone; a pointer by the
item's id leads there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import stripe

from payflux.sandbox.billing.rules import MOST_ITEMS, Recurrence
from payflux.sandbox.errors import StripeError, no_such
from payflux.sandbox.listing import embedded
from payflux.sandbox.payments.catalogue import create_price
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.schema.writing import merged, not_carried_out
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work, new_id

_POINTER = "_subscription_item"


def read_price(work: Work, asked: Json, param: str, currency: str | None = None) -> Json:
    """The recurring price that `asked` names by `price`, `plan` or `price_data`. Raises StripeError 400 or 404."""
    not_carried_out(asked, "billing_thresholds", "current_trial", "discounts", "tax_rates")
    if "price_data" in asked:
        price = create_price(work, asked["price_data"])
    else:
        price_id = asked.get("price") or asked.get("plan")
        if not price_id:
            raise StripeError(
                400, f"Missing required param: {param}[price].", code="parameter_missing", param=f"{param}[price]"
            )
        price = work.require("price", price_id, f"{param}[price]")
    if not price["active"]:
        raise StripeError(400, f"The price specified is inactive: {price['id']}.", param=f"{param}[price]")
    if price["recurring"] is None:
        raise StripeError(
            400,
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
            param=f"{param}[price]",
        )
    if currency is not None and price["currency"] != currency:
        raise StripeError(
            400,
            f"The price specified is in {price['currency']}, and this subscription is in {currency}.",
            param=f"{param}[price]",
        )
    return price


def make_items(work: Work, subscription_id: str, asked: Sequence[Json]) -> list[Json]:
    """The items of a new subscription, their period still to be set. Raises StripeError 400 or 404."""
    if not asked:
        raise StripeError(400, "Missing required param: items.", code="parameter_missing", param="items")
    items: list[Json] = []
    for n, one in enumerate(asked):
        currency = items[0]["price"]["currency"] if items else None
        items.append(make_item(work, subscription_id, one, f"items[{n}]", currency))
    check_items(items)
    return items


def make_item(work: Work, subscription_id: str, asked: Json, param: str, currency: str | None) -> Json:
    price = read_price(work, asked, param, currency)
    item = complete(
        stripe.SubscriptionItem,
        {
            "id": new_id("si"),
            "created": work.now,
            "current_period_start": work.now,
            "current_period_end": work.now,
            "metadata": merged({}, asked.get("metadata", {})),
            "plan": plan_of(price),
            "price": price,
            "quantity": _quantity(asked.get("quantity", 1), param),
            "subscription": subscription_id,
            "tax_rates": [],
        },
    )
    work.store.put(work.account_id, {"id": item["id"], "object": _POINTER, "subscription": subscription_id})
    return item


def changed_item(work: Work, item: Json, asked: Json, param: str) -> Json:
    """An item with another price, quantity or metadata. Raises StripeError 400 or 404."""
    changes: Json = {}
    if any(name in asked for name in ("price", "plan", "price_data")):
        price = read_price(work, asked, param, item["price"]["currency"])
        changes |= {"price": price, "plan": plan_of(price)}
    else:
        not_carried_out(asked, "billing_thresholds", "current_trial", "discounts", "tax_rates")
    if "quantity" in asked:
        changes["quantity"] = _quantity(asked["quantity"], param)
    if "metadata" in asked:
        changes["metadata"] = merged(item["metadata"], asked["metadata"])
    return item | changes


def check_items(items: Sequence[Json]) -> None:
    """Raises StripeError 400 where items cannot stand beside each other in a subscription."""
    if not items:
        raise StripeError(400, "A subscription must have at least one active item.", param="items")
    if len(items) > MOST_ITEMS:
        raise StripeError(400, f"A subscription may have up to {MOST_ITEMS} items.", param="items")
    prices = [item["price"]["id"] for item in items]
    if len(set(prices)) < len(prices):
        raise StripeError(
            400, "Cannot add multiple subscription items with the same price: change the quantity.", param="items"
        )
    if len({recurrence_of(item) for item in items}) > 1:
        raise StripeError(
            400,
            "The sandbox bills all items of a subscription at the same interval: make a subscription of its own for "
            "the others.",
            param="items",
        )


def recurrence_of(item: Json) -> Recurrence:
    recurring = item["price"]["recurring"]
    return Recurrence(recurring["interval"], recurring["interval_count"])


def amount_of(item: Json) -> int:
    """What a whole period of the item costs."""
    price = item["price"]
    if price["unit_amount"] is None:
        raise StripeError(
            400, f"The sandbox bills whole minor units: the price {price['id']} has parts of one.", param="items"
        )
    return price["unit_amount"] * item["quantity"]


def items_list(subscription_id: str, items: list[Json]) -> Json:
    """`subscription.items`."""
    return embedded(f"/v1/subscription_items?subscription={subscription_id}", items, limit=MOST_ITEMS)


def during(items: Sequence[Json], period: tuple[int, int]) -> list[Json]:
    """The items in a period, unix seconds, its end excluded."""
    return [item | {"current_period_start": period[0], "current_period_end": period[1]} for item in items]


def find_item(work: Work, item_id: str, param: str = "id") -> tuple[Json, Json]:
    """An item and its subscription. Raises a 404 StripeError."""
    pointer = work.store.get(work.account_id, item_id)
    if pointer is not None and pointer["object"] == _POINTER:
        subscription = work.require("subscription", pointer["subscription"])
        for item in subscription["items"]["data"]:
            if item["id"] == item_id:
                return item, subscription
    raise no_such("subscription_item", item_id, param)


def plan_of(price: Json) -> Json:
    """A price as the plan that older code reads."""
    recurring = price["recurring"]
    return complete(
        stripe.Plan,
        {name: price[name] for name in ("active", "billing_scheme", "created", "currency", "id", "metadata")}
        | {name: price[name] for name in ("nickname", "product")}
        | {name: recurring[name] for name in ("interval", "interval_count", "meter", "usage_type", "trial_period_days")}
        | {"amount": price["unit_amount"], "amount_decimal": price["unit_amount_decimal"], "livemode": False},
    )


def _quantity(value: Any, param: str) -> int:
    if value < 0:
        raise StripeError(
            400,
            "This value must be greater than or equal to 0.",
            code="parameter_invalid_integer",
            param=f"{param}[quantity]",
        )
    return value
