"""Payment methods: create, attach, detach, update and list."""

from __future__ import annotations

import stripe
from stripe import params

from payflux.sandbox.api.endpoints import Call, Endpoint
from payflux.sandbox.errors import StripeError, no_such
from payflux.sandbox.listing import list_page
from payflux.sandbox.payments import methods
from payflux.sandbox.query import query_of
from payflux.sandbox.schema.writing import missing, not_carried_out, rewritten, written
from payflux.sandbox.store import Json

PATH = "/v1/payment_methods"
READ, WRITE = "rak_payment_method_read", "rak_payment_method_write"


def _create(call: Call) -> Json:
    given = call.params
    if given.get("type", "card") != "card":
        raise StripeError(400, "The sandbox has payment methods of type card.", param="type")
    if "card" not in given:
        raise missing("card")
    values = written(stripe.PaymentMethod, given, ("card", "billing_details", "type"))
    return methods.from_card(call.work, given["card"], given.get("billing_details"), **values)


def _retrieve(call: Call) -> Json:
    return methods.require(call.work, call.id)


def _update(call: Call) -> Json:
    method = methods.require(call.work, call.id)
    changes = rewritten(stripe.PaymentMethod, method, call.params, ("card", "billing_details"))
    if "billing_details" in call.params:
        changes["billing_details"] = method["billing_details"] | call.params["billing_details"]
    if "card" in call.params:
        not_carried_out(call.params["card"], "networks")
        changes["card"] = method["card"] | call.params["card"]
    return call.work.change(method, changes, "payment_method.updated" if method["customer"] else "")


def _attach(call: Call) -> Json:
    not_carried_out(call.params, "customer_account")
    if "customer" not in call.params:
        raise missing("customer")
    method = methods.require(call.work, call.id)
    methods.require_usable(call.work, method, call.params["customer"])
    if call.work.get("customer", call.params["customer"]) is None:
        raise no_such("customer", call.params["customer"], "customer")
    return methods.attach(call.work, method, call.params["customer"])


def _detach(call: Call) -> Json:
    method = methods.require(call.work, call.id)
    if method["customer"] is None:
        raise StripeError(
            400,
            "The payment method you provided is not attached to a customer so detachment is impossible.",
            code="payment_method_unexpected_state",
        )
    return methods.detach(call.work, method)


def _list(call: Call) -> Json:
    if customer := call.params.get("customer"):
        call.work.require("customer", customer, "customer")
    return list_page(call.work, "payment_method", PATH, query_of(call.params))


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", PATH, WRITE, stripe.PaymentMethod, _create, params.PaymentMethodCreateParams),
    Endpoint("GET", PATH, READ, stripe.PaymentMethod, _list, params.PaymentMethodListParams),
    Endpoint("GET", f"{PATH}/{{id}}", READ, stripe.PaymentMethod, _retrieve),
    Endpoint("POST", f"{PATH}/{{id}}", WRITE, stripe.PaymentMethod, _update, params.PaymentMethodUpdateParams),
    Endpoint("POST", f"{PATH}/{{id}}/attach", WRITE, stripe.PaymentMethod, _attach, params.PaymentMethodAttachParams),
    Endpoint("POST", f"{PATH}/{{id}}/detach", WRITE, stripe.PaymentMethod, _detach),
)
