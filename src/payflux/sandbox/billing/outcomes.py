"""What paying an invoice, failing to, or giving it up makes of it and of its subscription."""

from __future__ import annotations

from payflux.sandbox.billing import ending
from payflux.sandbox.billing.invoices import RETRY, close_unpaid, subscription_of
from payflux.sandbox.billing.rules import retry_delay
from payflux.sandbox.billing.subscriptions import (
    EXPIRE,
    after_retries,
    items_of,
    schedule,
    set_paused,
    turn,
    with_items,
)
from payflux.sandbox.payments import intents
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work

RESUMPTION = "_resumption"


def settle(work: Work, invoice: Json, intent: Json | None = None, *, outside: bool = False) -> Json:
    """An invoice is paid: by its payment intent, by nothing due, or, `outside`, by money that Stripe has not seen."""
    for payment in payments_of(work, invoice, "open"):
        moments = {"paid_at": work.now} if not outside else {"canceled_at": work.now}
        transitions = payment["status_transitions"] | moments
        if outside:
            _let_go(work, payment)
            work.change(payment, {"status": "canceled", "status_transitions": transitions})
            continue
        paid = {"amount_paid": invoice["amount_due"], "status": "paid", "status_transitions": transitions}
        work.change(payment, paid)
        work.tell("invoice_payment.paid", payment)
    work.change(
        invoice,
        {
            "amount_paid": invoice["amount_due"],
            "amount_remaining": 0,
            "attempted": True,
            "auto_advance": False,
            "next_payment_attempt": None,
            "status": "paid",
            "status_transitions": invoice["status_transitions"] | {"paid_at": work.now},
        }
        | ({"amount_paid_off_stripe": invoice["amount_due"]} if outside else {}),
    )
    work.never(RETRY, invoice["id"])
    work.tell("invoice.paid", invoice)
    work.tell("invoice.payment_succeeded", invoice)
    subscription = subscription_of(work, invoice)
    if subscription is not None:
        _keep_method(work, subscription, intent)
        made_good(work, subscription, invoice)
    return invoice


def _keep_method(work: Work, subscription: Json, intent: Json | None) -> None:
    """Remember the payment method that paid, where the subscription asks for that."""
    settings = subscription["payment_settings"]
    if intent is not None and settings and settings["save_default_payment_method"] == "on_subscription":
        work.change(subscription, {"default_payment_method": intent["payment_method"]}, "customer.subscription.updated")


def made_good(work: Work, subscription: Json, invoice: Json) -> None:
    """What a paid invoice, or one that nobody waits for any more, makes of its subscription."""
    status = subscription["status"]
    if status == "incomplete":
        work.never(EXPIRE, subscription["id"])
        turn(work, subscription, "active")
        schedule(work, subscription)
    elif status in ("past_due", "unpaid"):
        if not any(other["attempted"] for other in ending.unpaid_invoices(work, subscription, "open")):
            turn(work, subscription, "active")
            _set_delinquent(work, subscription, delinquent=False)
    elif status == "paused" and (begins := resumption_of(work, subscription, invoice)) is not None:
        changes = with_items(subscription, items_of(subscription), (begins["start"], begins["end"]))
        changes["billing_cycle_anchor"] = begins["anchor"]
        work.never(EXPIRE, subscription["id"])
        turn(work, subscription, "active", changes, "customer.subscription.resumed")
        schedule(work, subscription)


def resumption_of(work: Work, subscription: Json, invoice: Json) -> Json | None:
    """The `start`, `end` and `anchor` of the period that paying this invoice lets a paused subscription begin."""
    found = work.store.get(work.account_id, f"{RESUMPTION}/{invoice['id']}")
    return found if found is not None and subscription["latest_invoice"] == invoice["id"] else None


def fail(work: Work, invoice: Json, changes: Json, *, automatic: bool) -> None:
    """An attempt has failed: tell it, and try again later or do what the sandbox's setting says."""
    subscription = subscription_of(work, invoice)
    again = None
    if automatic and not is_first(invoice) and (delay := retry_delay(changes["attempt_count"])) is not None:
        again = work.now + delay
        work.later(again, RETRY, invoice["id"])
    elif not automatic:
        again = invoice["next_payment_attempt"]
    work.change(invoice, {**changes, "next_payment_attempt": again})
    work.tell("invoice.payment_failed", invoice)
    if subscription is None or is_first(invoice):
        return
    status = subscription["status"]
    if status in ("active", "trialing") or (status == "paused" and not automatic):
        turn(work, subscription, "past_due")
        _set_delinquent(work, subscription, delinquent=True)
        schedule(work, subscription)
    if automatic and again is None:
        work.change(invoice, {"auto_advance": False}, "invoice.updated")
        if subscription["status"] == "past_due":
            _after_last_retry(work, subscription)


def _after_last_retry(work: Work, subscription: Json) -> None:
    """The last retry has failed."""
    how = after_retries(work)
    if how == "cancel":
        ending.cancel(work, subscription, reason="payment_failed")
    elif how == "unpaid":
        turn(work, subscription, "unpaid")
    elif how == "pause":
        set_paused(work, subscription, "final_payment_failure")


def _set_delinquent(work: Work, subscription: Json, *, delinquent: bool) -> None:
    if (customer := work.get("customer", subscription["customer"])) is not None:
        work.change(customer, {"delinquent": delinquent}, "customer.updated")


def give_up(work: Work, invoice: Json, status: str) -> Json:
    """Void an invoice or call it uncollectible, by hand; the subscription then owes nothing for it. Raises
    StripeError."""
    close_unpaid(work, invoice, status)
    for payment in payments_of(work, invoice, "open"):
        _let_go(work, payment)
        transitions = payment["status_transitions"] | {"canceled_at": work.now}
        work.change(payment, {"status": "canceled", "status_transitions": transitions})
    subscription = subscription_of(work, invoice)
    if subscription is not None and not (status == "void" and subscription["status"] in ("paused", "incomplete")):
        made_good(work, subscription, invoice)
    return invoice


def payments_of(work: Work, invoice: Json, *statuses: str) -> list[Json]:
    where = {"invoice": invoice["id"], "status": statuses} if statuses else {"invoice": invoice["id"]}
    return work.find("invoice_payment", where)


def _let_go(work: Work, payment: Json) -> None:
    intent = work.require("payment_intent", payment["payment"]["payment_intent"])
    if intent["status"] in intents.CANCELABLE:
        intents.cancel(work, intent, "void_invoice")


def is_first(invoice: Json) -> bool:
    """Whether it is the invoice that a subscription began with."""
    return invoice["billing_reason"] == "subscription_create"
