"""Customers, and the payment methods they keep."""

from __future__ import annotations

import stripe
from stripe import params

from payflux.sandbox.api.endpoints import Call, Endpoint, listing
from payflux.sandbox.billing import ending
from payflux.sandbox.billing.ending import cancel
from payflux.sandbox.errors import StripeError, no_such
from payflux.sandbox.expansion import Includes
from payflux.sandbox.listing import embedded, list_page
from payflux.sandbox.payments import methods
from payflux.sandbox.payments.customers import new_customer
from payflux.sandbox.payments.documents import require_document
from payflux.sandbox.query import query_of
from payflux.sandbox.schema.writing import not_carried_out, rewritten, written
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work

PATH = "/v1/customers"
READ, WRITE = "rak_customer_read", "rak_customer_write"
_NOT_CARRIED_OUT = ("cash_balance", "default_source", "source", "tax", "tax_id_data", "test_clock")
_GONE = "_deleted"
_OVER = ("canceled", "incomplete_expired")  # subscriptions that a customer no longer shows


def create_customer(work: Work, params: Json) -> Json:
    """A customer from the parameters of `POST /v1/customers`; `payment_method` is attached to it.

    Raises StripeError 400, 402 (a card that cannot be kept) or 404.
    """
    not_carried_out(params, *_NOT_CARRIED_OUT)
    given = written(stripe.Customer, params, ("payment_method", "invoice_settings", "validate"))
    customer = new_customer(work, given)
    method = methods.require(work, params["payment_method"]) if params.get("payment_method") else None
    settings = params.get("invoice_settings", {})
    if method is not None:
        methods.require_keepable(method)
        if settings.get("default_payment_method") == params["payment_method"]:  # a test token, given twice, is one card
            settings = settings | {"default_payment_method": method["id"]}
    customer["invoice_settings"] = _settings(work, customer, settings, method)
    work.create(customer, "customer.created")
    if method is not None:
        methods.attach(work, method, customer["id"])
    return customer


def _settings(work: Work, customer: Json, given: Json | None, arriving: Json | None = None) -> Json:
    """The invoice settings; the default payment method must be the customer's own, or `arriving` with it."""
    settings = customer["invoice_settings"] | {
        name: None if value == "" else value for name, value in (given or {}).items()
    }
    chosen = settings.get("default_payment_method")
    if chosen and not (arriving and arriving["id"] == chosen):
        method = methods.require(work, chosen, "invoice_settings[default_payment_method]")
        if method["customer"] != customer["id"]:
            raise StripeError(
                400,
                f"The customer does not have a payment method with the ID {chosen}. It must be attached "
                "to the customer.",
                code="resource_missing",
                param="invoice_settings[default_payment_method]",
            )
    return settings


def _create(call: Call) -> Json:
    return create_customer(call.work, call.params)


def _retrieve(call: Call) -> Json:
    gone = call.work.store.get(call.work.account_id, f"{_GONE}/{call.id}")
    return gone["stub"] if gone else call.work.require("customer", call.id)


def _update(call: Call) -> Json:
    customer = require_document(call.work, "customer", call.id)
    not_carried_out(call.params, *_NOT_CARRIED_OUT)
    changes = rewritten(stripe.Customer, customer, call.params, ("invoice_settings", "validate"))
    if "invoice_settings" in call.params:
        changes["invoice_settings"] = _settings(call.work, customer, call.params["invoice_settings"])
    return call.work.change(customer, changes, "customer.updated")


def _delete(call: Call) -> Json:
    customer = require_document(call.work, "customer", call.id)
    for subscription in call.work.find("subscription", {"customer": customer["id"]}):
        if subscription["status"] not in _OVER:
            cancel(call.work, subscription, reason="cancellation_requested")
    ending.cancel_all(call.work, customer["id"])
    for method in call.work.find("payment_method", {"customer": customer["id"]}):
        methods.detach(call.work, method)
    stub = call.work.remove(customer, "customer.deleted")
    kept = {"id": f"{_GONE}/{call.id}", "object": _GONE, "created": call.now, "stub": stub}
    call.work.store.put(call.work.account_id, kept)
    return stub


def _methods(call: Call) -> Json:
    call.work.require("customer", call.id)
    query = query_of(call.params)
    where = query.filters | {"customer": call.id}
    return list_page(call.work, "payment_method", f"{PATH}/{call.id}/payment_methods", query, where)


def _method(call: Call) -> Json:
    call.work.require("customer", call.id)
    method = methods.require(call.work, call.path["payment_method"])
    if method["customer"] != call.id:
        raise no_such("payment_method", method["id"])
    return method


def _subscriptions(work: Work, customer: Json) -> Json:
    kept = [found for found in work.find("subscription", {"customer": customer["id"]}) if found["status"] not in _OVER]
    return embedded(f"{PATH}/{customer['id']}/subscriptions", kept)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", PATH, WRITE, stripe.Customer, _create, params.CustomerCreateParams),
    listing(PATH, READ, stripe.Customer, params.CustomerListParams),
    Endpoint("GET", f"{PATH}/{{id}}", READ, stripe.Customer, _retrieve),
    Endpoint("POST", f"{PATH}/{{id}}", WRITE, stripe.Customer, _update, params.CustomerUpdateParams),
    Endpoint("DELETE", f"{PATH}/{{id}}", WRITE, stripe.Customer, _delete),
    Endpoint(
        "GET",
        f"{PATH}/{{id}}/payment_methods",
        "rak_payment_method_read",
        stripe.PaymentMethod,
        _methods,
        params.CustomerListPaymentMethodsParams,
    ),
    Endpoint(
        "GET",
        f"{PATH}/{{id}}/payment_methods/{{payment_method}}",
        "rak_payment_method_read",
        stripe.PaymentMethod,
        _method,
    ),
)

INCLUDES: Includes = {
    ("customer", "subscriptions"): _subscriptions,
    ("customer", "sources"): lambda _work, customer: embedded(f"{PATH}/{customer['id']}/sources", []),
    ("customer", "tax_ids"): lambda _work, customer: embedded(f"{PATH}/{customer['id']}/tax_ids", []),
}
