"""Pausing a subscription as a whole, and going on with it. docs.stripe.com/billing/subscriptions/pause"""

from __future__ import annotations

from payflux.sandbox.billing.invoices import make_invoice
from payflux.sandbox.billing.lines import period_lines, proration_lines
from payflux.sandbox.billing.outcomes import RESUMPTION
from payflux.sandbox.billing.paying import attempt, finalize, invoice_pending
from payflux.sandbox.billing.pending import hold, pending_lines, take_pending
from payflux.sandbox.billing.rules import INCOMPLETE_TIME, full_period
from payflux.sandbox.billing.subscriptions import (
    EXPIRE,
    cycle_of,
    items_of,
    period_of,
    set_paused,
)
from payflux.sandbox.errors import StripeError
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work


def pause(work: Work, subscription: Json, *, credit_from: str = "now", invoice_now: bool = False) -> Json:
    """Pause a subscription that is active. Unused time is given back from `now` or `item_current_period_start`, or
    not (`none`), with the next invoice or at once. Raises StripeError 400."""
    if subscription["status"] != "active" or subscription["billing_mode"]["type"] != "flexible":
        raise StripeError(
            400,
            "Only a subscription that is active and has a billing_mode of flexible can be paused. This one is "
            f"{subscription['status']}, {subscription['billing_mode']['type']}.",
        )
    if credit_from != "none":
        period = period_of(subscription)
        at = period[0] if credit_from == "item_current_period_start" else work.now
        hold(work, subscription, proration_lines(work, items_of(subscription), [], period, at))
    set_paused(work, subscription, "pause_requested")
    if invoice_now:
        invoice_pending(work, subscription)
    return subscription


def resume(
    work: Work,
    subscription: Json,
    *,
    anchor: str = "now",
    on_success: bool = False,
    prorated: bool = True,
) -> StripeError | None:
    """Go on with a paused subscription: an invoice of the period from now, and, once that is paid, `active`.

    `anchor` "unchanged" keeps the cycle: the first period is what is left of the running one, billed unless not
    `prorated`. `on_success` tries the payment at once; else somebody has to, within 23 hours. The answer is why the
    payment failed, if it did. Raises StripeError 400.
    """
    if subscription["status"] != "paused":
        raise StripeError(
            400, f"You can only resume a subscription that is paused. This one is {subscription['status']}."
        )
    every, cycle = cycle_of(subscription), subscription["billing_cycle_anchor"]
    whole = full_period(cycle if anchor == "unchanged" else work.now, every, work.now)
    period = (work.now, whole[1])
    lines = period_lines(work, items_of(subscription), period, whole)
    if not prorated and anchor == "unchanged":
        lines = []
    invoice = make_invoice(
        work, subscription, [*lines, *pending_lines(work, subscription)], reason="subscription_update"
    )
    begins = {"start": period[0], "end": period[1], "anchor": cycle if anchor == "unchanged" else work.now}
    work.store.put(work.account_id, {"id": f"{RESUMPTION}/{invoice['id']}", "object": RESUMPTION, **begins})
    work.change(subscription, {"latest_invoice": invoice["id"]}, "customer.subscription.updated")
    work.create(invoice, "invoice.created")
    take_pending(work, subscription, invoice)
    finalize(work, invoice)
    if invoice["status"] != "open":
        return None
    if on_success:
        return attempt(work, invoice)
    work.later(work.now + INCOMPLETE_TIME, EXPIRE, subscription["id"])
    return None
