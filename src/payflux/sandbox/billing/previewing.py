"""What an invoice will be: the next one of a subscription, that of a change, or the first of a new one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payflux.sandbox.billing.changing import changed_items, plan_change
from payflux.sandbox.billing.discounts import redeem_discounts
from payflux.sandbox.billing.invoices import PREVIEW, make_invoice
from payflux.sandbox.billing.items import amount_of
from payflux.sandbox.billing.pending import pending_lines
from payflux.sandbox.billing.renewing import next_invoice
from payflux.sandbox.billing.subscribing import check_trial_end, draft
from payflux.sandbox.billing.subscriptions import is_over, items_of, period_of
from payflux.sandbox.errors import StripeError
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work


def preview(work: Work, given: Mapping[str, Any]) -> Json:
    """The invoice that the parameters of `POST /v1/invoices/create_preview` lead to; nothing is kept of it. Raises
    StripeError."""
    told = len(work.events)
    with work.store.scratch():
        invoice = _previewed(work, given)
    del work.events[told:]
    return invoice


def _previewed(work: Work, given: Mapping[str, Any]) -> Json:
    details = given.get("subscription_details", {})
    if "subscription" not in given:
        if "customer" not in given or "items" not in details:
            raise StripeError(
                400,
                "Name a subscription, or a customer and subscription_details[items].",
                code="parameter_missing",
                param="subscription",
            )
        return _of_new(work, given, details)
    subscription = work.require("subscription", given["subscription"], "subscription")
    if "discounts" in given:
        subscription["discounts"] = redeem_discounts(
            work,
            given["discounts"],
            subscription=subscription["id"],
            customer=subscription["customer"],
            amount=sum(amount_of(item) for item in items_of(subscription)),
            currency=subscription["currency"],
        )
    ends = details.get("cancel_at_period_end", _ends(subscription))
    anchor_now = details.get("billing_cycle_anchor", {}).get("type") == "now"
    if is_over(subscription) or subscription["status"] == "paused":
        raise _none_upcoming(subscription)
    if not ("items" in details or "trial_end" in details or anchor_now):
        if ends and not pending_lines(work, subscription):
            raise _none_upcoming(subscription)
        return next_invoice(work, subscription)
    behavior = details.get("proration_behavior", "create_prorations")
    plan = plan_change(
        work,
        subscription,
        changed_items(work, subscription, details.get("items", [])),
        proration_behavior=behavior,
        proration_date=details.get("proration_date"),
        trial_end=details.get("trial_end"),
        anchor_now=anchor_now,
    )
    after = subscription | plan.changes
    if plan.restarts or (plan.prorations and behavior == "always_invoice"):
        lines = [*pending_lines(work, subscription), *plan.prorations, *plan.lines]
        return make_invoice(work, after, lines, reason="subscription_update", prefix=PREVIEW)
    return next_invoice(work, after, plan.prorations)


def _of_new(work: Work, given: Mapping[str, Any], details: Mapping[str, Any]) -> Json:
    asked = details.get("trial_end")
    _, invoice = draft(
        work,
        customer=given["customer"],
        items=details["items"],
        trial_end=None if asked in (None, "now") else check_trial_end(work.now, asked),
        discounts=given.get("discounts", ()),
        prefix=PREVIEW,
    )
    return invoice


def _ends(subscription: Json) -> bool:
    return subscription["cancel_at"] is not None and subscription["cancel_at"] <= period_of(subscription)[1]


def _none_upcoming(subscription: Json) -> StripeError:
    return StripeError(
        404, f"No upcoming invoices for customer: {subscription['customer']}", code="invoice_upcoming_none"
    )
