"""Subscriptions and their items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import stripe
from stripe import params

from payflux.sandbox.api.endpoints import Call, Endpoint, retrieving
from payflux.sandbox.billing import ending, pausing
from payflux.sandbox.billing.changing import BILLED, NOTHING, carry_out, changed_items, end_later, plan_change
from payflux.sandbox.billing.discounts import redeem_discounts
from payflux.sandbox.billing.items import amount_of
from payflux.sandbox.billing.lines import proration_lines
from payflux.sandbox.billing.paying import invoice_pending
from payflux.sandbox.billing.pending import hold
from payflux.sandbox.billing.rules import DAY, LONGEST_TRIAL, TRANSITIONS
from payflux.sandbox.billing.subscribing import begin, check_trial_end
from payflux.sandbox.billing.subscriptions import UNPAUSE_COLLECTION, is_over, items_of, period_of, schedule
from payflux.sandbox.errors import StripeError
from payflux.sandbox.listing import list_page
from payflux.sandbox.payments import methods
from payflux.sandbox.query import query_of
from payflux.sandbox.schema.writing import merged, missing, not_carried_out, require_one
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work

PATH = "/v1/subscriptions"
READ, WRITE = "rak_subscription_read", "rak_subscription_write"
_REFUSED = (
    "add_invoice_items",
    "application_fee_percent",
    "backdate_start_date",
    "billing_cycle_anchor_config",
    "billing_schedules",
    "billing_thresholds",
    "currency",
    "customer_account",
    "days_until_due",
    "default_source",
    "default_tax_rates",
    "invoice_settings",
    "on_behalf_of",
    "pending_invoice_item_interval",
    "transfer_data",
    "trial_from_plan",
)
_ALWAYS = frozenset({"metadata", "cancellation_details"})  # what can be written on a subscription that is over
_UNPAID = frozenset({*_ALWAYS, "default_payment_method", "description", "payment_settings", "off_session"})


def plain_fields(work: Work, customer: str, given: Mapping[str, Any]) -> Json:
    """The fields of a subscription that parameters set as they are. Raises StripeError."""
    not_carried_out(given, *_REFUSED)
    if given.get("collection_method", "charge_automatically") != "charge_automatically":
        raise StripeError(400, "The sandbox collects automatically only.", param="collection_method")
    if given.get("payment_behavior") == "pending_if_incomplete":
        raise StripeError(400, "The sandbox does not carry out pending_if_incomplete.", param="payment_behavior")
    values: Json = {}
    if "automatic_tax" in given:
        values["automatic_tax"] = {"enabled": given["automatic_tax"]["enabled"]}
    if "description" in given:
        values["description"] = given["description"] or None
    if chosen := given.get("default_payment_method"):
        method = methods.require(work, chosen, "default_payment_method")
        if method["customer"] != customer:
            raise StripeError(
                400,
                f"The customer does not have a payment method with the ID {chosen}. The payment method must be "
                "attached to the customer.",
                code="resource_missing",
                param="default_payment_method",
            )
        values["default_payment_method"] = chosen
    if "payment_settings" in given:
        not_carried_out(given["payment_settings"], "payment_method_options")
        values["payment_settings"] = {"save_default_payment_method": "off", **given["payment_settings"]}
    if "trial_settings" in given:
        end = given["trial_settings"]["end_behavior"]
        if end.get("billing_cycle_anchor", "now") != "now":
            not_carried_out(end, "billing_cycle_anchor")
        values["trial_settings"] = {"end_behavior": {"missing_payment_method": "create_invoice", **end}}
    return values


def _trial_end(call: Call) -> int | None:
    given = call.params
    require_one(given, "trial_end", "trial_period_days")
    if days := given.get("trial_period_days"):
        if not 1 <= days <= LONGEST_TRIAL:
            raise StripeError(400, f"A trial has 1 to {LONGEST_TRIAL} days.", param="trial_period_days")
        return call.now + days * DAY
    asked = given.get("trial_end")
    return None if asked in (None, "now") else check_trial_end(call.now, asked)


def _create(call: Call) -> Json:
    given, work = call.params, call.work
    for name in ("customer", "items"):
        if name not in given:
            raise missing(name)
    values = plain_fields(work, given["customer"], given)
    mode = given.get("billing_mode", {"type": "flexible"})
    if mode["type"] == "flexible":
        mode = {"flexible": {"proration_discounts": "included", **mode.get("flexible", {})}, "type": "flexible"}
    begun = begin(
        work,
        customer=given["customer"],
        items=given["items"],
        trial_end=_trial_end(call),
        metadata=given.get("metadata") or {},
        discounts=given.get("discounts", ()),
        billing_mode=mode,
        **{
            name: given[name]
            for name in ("billing_cycle_anchor", "off_session", "payment_behavior", "proration_behavior")
            if name in given
        },
        **values,
    )
    if begun.refusal is not None and given.get("payment_behavior") == "error_if_incomplete":
        raise begun.refusal
    if changes := end_later(work, begun.subscription, given):
        work.change(begun.subscription, changes, "customer.subscription.updated")
        schedule(work, begun.subscription)
    return begun.subscription


def _update(call: Call) -> Json:
    given, work = call.params, call.work
    subscription = work.require("subscription", call.id)
    check_allowed(subscription, given)
    changes = plain_fields(work, subscription["customer"], given) | end_later(work, subscription, given)
    if "metadata" in given:
        changes["metadata"] = merged(subscription["metadata"], given["metadata"])
    if "discounts" in given:
        changes["discounts"] = redeem_discounts(
            work,
            given["discounts"],
            subscription=subscription["id"],
            customer=subscription["customer"],
            amount=sum(amount_of(item) for item in items_of(subscription)),
            currency=subscription["currency"],
        )
    if "pause_collection" in given:
        changes["pause_collection"] = _collection(work, subscription, given["pause_collection"])
    anchor_now = given.get("billing_cycle_anchor", {}).get("type") == "now"
    plan = NOTHING
    if "items" in given or "trial_end" in given or anchor_now:
        plan = plan_change(
            work,
            subscription,
            changed_items(work, subscription, given.get("items", [])),
            proration_behavior=given.get("proration_behavior", "create_prorations"),
            proration_date=given.get("proration_date"),
            trial_end=given.get("trial_end"),
            anchor_now=anchor_now,
        )
    carry_out(work, subscription, plan, changes, **payment_terms(given))
    return work.require("subscription", call.id)


def payment_terms(given: Mapping[str, Any]) -> dict[str, Any]:
    """When and how a call wants what its change costs to be paid."""
    return {
        "invoice_now": given.get("proration_behavior") == "always_invoice",
        "payment_behavior": given.get("payment_behavior", "allow_incomplete"),
        "off_session": given.get("off_session", False),
    }


def check_allowed(subscription: Json, given: Mapping[str, Any]) -> None:
    """Raises StripeError 400 for a change that the subscription's status does not allow."""
    if is_over(subscription) and given.keys() - _ALWAYS:
        raise StripeError(
            400,
            f"A {subscription['status']} subscription can only update its cancellation_details and metadata.",
            code="invalid_canceled_subscription_fields",
        )
    if subscription["status"] == "incomplete" and (wrong := sorted(given.keys() - _UNPAID)):
        raise StripeError(
            400,
            f"You cannot update `{wrong[0]}` of a subscription whose first invoice is not paid (incomplete).",
            param=wrong[0],
        )


