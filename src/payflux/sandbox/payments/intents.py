"""Payment intents: from the wish to be paid to the payment, through confirmation, authentication and capture.

docs.stripe.com/payments/paymentintents/lifecycle
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import stripe

from payflux.sandbox.addresses import make_ticket, page_url
from payflux.sandbox.clock import Tasks
from payflux.sandbox.errors import StripeError
from payflux.sandbox.payments import charges, methods, refunds
from payflux.sandbox.payments.cards import card_error
from payflux.sandbox.payments.declines import DECLINES, shown
from payflux.sandbox.payments.disputes import follow_card
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work, new_id

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELABLE = ("requires_payment_method", "requires_confirmation", "requires_action", "requires_capture", "processing")
LEAST = {"usd": 50, "eur": 50, "gbp": 30, "jpy": 50, "cad": 50, "aud": 50, "chf": 50, "nzd": 50, "sgd": 50, "brl": 50}
MOST = 99_999_999
_FOLLOW = "_follow"


def check_amount(amount: int, currency: str, param: str = "amount") -> None:
    """Raises StripeError for an amount that cannot be charged. docs.stripe.com/currencies#minimum-and-maximum"""
    if amount < LEAST.get(currency, 1):
        raise StripeError(
            400,
            f"The amount must be at least {LEAST.get(currency, 1)} in the smallest unit of {currency}.",
            code="amount_too_small",
            param=param,
        )
    if amount > MOST:
        raise StripeError(400, f"The amount can be {MOST} at most.", code="amount_too_large", param=param)


def create_intent(work: Work, *, amount: int, currency: str, **values: Any) -> Json:
    """A payment intent; `values` are further fields of it, with `payment_method` an id. Raises StripeError."""
    check_amount(amount, currency)
    method = methods.require(work, values["payment_method"]) if values.get("payment_method") else None
    if method is not None:
        methods.require_usable(work, method, values.get("customer"))
    intent_id = new_id("pi")
    fixed = {
        "id": intent_id,
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "client_secret": f"{intent_id}_secret_{secrets.token_hex(12)}",
        "created": work.now,
        "currency": currency,
        "livemode": False,
        "payment_method": method["id"] if method else None,
        "payment_method_types": ["card"],
        "status": "requires_confirmation" if method else "requires_payment_method",
    }
    defaults = {
        "amount_details": {"tip": {}},
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
        "capture_method": "automatic_async",
        "confirmation_method": "automatic",
        "payment_method_options": {
            "card": {
                "installments": None,
                "mandate_options": None,
                "network": None,
                "request_three_d_secure": "automatic",
            }
        },
    }
    return work.create(complete(stripe.PaymentIntent, defaults | values | fixed), "payment_intent.created")


def confirm(
    work: Work,
    intent: Json,
    *,
    off_session: bool = False,
    return_url: str | None = None,
    authenticated: bool = False,
    refuse_action: bool = False,
) -> Json | None:
    """Try to take the payment with the intent's payment method; its charge, None while authentication is awaited.

    A refusal is the intent's `last_payment_error` (:func:`refusal` makes the answer of it). With `refuse_action`, or
    off-session, a card that asks for authentication is declined. Raises StripeError where it cannot be confirmed.
    """
    if intent["status"] not in CONFIRMABLE:
        raise unexpected_state(intent, "confirm")
    if intent["payment_method"] is None:
        raise StripeError(
            400,
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the "
            "PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a "
            "payment method or ConfirmationToken.",
            code="payment_intent_unexpected_state",
        )
    method = methods.require(work, intent["payment_method"])
    methods.require_usable(work, method, intent["customer"])
    decline = methods.card_of(method).decline
    wanted = (intent["payment_method_options"].get("card") or {}).get("request_three_d_secure")
    asked = wanted in ("any", "challenge")
    if not authenticated and methods.needs_authentication(work, method, off_session=off_session, asked=asked):
        if not off_session and not refuse_action:
            _await_authentication(work, intent, return_url)
            return None
        decline = "authentication_required"
    charge = charges.attempt(work, intent, method, decline=decline, authenticated=authenticated)
    if decline:
        _fail(work, intent, method, _declined(charge, decline))
    else:
        _succeed(work, intent, method, charge)
    return charge


def _await_authentication(work: Work, intent: Json, return_url: str | None) -> None:
    page = page_url(work, f"/c/authenticate/{make_ticket(work.account_id, intent['id'])}")
    action = {"redirect_to_url": {"return_url": return_url, "url": page}, "type": "redirect_to_url"}
    changes = {"status": "requires_action", "next_action": complete(stripe.PaymentIntent.NextAction, action)}
    work.change(intent, changes, "payment_intent.requires_action")


