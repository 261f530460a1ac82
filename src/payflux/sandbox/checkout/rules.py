"""What a session may be asked for. docs.stripe.com/api/checkout/sessions/create"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payflux.sandbox.errors import StripeError
from payflux.sandbox.payments.links import require_local_url
from payflux.sandbox.schema.writing import missing, not_carried_out, require_one

HOUR = 3600
SHORTEST, LONGEST = HOUR // 2, 24 * HOUR  # of a session's life
SHORTEST_TRIAL = 48 * HOUR
MOST_TRIAL_DAYS = 730
LONGEST_REFERENCE = 200
_NOT_CARRIED_OUT = (
    "after_expiration",
    "customer_account",
    "custom_fields",
    "name_collection",
    "optional_items",
    "payment_method_configuration",
    "payment_method_data",
    "payment_method_options",
    "redirect_on_completion",
    "return_url",
    "shipping_address_collection",
    "shipping_options",
)
_NOT_CARRIED_OUT_WHERE: dict[str, dict[str, Any]] = {
    "consent_collection": {"terms_of_service": "required"},
    "invoice_creation": {"enabled": True},
    "managed_payments": {"enabled": True},
    "phone_number_collection": {"enabled": True},
}
_ONE_MODE = {
    "customer_creation": "payment",
    "invoice_creation": "payment",
    "payment_intent_data": "payment",
    "payment_method_collection": "subscription",
    "setup_intent_data": "setup",
    "subscription_data": "subscription",
}


def check_session(params: Mapping[str, Any], mode: str, now: int) -> None:
    """Raises StripeError 400 for parameters that exclude each other, are missing or out of range."""
    _check_pages(params)
    not_carried_out(params, *_NOT_CARRIED_OUT)
    for pair in (
        ("customer", "customer_email"),
        ("customer", "customer_creation"),
        ("allow_promotion_codes", "discounts"),
    ):
        require_one(params, *pair)
    for name, only in _ONE_MODE.items():
        if name in params and mode != only:
            raise StripeError(400, f"You can not pass `{name}` in `{mode}` mode.", param=name)
    for name, part in _NOT_CARRIED_OUT_WHERE.items():
        if all(params.get(name, {}).get(key) == value for key, value in part.items()):
            not_carried_out(params, name)
    _check_customer(params)
    if len(params.get("discounts", ())) > 1:
        raise StripeError(400, "A session has one discount at most.", param="discounts")
    if len(params.get("client_reference_id", "")) > LONGEST_REFERENCE:
        raise StripeError(
            400, f"client_reference_id has at most {LONGEST_REFERENCE} characters.", param="client_reference_id"
        )
    if not SHORTEST <= params.get("expires_at", now + LONGEST) - now <= LONGEST:
        raise StripeError(
            400,
            "The `expires_at` timestamp must be at least 30 minutes and at most 24 hours from Checkout Session "
            "creation.",
            param="expires_at",
        )
    check_trial(params.get("subscription_data", {}), now)


def _check_customer(params: Mapping[str, Any]) -> None:
    """What may be changed on an existing customer, and what has to be."""
    update = params.get("customer_update", {})
    if "customer" not in params:
        if update:
            raise StripeError(400, "`customer_update` can only be used with `customer`.", param="customer_update")
        return
    if params.get("automatic_tax", {}).get("enabled") and update.get("address") != "auto":
        raise StripeError(
            400,
            "Automatic tax calculation in Checkout requires a valid address on the Customer. Add a valid address to "
            "the Customer or set `customer_update[address]` to 'auto' to save the address entered in Checkout.",
            code="customer_tax_location_invalid",
            param="automatic_tax",
        )
    if params.get("tax_id_collection", {}).get("enabled") and update.get("name") != "auto":
        raise StripeError(
            400,
            "Tax ID collection requires updating business name on the customer. To enable tax ID collection for an "
            "existing customer, please set `customer_update[name]` to `auto`.",
            param="tax_id_collection",
        )


def _check_pages(params: Mapping[str, Any]) -> None:
    """The hosted page and where it leads. Other ways to show a session have no place in the sandbox."""
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        not_carried_out(params, "ui_mode")
    if "success_url" not in params:
        raise missing("success_url")
    for name in ("success_url", "cancel_url"):
        if name in params:
            require_local_url(params[name], name)


def check_trial(data: Mapping[str, Any], now: int) -> None:
    """Raises StripeError 400 for a trial that is too short or said twice."""
    if "trial_end" in data and "trial_period_days" in data:
        raise StripeError(
            400,
            "You may only specify one of these parameters: trial_end, trial_period_days.",
            param="subscription_data",
        )
    if "trial_end" in data and data["trial_end"] - now < SHORTEST_TRIAL:
        raise StripeError(
            400,
            "The `trial_end` date has to be at least 2 days in the future.",
            param="subscription_data[trial_end]",
        )
    if not 1 <= data.get("trial_period_days", 1) <= MOST_TRIAL_DAYS:
        raise StripeError(
            400, f"A trial has 1 to {MOST_TRIAL_DAYS} days.", param="subscription_data[trial_period_days]"
        )


def trial_end_of(data: Mapping[str, Any], now: int) -> int | None:
    """When the trial ends that `subscription_data` asks for, counted from now."""
    if "trial_period_days" in data:
        return now + data["trial_period_days"] * 24 * HOUR
    return data.get("trial_end")
