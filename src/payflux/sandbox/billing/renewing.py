"""What the clock does to subscriptions: notices, the end of a trial, and each period's end."""

from __future__ import annotations

from collections.abc import Sequence

from payflux.sandbox.billing import ending, paying
from payflux.sandbox.billing.discounts import remaining
from payflux.sandbox.billing.invoices import FINALIZE, PREVIEW, RETRY, make_invoice
from payflux.sandbox.billing.lines import period_lines
from payflux.sandbox.billing.pending import pending_lines, take_pending
from payflux.sandbox.billing.rules import DRAFT_TIME, next_boundary
from payflux.sandbox.billing.subscriptions import (
    CANCEL,
    EXPIRE,
    PERIOD_END,
    TRIAL_WILL_END,
    UNPAUSE_COLLECTION,
    UPCOMING,
    cycle_of,
    items_of,
    payment_method_of,
    period_of,
    schedule,
    set_paused,
    turn,
    with_items,
)
from payflux.sandbox.clock import Tasks
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work

_RENEWING = ("trialing", "active", "past_due", "unpaid")


def end_period(work: Work, subscription_id: str) -> None:
    """A period, or the trial, is over: the subscription ends, pauses, or goes on with a draft for the next period."""
    subscription = work.get("subscription", subscription_id)
    if subscription is None or subscription["status"] not in _RENEWING:
        return
    if subscription["cancel_at"] is not None and subscription["cancel_at"] <= work.now:
        ending.cancel(work, subscription, reason="cancellation_requested")
        return
    if subscription["status"] == "trialing" and payment_method_of(work, subscription) is None:
        missing = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
        if missing == "cancel":
            ending.cancel(work, subscription, reason="payment_failed")
            return
        if missing == "pause":
            set_paused(work, subscription, "trial_end_without_payment_method")
            return
    renew(work, subscription)


def renew(work: Work, subscription: Json) -> Json:
    """Go on into the next period, which begins now; its invoice, a draft for an hour."""
    ended = period_of(subscription)
    period = (work.now, next_boundary(subscription["billing_cycle_anchor"], cycle_of(subscription), work.now))
    lines = period_lines(work, items_of(subscription), period)
    invoice = make_invoice(
        work,
        subscription,
        [*pending_lines(work, subscription), *lines],
        reason="subscription_cycle",
        period=ended,
    )
    collected = subscription["status"] != "unpaid" and not _kept_as_draft(subscription)
    if not collected:
        invoice |= {"auto_advance": False, "automatically_finalizes_at": None}
    changes = with_items(subscription, items_of(subscription), period) | {
        "discounts": remaining(work, subscription["discounts"], invoice["subtotal"]),
        "latest_invoice": invoice["id"],
    }
    turn(work, subscription, "active" if subscription["status"] == "trialing" else subscription["status"], changes)
    work.create(invoice, "invoice.created")
    take_pending(work, subscription, invoice)
    if collected:
        work.later(work.now + DRAFT_TIME, FINALIZE, invoice["id"])
    schedule(work, subscription)
    return invoice


def next_invoice(work: Work, subscription: Json, prorations: Sequence[Json] = ()) -> Json:
    """The invoice of the next period as it would be now, with these lines of a change beside; it is no invoice yet."""
    start = period_of(subscription)[1]
    period = (start, next_boundary(subscription["billing_cycle_anchor"], cycle_of(subscription), start))
    lines = [*pending_lines(work, subscription), *prorations, *period_lines(work, items_of(subscription), period)]
    ended = period_of(subscription)
    invoice = make_invoice(work, subscription, lines, reason="upcoming", period=ended, prefix=PREVIEW)
    return invoice | {"created": start, "next_payment_attempt": start + DRAFT_TIME}


def tell_upcoming(work: Work, subscription_id: str) -> None:
    """Some days before a renewal: what it will cost."""
    subscription = work.get("subscription", subscription_id)
    if subscription is not None and subscription["status"] in _RENEWING:
        work.tell("invoice.upcoming", next_invoice(work, subscription))


def tell_trial_end(work: Work, subscription_id: str) -> None:
    subscription = work.get("subscription", subscription_id)
    if subscription is not None and subscription["status"] == "trialing":
        work.tell("customer.subscription.trial_will_end", subscription)


def collect_again(work: Work, subscription_id: str) -> None:
    """The pause of payment collection is over."""
    if (subscription := work.get("subscription", subscription_id)) is not None:
        work.change(subscription, {"pause_collection": None}, "customer.subscription.updated")


def _kept_as_draft(subscription: Json) -> bool:
    collection = subscription["pause_collection"]
    return collection is not None and collection["behavior"] == "keep_as_draft"


TASKS: Tasks = {
    CANCEL: ending.cancel_when_due,
    EXPIRE: ending.expire,
    FINALIZE: paying.finalize_when_due,
    PERIOD_END: end_period,
    RETRY: paying.retry,
    TRIAL_WILL_END: tell_trial_end,
    UNPAUSE_COLLECTION: collect_again,
    UPCOMING: tell_upcoming,
    paying.PAYMENT: paying.payment_changed,
}