def _succeed(work: Work, intent: Json, method: Json, charge: Json) -> None:
    if intent["setup_future_usage"] and intent["customer"]:
        methods.attach(work, method, intent["customer"])
    done = {"latest_charge": charge["id"], "last_payment_error": None, "next_action": None}
    if not charge["captured"]:
        held = done | {"status": "requires_capture", "amount_capturable": charge["amount"]}
        work.change(intent, held, "payment_intent.amount_capturable_updated")
        work.later(work.now + charges.AUTHORIZED_FOR, "authorization_expires", intent["id"])
        return
    paid = done | {"status": "succeeded", "amount_received": charge["amount"]}
    work.change(intent, paid, "payment_intent.succeeded")
    _tell_follower(work, intent)
    follow_card(work, charge, methods.card_of(method))


def _fail(work: Work, intent: Json, method: Json, error: Json) -> None:
    changes = {
        "status": "requires_payment_method",
        "last_payment_error": error | {"payment_method": method},
        "latest_charge": error.get("charge"),
        "next_action": None,
        "payment_method": None,
    }
    work.change(intent, changes, "payment_intent.payment_failed")
    _tell_follower(work, intent)


def _declined(charge: Json, decline: str) -> Json:
    why = DECLINES[decline]
    error = {
        "charge": charge["id"],
        "code": why.code,
        "decline_code": shown(decline),
        "doc_url": f"https://stripe.com/docs/error-codes/{why.code.replace('_', '-')}",
        "message": why.message,
        "type": "card_error",
    }
    return error | ({"advice_code": why.advice} if why.advice else {})


def refusal(intent: Json) -> StripeError | None:
    """The answer to a call whose confirmation was refused."""
    error = intent["last_payment_error"]
    if intent["status"] != "requires_payment_method" or error is None:
        return None
    more = {name: error[name] for name in ("charge", "decline_code", "advice_code", "payment_method") if name in error}
    return card_error(error["code"], error["message"], **more, payment_intent=intent)


def authenticate(work: Work, intent: Json, *, passed: bool) -> None:
    """The customer has answered their bank. Raises StripeError where nothing was asked."""
    if intent["status"] != "requires_action":
        raise unexpected_state(intent, "authenticate")
    if passed:
        confirm(work, intent, authenticated=True)
        return
    error = {
        "code": "payment_intent_authentication_failure",
        "doc_url": "https://stripe.com/docs/error-codes/payment-intent-authentication-failure",
        "message": "The provided payment method has failed authentication. You can provide payment_method_data or a "
        "new PaymentMethod to attempt to fulfill this PaymentIntent again.",
        "type": "invalid_request_error",
    }
    _fail(work, intent, methods.require(work, intent["payment_method"]), error)


def capture(work: Work, intent: Json, amount: int | None = None) -> Json:
    """Take what an authorization holds, or `amount` of it. Raises StripeError."""
    if intent["status"] != "requires_capture":
        raise unexpected_state(intent, "capture")
    held = intent["amount_capturable"]
    amount = held if amount is None else amount
    if not 1 <= amount <= held:
        raise StripeError(
            400,
            f"The amount to capture must be between 1 and what is capturable, {held}.",
            code="amount_too_large",
            param="amount_to_capture",
        )
    charge = work.require("charge", intent["latest_charge"])
    charges.capture(work, charge, amount)
    if amount < held:
        refunds.release(work, charge, held - amount)
    work.never("authorization_expires", intent["id"])
    changes = {"status": "succeeded", "amount_capturable": 0, "amount_received": amount}
    work.change(intent, changes, "payment_intent.succeeded")
    _tell_follower(work, intent)
    follow_card(work, charge, methods.card_of(work.require("payment_method", charge["payment_method"])))
    return intent


def cancel(work: Work, intent: Json, reason: str | None = None) -> Json:
    """Give an intent up; an authorization is let go. Raises StripeError."""
    if intent["status"] not in CANCELABLE:
        raise unexpected_state(intent, "cancel")
    if intent["status"] == "requires_capture":
        refunds.release(work, work.require("charge", intent["latest_charge"]), intent["amount_capturable"])
        work.never("authorization_expires", intent["id"])
    changes = {
        "status": "canceled",
        "amount_capturable": 0,
        "canceled_at": work.now,
        "cancellation_reason": reason,
        "next_action": None,
    }
    return work.change(intent, changes, "payment_intent.canceled")


def authorization_expires(work: Work, intent_id: str) -> None:
    cancel(work, work.require("payment_intent", intent_id), "automatic")


def unexpected_state(intent: Mapping[str, Any], verb: str) -> StripeError:
    return StripeError(
        400,
        f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}.",
        code="payment_intent_unexpected_state",
        payment_intent=dict(intent),
    )


def follow(work: Work, intent: Json, task: str) -> None:
    """Let `task` run on the intent's id each time that it is paid or refused from now on."""
    work.create({"id": f"{_FOLLOW}/{intent['id']}", "object": _FOLLOW, "created": work.now, "task": task})


def _tell_follower(work: Work, intent: Json) -> None:
    if (follower := work.store.get(work.account_id, f"{_FOLLOW}/{intent['id']}")) is not None:
        work.later(work.now, follower["task"], intent["id"])


TASKS: Tasks = {"authorization_expires": authorization_expires}
