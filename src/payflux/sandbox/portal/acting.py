"""What a customer does in the portal, within what its configuration offers."""

from __future__ import annotations

import re
from collections.abc import Mapping

from payflux.sandbox.billing import ending
from payflux.sandbox.billing.changing import BILLED, Plan, carry_out, changed_items, end_later, plan_change
from payflux.sandbox.billing.lines import proration_lines
from payflux.sandbox.billing.paying import invoice_pending
from payflux.sandbox.billing.pending import hold
from payflux.sandbox.billing.previewing import preview
from payflux.sandbox.billing.subscriptions import is_over, items_of, payment_method_of, period_of, schedule
from payflux.sandbox.errors import StripeError
from payflux.sandbox.payments import methods
from payflux.sandbox.payments.cards import card_error
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work

_EXPIRY = re.compile(r"\s*(\d{1,2})\s*/?\s*(\d{2}|\d{4})\s*")
LIVE = ("trialing", "active", "past_due", "unpaid", "paused", "incomplete")
_CHANGEABLE = ("trialing", "active", "past_due")


def read_card(given: Mapping[str, str]) -> Json:
    """The card that a form's `number`, `expiry` and `cvc` name. Raises a 402 StripeError that names the field."""
    if not given["number"]:
        raise card_error("incomplete_number", "Your card number is incomplete.", "number")
    expiry = _EXPIRY.fullmatch(given["expiry"])
    if expiry is None:
        raise card_error("incomplete_expiry", "Your card's expiration date is incomplete.", "expiry")
    if not given["cvc"]:
        raise card_error("incomplete_cvc", "Your card's security code is incomplete.", "cvc")
    month, year = int(expiry[1]), int(expiry[2])
    return {"number": given["number"], "exp_month": month, "exp_year": year, "cvc": given["cvc"]}


def live_subscriptions(work: Work, customer: str) -> list[Json]:
    """The subscriptions that a customer has now, the newest first."""
    return work.find("subscription", {"customer": customer, "status": LIVE})


def set_card(work: Work, features: Json, customer: Json, given: Mapping[str, str]) -> None:
    """Let the customer's invoices be paid with another card from now on. Raises StripeError for one that cannot be."""
    _require_offered(features, "payment_method_update")
    method = methods.attach(work, methods.from_card(work, read_card(given)), customer["id"])
    settings = customer["invoice_settings"] | {"default_payment_method": method["id"]}
    work.change(customer, {"invoice_settings": settings}, "customer.updated")
    for subscription in live_subscriptions(work, customer["id"]):
        if subscription["default_payment_method"] is not None:
            chosen = {"default_payment_method": method["id"]}
            work.change(subscription, chosen, "customer.subscription.updated")


def cancel(work: Work, features: Json, subscription: Json, reason: str, comment: str) -> None:
    """End a subscription now or at its period's end, as the configuration says. Raises StripeError."""
    feature = _require_offered(features, "subscription_cancel")
    if not can_cancel(subscription):
        raise StripeError(400, "This subscription has ended or ends already.")
    asked = feature["cancellation_reason"]
    told = {"comment": comment or None}
    if asked["enabled"] and reason in asked["options"]:
        told["feedback"] = reason
    if feature["mode"] == "at_period_end":
        # a subscription in flexible mode ends at a moment, one in classic mode with its period
        flexible = subscription["billing_mode"]["type"] == "flexible"
        when = {"cancel_at": "min_period_end"} if flexible else {"cancel_at_period_end": True}
        changes = end_later(work, subscription, {**when, "cancellation_details": told})
        work.change(subscription, changes, "customer.subscription.updated")
        schedule(work, subscription)
        return
    if feature["proration_behavior"] != "none" and subscription["status"] in BILLED:
        hold(work, subscription, proration_lines(work, items_of(subscription), [], period_of(subscription), work.now))
        if feature["proration_behavior"] == "always_invoice":
            invoice_pending(work, subscription)
    ending.cancel(work, subscription, reason="cancellation_requested", details=told)


