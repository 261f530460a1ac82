"""What is sold: how products and prices are made."""

from __future__ import annotations

from decimal import Decimal

import stripe

from payflux.sandbox.errors import StripeError
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.schema.writing import missing, not_carried_out, positive, require_one, written
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work, new_id

_MAX_DAYS = {"day": 1095, "week": 156, "month": 36, "year": 3}  # three years, docs.stripe.com/api/prices/create


def create_price(work: Work, params: Json) -> Json:
    """A price from the parameters of `POST /v1/prices`. Raises StripeError 400 or 404."""
    not_carried_out(params, "tiers", "tiers_mode", "custom_unit_amount", "transform_quantity", "currency_options")
    if params.get("billing_scheme", "per_unit") != "per_unit":
        not_carried_out(params, "billing_scheme")
    require_one(params, "product", "product_data")
    require_one(params, "unit_amount", "unit_amount_decimal")
    positive(params, "unit_amount", least=0)
    if "product" not in params and "product_data" not in params:
        raise missing("product")
    if "unit_amount" not in params and "unit_amount_decimal" not in params:
        raise missing("unit_amount")
    values = written(stripe.Price, params, ("product", "product_data", "recurring", "transfer_lookup_key", "currency"))
    price_id = new_id("price")
    if lookup_key := params.get("lookup_key"):
        take_lookup_key(work, lookup_key, price_id, transfer=params.get("transfer_lookup_key", False))
    if "product_data" in params:
        product = _product_of(work, params["product_data"])
    else:
        product = work.require("product", params["product"], "product")
    values |= {"recurring": _recurring(params["recurring"]), "type": "recurring"} if "recurring" in params else {}
    amount = Decimal(params["unit_amount_decimal"]) if "unit_amount_decimal" in params else params["unit_amount"]
    whole = amount == int(amount)
    return work.create(
        complete(
            stripe.Price,
            {"active": True, "billing_scheme": "per_unit", "tax_behavior": "unspecified", "type": "one_time"}
            | values
            | {
                "id": price_id,
                "created": work.now,
                "currency": params["currency"].lower(),
                "livemode": False,
                "product": product["id"],
                "unit_amount": int(amount) if whole else None,
                "unit_amount_decimal": str(int(amount)) if whole else str(amount),
            },
        ),
        "price.created",
    )


def _product_of(work: Work, given: Json) -> Json:
    values = written(stripe.Product, given, ("id",))
    return work.create(
        complete(
            stripe.Product,
            {"active": True, "type": "service", **values}
            | {"id": given.get("id") or new_id("prod"), "created": work.now, "updated": work.now, "livemode": False},
        ),
        "product.created",
    )


def _recurring(given: Json) -> Json:
    not_carried_out(given, "meter")
    if given.get("usage_type", "licensed") != "licensed":
        not_carried_out(given, "usage_type")
    count = given.get("interval_count", 1)
    if not 1 <= count <= _MAX_DAYS[given["interval"]]:
        raise StripeError(
            400, "The billing interval is at least one and at most three years long.", param="recurring[interval_count]"
        )
    return {
        "interval": given["interval"],
        "interval_count": count,
        "meter": None,
        "trial_period_days": given.get("trial_period_days"),
        "usage_type": "licensed",
    }


def take_lookup_key(work: Work, lookup_key: str, price_id: str, *, transfer: bool) -> None:
    """Give a lookup key to a price; another that has it loses it where that is asked for."""
    for holder in work.find("price", {"lookup_key": lookup_key}):
        if holder["id"] == price_id:
            continue
        if not transfer:
            raise StripeError(
                400, f"A price (`{holder['id']}`) already uses that lookup key (`{lookup_key}`).", param="lookup_key"
            )
        work.change(holder, {"lookup_key": None}, "price.updated")
