"""Checkout sessions."""

from __future__ import annotations

import stripe
from stripe import params

from payflux.sandbox.api.endpoints import Call, Endpoint, retrieving
from payflux.sandbox.checkout import sessions
from payflux.sandbox.expansion import Includes
from payflux.sandbox.listing import embedded, list_page
from payflux.sandbox.query import query_of
from payflux.sandbox.schema.writing import not_carried_out, rewritten
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work

PATH = "/v1/checkout/sessions"
READ, WRITE = "rak_checkout_session_read", "rak_checkout_session_write"


def _create(call: Call) -> Json:
    return sessions.create_session(call.work, call.params)


def _update(call: Call) -> Json:
    session = sessions.find_session(call.work, call.id)
    not_carried_out(call.params, "collected_information", "line_items", "payment_intent_data", "shipping_options")
    return call.work.change(session, rewritten(stripe.checkout.Session, session, call.params))


def _list(call: Call) -> Json:
    query = query_of(call.params)
    where = {
        "customer_details.email" if name == "customer_details" else name: value["email"]
        if name == "customer_details"
        else value
        for name, value in query.filters.items()
    }
    return list_page(call.work, "checkout.session", PATH, query, where)


def _expire(call: Call) -> Json:
    return sessions.expire(call.work, sessions.find_session(call.work, call.id))


def _line_items(call: Call) -> Json:
    items = sessions.line_items(call.work, sessions.find_session(call.work, call.id))
    ids = [item["id"] for item in items]
    query = query_of(call.params)
    first = ids.index(query.starting_after) + 1 if query.starting_after in ids else 0
    page = items[first : first + query.limit]
    more = len(items) > first + query.limit
    return {"object": "list", "data": page, "has_more": more, "url": f"{PATH}/{call.id}/line_items"}


def _included(work: Work, session: Json) -> Json:
    return embedded(f"{PATH}/{session['id']}/line_items", sessions.line_items(work, session))


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", PATH, WRITE, stripe.checkout.Session, _create, params.checkout.SessionCreateParams),
    Endpoint("GET", PATH, READ, stripe.checkout.Session, _list, params.checkout.SessionListParams),
    retrieving(PATH, READ, stripe.checkout.Session),
    Endpoint("POST", f"{PATH}/{{id}}", WRITE, stripe.checkout.Session, _update, params.checkout.SessionUpdateParams),
    Endpoint("POST", f"{PATH}/{{id}}/expire", WRITE, stripe.checkout.Session, _expire),
    Endpoint(
        "GET",
        f"{PATH}/{{id}}/line_items",
        READ,
        stripe.LineItem,
        _line_items,
        params.checkout.SessionListLineItemsParams,
    ),
)

INCLUDES: Includes = {("checkout.session", "line_items"): _included}