def keep(work: Work, features: Json, subscription: Json) -> None:
    """Take back an end that has not come yet. Raises StripeError."""
    _require_offered(features, "subscription_cancel")
    if is_over(subscription) or subscription["cancel_at"] is None:
        raise StripeError(400, "This subscription does not end.")
    work.change(subscription, end_later(work, subscription, {"cancel_at": ""}), "customer.subscription.updated")
    schedule(work, subscription)


def can_cancel(subscription: Json) -> bool:
    return not is_over(subscription) and subscription["cancel_at"] is None


def offered_prices(work: Work, features: Json, subscription: Json) -> list[Json]:
    """The prices that the customer may switch to."""
    feature = features["subscription_update"]
    if not feature["enabled"] or "price" not in feature["default_allowed_updates"]:
        return []
    if len(items_of(subscription)) != 1 or subscription["status"] not in _CHANGEABLE:
        return []
    current = items_of(subscription)[0]["price"]
    listed = [price for product in feature["products"] or [] for price in product["prices"]]
    found = [work.get("price", price) for price in listed if price != current["id"]]
    return [
        price
        for price in found
        if price is not None and price["active"] and price["recurring"] and price["currency"] == current["currency"]
    ]


def switch(work: Work, features: Json, subscription: Json, price: str, quantity: int | None = None) -> None:
    """Change the price, and the quantity where one is named, as the configuration says: a trial ends or goes on, time
    left is given back or not.

    Raises StripeError, also where a payment that is due at once fails: then nothing is changed.
    """
    _require_switch(work, features, subscription, price, quantity)
    behavior = features["subscription_update"]["proration_behavior"]
    carry_out(
        work,
        subscription,
        _plan(work, features, subscription, price, quantity),
        {},
        invoice_now=behavior == "always_invoice",
        payment_behavior="error_if_incomplete",
    )


def due_for_switch(work: Work, features: Json, subscription: Json, price: str, quantity: int | None = None) -> Json:
    """The invoice that switching leads to, now or with the next period. Raises StripeError."""
    _require_switch(work, features, subscription, price, quantity)
    details: Json = {
        "items": [_item(subscription, price, quantity)],
        "proration_behavior": features["subscription_update"]["proration_behavior"],
    }
    if _ends_trial(features, subscription):
        details["trial_end"] = "now"
    return preview(work, {"subscription": subscription["id"], "subscription_details": details})


def _item(subscription: Json, price: str, quantity: int | None) -> Json:
    return {"id": items_of(subscription)[0]["id"], "price": price} | ({"quantity": quantity} if quantity else {})


def _plan(work: Work, features: Json, subscription: Json, price: str, quantity: int | None) -> Plan:
    return plan_change(
        work,
        subscription,
        changed_items(work, subscription, [_item(subscription, price, quantity)]),
        proration_behavior=features["subscription_update"]["proration_behavior"],
        trial_end="now" if _ends_trial(features, subscription) else None,
    )


def _ends_trial(features: Json, subscription: Json) -> bool:
    ends = features["subscription_update"]["trial_update_behavior"] == "end_trial"
    return subscription["status"] == "trialing" and ends


def _require_switch(work: Work, features: Json, subscription: Json, price: str, quantity: int | None) -> None:
    offered = [offered["id"] for offered in offered_prices(work, features, subscription)]
    item = items_of(subscription)[0]
    seats_alone = price == item["price"]["id"] and quantity not in (None, item["quantity"])
    allowed = "quantity" in features["subscription_update"]["default_allowed_updates"]
    if price not in offered and not (seats_alone and allowed and subscription["status"] in _CHANGEABLE):
        raise StripeError(400, "This plan is not offered here.")
    if payment_method_of(work, subscription) is None:
        raise StripeError(402, "Add a card first.", kind="card_error")


def _require_offered(features: Json, name: str) -> Json:
    if not features[name]["enabled"]:
        raise StripeError(403, "This is not offered here.")
    return features[name]
