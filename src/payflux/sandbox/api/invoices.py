"""Invoices, their lines and the payments made for them."""

from __future__ import annotations

from typing import Any

import stripe
from stripe import params

from payflux.sandbox.api.endpoints import Call, Endpoint, retrieving
from payflux.sandbox.billing.outcomes import give_up, payments_of, settle
from payflux.sandbox.billing.paying import attempt, finalize
from payflux.sandbox.billing.previewing import preview
from payflux.sandbox.errors import StripeError
from payflux.sandbox.expansion import Includes
from payflux.sandbox.listing import embedded, list_page
from payflux.sandbox.query import query_of
from payflux.sandbox.schema.writing import merged, not_carried_out
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work

PATH, PAYMENTS = "/v1/invoices", "/v1/invoice_payments"
READ, WRITE = "rak_invoice_read", "rak_invoice_write"
_NO_PREVIEW = (
    "customer_account",
    "customer_details",
    "invoice_items",
    "issuer",
    "on_behalf_of",
    "schedule",
    "schedule_details",
)


def _preview(call: Call) -> Json:
    not_carried_out(call.params, *_NO_PREVIEW)
    not_carried_out(call.params.get("subscription_details", {}), "billing_schedules", "pause", "resume_at")
    return preview(call.work, call.params)


def _list(call: Call) -> Json:
    not_carried_out(call.params, "customer_account", "due_date")
    query = query_of(call.params)
    renamed = {"subscription": "parent.subscription_details.subscription"}
    where = {renamed.get(name, name): value for name, value in query.filters.items()}
    return list_page(call.work, "invoice", PATH, query, where)


def _update(call: Call) -> Json:
    given, invoice = call.params, call.work.require("invoice", call.id)
    not_carried_out(given, *(given.keys() - {"metadata", "description", "auto_advance"}))
    changes = {name: given[name] for name in ("auto_advance",) if name in given}
    if "description" in given:
        changes["description"] = given["description"] or None
    if "metadata" in given:
        changes["metadata"] = merged(invoice["metadata"], given["metadata"])
    return call.work.change(invoice, changes, "invoice.updated")


def _lines(call: Call) -> Json:
    lines = call.work.require("invoice", call.id)["lines"]["data"]
    query = query_of(call.params)
    if cursor := query.starting_after:
        ids = [line["id"] for line in lines]
        lines = lines[ids.index(cursor) + 1 :] if cursor in ids else []
    return embedded(f"{PATH}/{call.id}/lines", lines, limit=query.limit)


def _finalize(call: Call) -> Json:
    invoice = call.work.require("invoice", call.id)
    if invoice["status"] != "draft":
        raise StripeError(
            400,
            "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
            code="invoice_not_editable",
        )
    if "auto_advance" in call.params:
        call.work.change(invoice, {"auto_advance": call.params["auto_advance"]})
    finalize(call.work, invoice)
    return call.work.require("invoice", call.id)


def _pay(call: Call) -> Json:
    given, work = call.params, call.work
    not_carried_out(given, "forgive", "mandate", "source")
    invoice = work.require("invoice", call.id)
    if invoice["status"] == "draft":
        finalize(work, invoice)
    elif invoice["status"] == "paid":
        raise StripeError(400, "Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] not in ("open", "uncollectible", "paid"):
        raise StripeError(400, f"This invoice is {invoice['status']} and can no longer be paid.")
    if invoice["status"] != "paid":
        if given.get("paid_out_of_band"):
            settle(work, invoice, outside=True)
        else:
            off_session = given.get("off_session", True)
            method = given.get("payment_method")
            call.refusal = attempt(work, invoice, method=method, off_session=off_session, automatic=False)
    return work.require("invoice", call.id)


def _void(call: Call) -> Json:
    return give_up(call.work, call.work.require("invoice", call.id), "void")


def _uncollectible(call: Call) -> Json:
    return give_up(call.work, call.work.require("invoice", call.id), "uncollectible")


def _list_payments(call: Call) -> Json:
    query = query_of(call.params)
    where = dict(query.filters)
    payment = where.pop("payment", {})
    where |= {f"payment.{name}": value for name, value in payment.items()}
    return list_page(call.work, "invoice_payment", PAYMENTS, query, where)


def payments_list(work: Work, invoice: Json) -> Json:
    """`invoice.payments`."""
    return embedded(f"{PAYMENTS}?invoice={invoice['id']}", payments_of(work, invoice))


def confirmation_secret(work: Work, invoice: Json) -> Json | None:
    """`invoice.confirmation_secret`: what a browser confirms the payment with."""
    for payment in payments_of(work, invoice, "open"):
        intent = work.require("payment_intent", payment["payment"]["payment_intent"])
        return {"client_secret": intent["client_secret"], "type": "payment_intent"}
    return None


def _on(method: str, path: str, answer: Any, form: Any) -> Endpoint:
    return Endpoint(method, path, READ if method == "GET" else WRITE, stripe.Invoice, answer, form)


ENDPOINTS: tuple[Endpoint, ...] = (
    _on("GET", PATH, _list, params.InvoiceListParams),
    _on("POST", f"{PATH}/create_preview", _preview, params.InvoiceCreatePreviewParams),
    retrieving(PATH, READ, stripe.Invoice),
    _on("POST", f"{PATH}/{{id}}", _update, params.InvoiceUpdateParams),
    Endpoint("GET", f"{PATH}/{{id}}/lines", READ, stripe.InvoiceLineItem, _lines, params.InvoiceLineItemListParams),
    _on("POST", f"{PATH}/{{id}}/finalize", _finalize, params.InvoiceFinalizeInvoiceParams),
    _on("POST", f"{PATH}/{{id}}/pay", _pay, params.InvoicePayParams),
    _on("POST", f"{PATH}/{{id}}/void", _void, params.InvoiceVoidInvoiceParams),
    _on("POST", f"{PATH}/{{id}}/mark_uncollectible", _uncollectible, params.InvoiceMarkUncollectibleParams),
    Endpoint("GET", PAYMENTS, READ, stripe.InvoicePayment, _list_payments, params.InvoicePaymentListParams),
    retrieving(PAYMENTS, READ, stripe.InvoicePayment),
)

INCLUDES: Includes = {
    ("invoice", "payments"): payments_list,
    ("invoice", "confirmation_secret"): confirmation_secret,
}