def _collection(work: Work, subscription: Json, given: Json | str) -> Json | None:
    work.never(UNPAUSE_COLLECTION, subscription["id"])
    if isinstance(given, str):
        return None
    if at := given.get("resumes_at"):
        if at <= work.now:
            raise StripeError(400, "resumes_at must be in the future.", param="pause_collection[resumes_at]")
        work.later(at, UNPAUSE_COLLECTION, subscription["id"])
    return {"behavior": given["behavior"], "resumes_at": at}


def _cancel(call: Call) -> Json:
    given, work = call.params, call.work
    subscription = work.require("subscription", call.id)
    if is_over(subscription):
        raise StripeError(404, f"No such subscription: '{call.id}'", code="resource_missing", param="id")
    if given.get("prorate") and subscription["status"] in BILLED:
        hold(work, subscription, proration_lines(work, items_of(subscription), [], period_of(subscription), work.now))
    if given.get("invoice_now"):
        invoice_pending(work, subscription)
    return ending.cancel(work, subscription, reason="cancellation_requested", details=given.get("cancellation_details"))


def _pause(call: Call) -> Json:
    given, work = call.params, call.work
    credit = given.get("bill_for", {}).get("unused_time_from", {"type": "now"})["type"]
    now = given.get("invoicing_behavior") == "invoice"
    pausing.pause(work, work.require("subscription", call.id), credit_from=credit, invoice_now=now)
    return work.require("subscription", call.id)


def _resume(call: Call) -> Json:
    given, work = call.params, call.work
    not_carried_out(given, "proration_date")
    pausing.resume(
        work,
        work.require("subscription", call.id),
        anchor=given.get("billing_cycle_anchor", {"type": "now"})["type"],
        on_success=given.get("payment_behavior") == "resume_on_payment_success",
        prorated=given.get("proration_behavior") != "none",
    )
    return work.require("subscription", call.id)


def _list(call: Call) -> Json:
    not_carried_out(
        call.params, "automatic_tax", "current_period_end", "current_period_start", "plan", "price", "test_clock"
    )
    query = query_of(call.params)
    where = dict(query.filters)
    asked = where.pop("status", None)
    if asked == "ended":
        where["status"] = sorted(status for status, into in TRANSITIONS.items() if not into)
    elif asked != "all":
        where["status"] = asked or sorted(TRANSITIONS.keys() - {"canceled"})
    return list_page(call.work, "subscription", PATH, query, where)


def _on(method: str, path: str, answer: Any, form: Any) -> Endpoint:
    return Endpoint(method, path, READ if method == "GET" else WRITE, stripe.Subscription, answer, form)


ENDPOINTS: tuple[Endpoint, ...] = (
    _on("POST", PATH, _create, params.SubscriptionCreateParams),
    _on("GET", PATH, _list, params.SubscriptionListParams),
    retrieving(PATH, READ, stripe.Subscription),
    _on("POST", f"{PATH}/{{id}}", _update, params.SubscriptionUpdateParams),
    _on("DELETE", f"{PATH}/{{id}}", _cancel, params.SubscriptionCancelParams),
    _on("POST", f"{PATH}/{{id}}/pause", _pause, params.SubscriptionPauseParams),
    _on("POST", f"{PATH}/{{id}}/resume", _resume, params.SubscriptionResumeParams),
)
