"""What is sold: products and their prices."""

from __future__ import annotations

import stripe
from stripe import params

from payflux.sandbox.api.endpoints import Call, Endpoint, retrieving
from payflux.sandbox.errors import StripeError
from payflux.sandbox.listing import list_page
from payflux.sandbox.payments.catalogue import create_price, take_lookup_key
from payflux.sandbox.query import query_of
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.schema.writing import not_carried_out, rewritten, written
from payflux.sandbox.store import Json
from payflux.sandbox.work import new_id

PRODUCTS, PRICES = "/v1/products", "/v1/prices"


def _create_product(call: Call) -> Json:
    values = written(stripe.Product, call.params, ("default_price_data", "id"))
    product_id = call.params.get("id") or new_id("prod")
    if call.work.find_any(product_id) is not None:
        raise StripeError(400, f"Product already exists: {product_id}", code="resource_already_exists", param="id")
    product = complete(
        stripe.Product,
        {"active": True, "type": "service", "images": [], "marketing_features": []}
        | values
        | {"id": product_id, "created": call.now, "updated": call.now, "livemode": False},
    )
    call.work.create(product, "product.created")
    if given := call.params.get("default_price_data"):
        price = create_price(call.work, {**given, "product": product_id})
        call.work.change(product, {"default_price": price["id"]})
    return product


def _update_product(call: Call) -> Json:
    product = call.work.require("product", call.id)
    changes = rewritten(stripe.Product, product, call.params)
    if chosen := changes.get("default_price"):
        price = call.work.require("price", chosen, "default_price")
        if price["product"] != product["id"]:
            raise StripeError(
                400, f"The price `{chosen}` does not belong to the product `{call.id}`.", param="default_price"
            )
    return call.work.change(product, {**changes, "updated": call.now} if changes else {}, "product.updated")


def _delete_product(call: Call) -> Json:
    product = call.work.require("product", call.id)
    if call.work.find("price", {"product": call.id}, limit=1):
        raise StripeError(
            400, "This product cannot be deleted because it has one or more user-created prices.", param="id"
        )
    return call.work.remove(product, "product.deleted")


def _list_products(call: Call) -> Json:
    query = query_of(call.params)
    where = {"id" if name == "ids" else name: value for name, value in query.filters.items()}
    return list_page(call.work, "product", PRODUCTS, query, where)


def _create_price(call: Call) -> Json:
    return create_price(call.work, call.params)


def _update_price(call: Call) -> Json:
    price = call.work.require("price", call.id)
    not_carried_out(call.params, "currency_options")
    changes = rewritten(stripe.Price, price, call.params, ("transfer_lookup_key",))
    if lookup_key := changes.get("lookup_key"):
        take_lookup_key(call.work, lookup_key, call.id, transfer=call.params.get("transfer_lookup_key", False))
    return call.work.change(price, changes, "price.updated")


def _list_prices(call: Call) -> Json:
    query = query_of(call.params)
    where = {name: value for name, value in query.filters.items() if name not in ("lookup_keys", "recurring")}
    if "lookup_keys" in query.filters:
        where["lookup_key"] = query.filters["lookup_keys"]
    where |= {f"recurring.{name}": value for name, value in query.filters.get("recurring", {}).items()}
    return list_page(call.work, "price", PRICES, query, where)


_READ, _WRITE = "rak_product_read", "rak_product_write"
_PRICE_READ, _PRICE_WRITE = "rak_plan_read", "rak_plan_write"

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", PRODUCTS, _WRITE, stripe.Product, _create_product, params.ProductCreateParams),
    Endpoint("GET", PRODUCTS, _READ, stripe.Product, _list_products, params.ProductListParams),
    retrieving(PRODUCTS, _READ, stripe.Product),
    Endpoint("POST", f"{PRODUCTS}/{{id}}", _WRITE, stripe.Product, _update_product, params.ProductUpdateParams),
    Endpoint("DELETE", f"{PRODUCTS}/{{id}}", _WRITE, stripe.Product, _delete_product),
    Endpoint("POST", PRICES, _PRICE_WRITE, stripe.Price, _create_price, params.PriceCreateParams),
    Endpoint("GET", PRICES, _PRICE_READ, stripe.Price, _list_prices, params.PriceListParams),
    retrieving(PRICES, _PRICE_READ, stripe.Price),
    Endpoint("POST", f"{PRICES}/{{id}}", _PRICE_WRITE, stripe.Price, _update_price, params.PriceUpdateParams),
)
