"""Paying invoices: the attempts, their retries, and what success and failure make of the subscription.

docs.stripe.com/billing/subscriptions/overview, docs.stripe.com/billing/revenue-recovery/smart-retries
"""

from __future__ import annotations

import stripe

from payflux.sandbox.billing.invoices import close_unpaid, make_invoice, open_draft, subscription_of
from payflux.sandbox.billing.outcomes import fail, is_first, payments_of, settle
from payflux.sandbox.billing.pending import pending_lines, take_pending
from payflux.sandbox.billing.subscriptions import (
    payment_method_of,
)
from payflux.sandbox.errors import StripeError
from payflux.sandbox.payments import intents, methods
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work, new_id

PAYMENT = "billing.payment"


def finalize(work: Work, invoice: Json, *, paid_by: Json | None = None) -> Json:
    """Open a draft and ask for its amount: a payment intent waits for it, or `paid_by` has paid it already. What is
    due nothing is paid at once. Raises StripeError for an amount that no payment can have."""
    open_draft(work, invoice)
    if invoice["amount_due"] == 0:
        return settle(work, invoice)
    subscription = subscription_of(work, invoice)
    if subscription is not None and (paused := subscription["pause_collection"]) is not None:
        return close_unpaid(work, invoice, "void" if paused["behavior"] == "void" else "uncollectible")
    intent = paid_by or intents.create_intent(
        work,
        amount=invoice["amount_due"],
        currency=invoice["currency"],
        customer=invoice["customer"],
        description="Subscription creation" if is_first(invoice) else "Subscription update",
        setup_future_usage="off_session" if is_first(invoice) else None,
        metadata={},
    )
    intents.follow(work, intent, PAYMENT)
    payment = complete(
        stripe.InvoicePayment,
        {
            "id": new_id("inpay"),
            "amount_requested": invoice["amount_due"],
            "created": work.now,
            "currency": invoice["currency"],
            "invoice": invoice["id"],
            "is_default": True,
            "livemode": False,
            "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
            "status": "open",
        },
    )
    work.create(payment)
    return settle(work, invoice, paid_by) if paid_by is not None else invoice


def attempt(
    work: Work,
    invoice: Json,
    *,
    method: str | None = None,
    off_session: bool = True,
    automatic: bool = True,
    return_url: str | None = None,
) -> StripeError | None:
    """Try to pay an open invoice with `method`, by default the subscription's; the refusal where that fails or the
    customer must act first, and comes back to `return_url`. `automatic` attempts are tried again later."""
    subscription = subscription_of(work, invoice)
    chosen = method or invoice["default_payment_method"]
    if chosen is None and subscription is not None:
        chosen = payment_method_of(work, subscription)
    count = invoice["attempt_count"]
    attempted = {"attempted": True, "attempt_count": count + 1 if automatic or count == 0 else count}
    if chosen is None:
        fail(work, invoice, attempted, automatic=automatic)
        return no_method()
    intent = _intent_of(work, invoice)
    used = methods.require(work, chosen)
    work.change(intent, {"payment_method": used["id"], "status": "requires_confirmation"})
    intents.confirm(work, intent, off_session=off_session, return_url=return_url)
    work.never(PAYMENT, intent["id"])
    if intent["status"] == "succeeded":
        work.change(invoice, attempted)
        settle(work, invoice, intent)
        return None
    if intent["status"] == "requires_action":
        work.change(invoice, attempted)
        work.tell("invoice.payment_action_required", invoice)
        return StripeError(
            402,
            "Payment for this subscription requires additional user action before it can be completed successfully.",
            code="subscription_payment_intent_requires_action",
            kind="card_error",
            payment_intent=intent,
        )
    error = intent["last_payment_error"]
    if error and error["code"] == "authentication_required":
        work.tell("invoice.payment_action_required", invoice)
    fail(work, invoice, attempted, automatic=automatic)
    return intents.refusal(intent)


def invoice_pending(work: Work, subscription: Json) -> None:
    """Invoice at once what waits for the next invoice, if anything does."""
    if not (lines := pending_lines(work, subscription)):
        return
    invoice = make_invoice(work, subscription, lines, reason="subscription_update")
    work.change(subscription, {"latest_invoice": invoice["id"]}, "customer.subscription.updated")
    work.create(invoice, "invoice.created")
    take_pending(work, subscription, invoice)
    finalize(work, invoice)
    if invoice["status"] == "open":
        attempt(work, invoice)


def finalize_when_due(work: Work, invoice_id: str) -> None:
    """A draft's hour is over: it is opened and paid."""
    invoice = work.get("invoice", invoice_id)
    if invoice is None or invoice["status"] != "draft":
        return
    try:
        finalize(work, invoice)
    except StripeError as error:
        work.change(invoice, {"auto_advance": False, "last_finalization_error": error.body["error"]})
        work.tell("invoice.finalization_failed", invoice)
        return
    if invoice["status"] == "open":
        attempt(work, invoice)


def retry(work: Work, invoice_id: str) -> None:
    """A payment that failed is tried again."""
    invoice = work.get("invoice", invoice_id)
    if invoice is not None and invoice["status"] == "open":
        attempt(work, invoice)


def payment_changed(work: Work, intent_id: str) -> None:
    """A payment intent of an invoice was paid, or refused, by a call or a person rather than by billing."""
    for payment in work.find("invoice_payment", {"payment.payment_intent": intent_id, "status": "open"}):
        invoice, intent = work.require("invoice", payment["invoice"]), work.require("payment_intent", intent_id)
        if invoice["status"] not in ("open", "uncollectible"):
            continue
        if intent["status"] == "succeeded":
            settle(work, invoice, intent)
        elif intent["status"] == "requires_payment_method":
            count = max(invoice["attempt_count"], 1)
            fail(work, invoice, {"attempted": True, "attempt_count": count}, automatic=False)


def _intent_of(work: Work, invoice: Json) -> Json:
    return work.require("payment_intent", payments_of(work, invoice)[0]["payment"]["payment_intent"])


def settle_if_paid(work: Work, invoice: Json) -> Json:
    """An open invoice as it is when what its customer has just paid is counted, before the clock's next look."""
    intent = _intent_of(work, invoice) if invoice["status"] == "open" else None
    if intent is None or intent["status"] != "succeeded":
        return invoice
    work.never(PAYMENT, intent["id"])
    return settle(work, invoice, intent)


def no_method() -> StripeError:
    """Nothing is there to pay with."""
    return StripeError(
        400,
        "This customer has no attached payment source or default payment method. Please consider adding a default "
        "payment method. For more information, visit "
        "https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.",
        code="resource_missing",
    )
