"""The items of subscriptions."""

from __future__ import annotations

from typing import Any

import stripe
from stripe import params

from payflux.sandbox.api.endpoints import Call, Endpoint
from payflux.sandbox.api.subscriptions import READ, WRITE, check_allowed, payment_terms
from payflux.sandbox.billing.changing import carry_out, changed_items, plan_change
from payflux.sandbox.billing.items import find_item
from payflux.sandbox.billing.subscriptions import items_of
from payflux.sandbox.listing import embedded
from payflux.sandbox.query import query_of
from payflux.sandbox.schema.writing import not_carried_out
from payflux.sandbox.store import Json

PATH = "/v1/subscription_items"


def _item(call: Call) -> Json:
    return find_item(call.work, call.id)[0]


def _list_items(call: Call) -> Json:
    subscription = call.work.require("subscription", call.params["subscription"], "subscription")
    query = query_of(call.params)
    items = items_of(subscription)
    for name, backward in (("starting_after", False), ("ending_before", True)):
        if cursor := call.params.get(name):
            ids = [item["id"] for item in items]
            if cursor not in ids:
                find_item(call.work, cursor, name)
            place = ids.index(cursor)
            items = items[:place] if backward else items[place + 1 :]
    answer = embedded(PATH, items, limit=query.limit)
    del answer["total_count"]
    return answer


def _change_item(call: Call, subscription: Json, asked: Json) -> Json:
    given, work = call.params, call.work
    check_allowed(subscription, {"items": [asked]})
    plan = plan_change(
        work,
        subscription,
        changed_items(work, subscription, [asked]),
        proration_behavior=given.get("proration_behavior", "create_prorations"),
        proration_date=given.get("proration_date"),
    )
    carry_out(work, subscription, plan, {}, **payment_terms(given))
    return work.require("subscription", subscription["id"])


_OF_ITEM = ("price", "price_data", "plan", "quantity", "metadata", "billing_thresholds", "current_trial", "discounts")


def _create_item(call: Call) -> Json:
    subscription = call.work.require("subscription", call.params["subscription"], "subscription")
    before = {item["id"] for item in items_of(subscription)}
    asked = {name: call.params[name] for name in _OF_ITEM if name in call.params}
    after = _change_item(call, subscription, asked)
    return next(item for item in items_of(after) if item["id"] not in before)


def _update_item(call: Call) -> Json:
    item, subscription = find_item(call.work, call.id)
    asked = {name: call.params[name] for name in (*_OF_ITEM, "tax_rates") if name in call.params}
    _change_item(call, subscription, {"id": item["id"], **asked})
    return find_item(call.work, call.id)[0]


def _delete_item(call: Call) -> Json:
    item, subscription = find_item(call.work, call.id)
    not_carried_out(call.params, "clear_usage")
    _change_item(call, subscription, {"id": item["id"], "deleted": True})
    return {"id": item["id"], "object": "subscription_item", "deleted": True}


def _on(method: str, path: str, answer: Any, form: Any = None) -> Endpoint:
    return Endpoint(method, path, READ if method == "GET" else WRITE, stripe.SubscriptionItem, answer, form)


ENDPOINTS: tuple[Endpoint, ...] = (
    _on("GET", PATH, _list_items, params.SubscriptionItemListParams),
    _on("POST", PATH, _create_item, params.SubscriptionItemCreateParams),
    _on("GET", f"{PATH}/{{id}}", _item),
    _on("POST", f"{PATH}/{{id}}", _update_item, params.SubscriptionItemUpdateParams),
    _on("DELETE", f"{PATH}/{{id}}", _delete_item, params.SubscriptionItemDeleteParams),
)
