"""Sessions: how they begin, are discounted, and run out."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import stripe

from payflux.sandbox.addresses import page_url
from payflux.sandbox.checkout import orders
from payflux.sandbox.checkout.rules import LONGEST, check_session, trial_end_of
from payflux.sandbox.clock import Tasks
from payflux.sandbox.errors import StripeError, no_such
from payflux.sandbox.payments import setups
from payflux.sandbox.payments.customers import require_customer
from payflux.sandbox.payments.discounts import require_coupon, require_promotion_code
from payflux.sandbox.payments.intents import check_amount
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.schema.writing import missing, not_carried_out, written
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work

_HANDLED = (
    "line_items",
    "discounts",
    "subscription_data",
    "payment_intent_data",
    "setup_intent_data",
    "customer_update",
    "mode",
    "currency",
    "invoice_creation",
)
_DATA = ("subscription_data", "payment_intent_data", "setup_intent_data", "customer_update")
_SUBSCRIPTION_DATA = ("metadata", "description", "trial_end", "trial_period_days", "trial_settings")
_INTENT_DATA = (
    "metadata",
    "description",
    "capture_method",
    "receipt_email",
    "setup_future_usage",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)


def create_session(work: Work, params: Mapping[str, Any]) -> Json:
    """A session from the parameters of `POST /v1/checkout/sessions`. Raises StripeError."""
    mode = params.get("mode", "payment")
    check_session(params, mode, work.now)
    for name, known in (("subscription_data", _SUBSCRIPTION_DATA), ("payment_intent_data", _INTENT_DATA)):
        not_carried_out(params.get(name, {}), *(set(params.get(name, {})) - set(known)))
    customer = require_customer(work, params["customer"]) if params.get("customer") else None
    session_id = f"cs_test_{secrets.token_urlsafe(43).replace('-', 'a').replace('_', 'b')}"
    lines = _lines(work, params, mode)
    trial_end = trial_end_of(params.get("subscription_data", {}), work.now)
    order = orders.new_order(
        session_id, work.now, lines, trial_end=trial_end, **{name: params.get(name, {}) for name in _DATA}
    )
    params = _filled_in(work, params)
    session = complete(
        stripe.checkout.Session,
        _defaults(params, mode, customer)
        | written(stripe.checkout.Session, params, _HANDLED)
        | {
            "id": session_id,
            "created": work.now,
            "expires_at": params.get("expires_at", work.now + LONGEST),
            "livemode": False,
            "mode": mode,
            "payment_method_types": ["card"],
            "payment_status": "no_payment_required" if mode == "setup" else "unpaid",
            "status": "open",
            "ui_mode": "hosted_page",
            "url": page_url(work, f"/c/pay/{session_id}"),
        },
    )
    if mode == "setup":
        values = {"customer": params.get("customer")} | params.get("setup_intent_data", {})
        session["setup_intent"] = order["intent"] = setups.create_setup(work, **values)["id"]
        session["currency"] = params.get("currency")
    else:
        session["currency"] = lines[0]["currency"]
    work.create(order)
    work.create(session)
    if mode != "setup":
        for discount in params.get("discounts", ())[:1]:
            _discount(work, session, order, discount)
        _price(work, session, order)
        if session["amount_total"]:
            check_amount(session["amount_total"], lines[0]["currency"], "line_items")
    work.later(session["expires_at"], "checkout_expires", session_id)
    return session


def _lines(work: Work, params: Mapping[str, Any], mode: str) -> list[Json]:
    if mode != "setup":
        return orders.make_lines(work, params.get("line_items", ()), mode)
    if "line_items" in params:
        raise StripeError(400, "`line_items` cannot be passed in `setup` mode.", param="line_items")
    if "currency" not in params:
        raise missing("currency")
    return []


def _filled_in(work: Work, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with what Stripe adds to the parts that are given."""
    parts = {
        "branding_settings": {
            "background_color": "#ffffff",
            "border_style": "rounded",
            "button_color": "#0074d4",
            "display_name": work.view.merchant.archetype.business,
            "font_family": "default",
        },
        "tax_id_collection": {"required": "never"},
    }
    return {**params, **{name: part | params[name] for name, part in parts.items() if name in params}}


def _defaults(params: Mapping[str, Any], mode: str, customer: Json | None) -> Json:
    email = customer["email"] if customer else params.get("customer_email")
    return {
        "adaptive_pricing": {"enabled": False},
        "automatic_tax": {"enabled": False},
        "custom_text": {},
        "customer_creation": {"subscription": "always", "payment": "if_required"}.get(mode) if not customer else None,
        "customer_details": {"email": email, "tax_exempt": "none"} if email else None,
        "discounts": [],
        "metadata": {},
        "payment_method_collection": "always" if mode == "subscription" else "if_required",
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
    }


def _discount(work: Work, session: Json, order: Json, asked: Json) -> None:
    """Give the session the discount that its creator asked for. Raises StripeError."""
    code = None
    if "promotion_code" in asked:
        code = work.require("promotion_code", asked["promotion_code"], "discounts[0][promotion_code]")
        amount = orders.full_amount(order)
        coupon = require_promotion_code(work, code, session["customer"], amount, session["currency"])
    elif "coupon" in asked:
        coupon = require_coupon(work, asked["coupon"], "discounts[0][coupon]", session["currency"])
    else:
        raise missing("discounts[0][coupon]")
    _set_discount(work, session, order, coupon, code)


def _set_discount(work: Work, session: Json, order: Json, coupon: Json | None, code: Json | None) -> None:
    work.change(order, {"coupon": coupon and coupon["id"], "promotion_code": code and code["id"]})
    shown = [{"coupon": None if code else coupon["id"], "promotion_code": code and code["id"]}] if coupon else []
    work.change(session, {"discounts": shown})


def enter_code(work: Work, session: Json, text: str) -> None:
    """The promotion code that a person has entered on the page; "" takes it off. Raises StripeError with the reason."""
    order = orders.order_of(work, session["id"])
    coupon = code = None
    if text:
        found = [one for one in work.find("promotion_code") if one["code"].casefold() == text.casefold()]
        code = next((one for one in found if one["active"]), None)
        amount = orders.full_amount(order)
        coupon = require_promotion_code(work, code, session["customer"], amount, session["currency"])
    _set_discount(work, session, order, coupon, code)
    _price(work, session, order)


def coupon_of(work: Work, order: Json) -> Json | None:
    return work.get("coupon", order["coupon"]) if order["coupon"] else None


def _price(work: Work, session: Json, order: Json) -> None:
    work.change(session, orders.totals(orders.priced(order, coupon_of(work, order))))


def line_items(work: Work, session: Json) -> list[Json]:
    """The session's line items as they are due today."""
    order = orders.order_of(work, session["id"])
    return orders.priced(order, coupon_of(work, order))


def find_session(work: Work, session_id: str) -> Json:
    """Raises a 404 StripeError."""
    session = work.get("checkout.session", session_id)
    if session is None:
        raise no_such("checkout.session", session_id)
    return session


def expire(work: Work, session: Json) -> Json:
    """End an open session unpaid. Raises StripeError for one that is not open."""
    if session["status"] != "open":
        raise StripeError(
            400,
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
            f"`{session['status']}`.",
        )
    work.never("checkout_expires", session["id"])
    return work.change(session, {"status": "expired", "url": None}, "checkout.session.expired")


def checkout_expires(work: Work, session_id: str) -> None:
    expire(work, find_session(work, session_id))


TASKS: Tasks = {"checkout_expires": checkout_expires}
