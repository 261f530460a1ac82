"""The end of a subscription: canceled now, at its period's end, or never begun."""

from __future__ import annotations

import stripe

from payflux.sandbox.billing.invoices import FINALIZE, RETRY, close_unpaid
from payflux.sandbox.billing.subscriptions import drop_schedule, is_over, turn
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work


def cancellation(given: Json, before: Json | None, reason: str | None) -> Json:
    """`cancellation_details`: why a subscription ends."""
    kept = {name: (before or {}).get(name) for name in ("comment", "feedback", "feedback_option")}
    told = {name: value or None for name, value in given.items()}
    return complete(stripe.Subscription.CancellationDetails, {**kept, **told, "reason": reason})


def cancel(work: Work, subscription: Json, *, reason: str, details: Json | None = None) -> Json:
    """End a subscription now. Its invoices stay, but nothing collects them any more."""
    drop_schedule(work, subscription)
    stop_collecting(work, subscription)
    return turn(
        work,
        subscription,
        "canceled",
        {
            "canceled_at": subscription["canceled_at"] or work.now,
            "cancellation_details": cancellation(details or {}, subscription["cancellation_details"], reason),
            "ended_at": work.now,
        },
        "customer.subscription.deleted",
    )


def cancel_all(work: Work, customer: str) -> None:
    """End whatever a customer who goes is still subscribed to."""
    for subscription in work.find("subscription", {"customer": customer}):
        if not is_over(subscription):
            cancel(work, subscription, reason="cancellation_requested")


def stop_collecting(work: Work, subscription: Json) -> None:
    """Leave the drafts and open invoices of a subscription as they are."""
    for invoice in unpaid_invoices(work, subscription):
        for task in (FINALIZE, RETRY):
            work.never(task, invoice["id"])
        stopped = {"auto_advance": False, "automatically_finalizes_at": None, "next_payment_attempt": None}
        work.change(invoice, stopped, "invoice.updated")


def unpaid_invoices(work: Work, subscription: Json, *statuses: str) -> list[Json]:
    """A subscription's drafts and open invoices, or those of `statuses`, the newest first."""
    where = {
        "parent.subscription_details.subscription": subscription["id"],
        "status": statuses or ("draft", "open"),
    }
    return work.find("invoice", where)


def cancel_when_due(work: Work, subscription_id: str) -> None:
    """The moment of `cancel_at` has come."""
    subscription = work.get("subscription", subscription_id)
    if subscription is not None and not is_over(subscription):
        cancel(work, subscription, reason="cancellation_requested")


def expire(work: Work, subscription_id: str) -> None:
    """The first payment has not come in time, or nobody has tried to pay a resumption."""
    subscription = work.get("subscription", subscription_id)
    if subscription is None or subscription["status"] not in ("incomplete", "paused"):
        return
    expires = subscription["status"] == "incomplete"
    for invoice in unpaid_invoices(work, subscription, "open"):
        if expires or (invoice["id"] == subscription["latest_invoice"] and not invoice["attempted"]):
            close_unpaid(work, invoice, "void")
    if expires:
        drop_schedule(work, subscription)
        turn(work, subscription, "incomplete_expired", {"ended_at": work.now})
