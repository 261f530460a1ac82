"""Setup intents: a card kept for later payments, without one now. docs.stripe.com/api/setup_intents"""

from __future__ import annotations

import secrets
from typing import Any

import stripe

from payflux.sandbox.addresses import make_ticket, page_url
from payflux.sandbox.errors import StripeError
from payflux.sandbox.payments import methods
from payflux.sandbox.payments.cards import Authentication, card_error
from payflux.sandbox.payments.declines import DECLINES, shown
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work, new_id

_ASKING = (Authentication.UNLESS_SET_UP, Authentication.ALWAYS)
CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")


def create_setup(work: Work, **values: Any) -> Json:
    """A setup intent; `values` are fields of it, with `payment_method` an id. Raises StripeError."""
    method = methods.require(work, values["payment_method"]) if values.get("payment_method") else None
    if method is not None:
        methods.require_usable(work, method, values.get("customer"))
    setup_id = new_id("seti")
    defaults = {
        "metadata": {},
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
        "payment_method_options": {
            "card": {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
        },
        "usage": "off_session",
    }
    fixed = {
        "id": setup_id,
        "client_secret": f"{setup_id}_secret_{secrets.token_hex(12)}",
        "created": work.now,
        "livemode": False,
        "payment_method": method["id"] if method else None,
        "payment_method_types": ["card"],
        "status": "requires_confirmation" if method else "requires_payment_method",
    }
    return work.create(complete(stripe.SetupIntent, defaults | values | fixed), "setup_intent.created")


def confirm(work: Work, setup: Json, *, return_url: str | None = None, authenticated: bool = False) -> Json:
    """Try to keep the card; a refusal is the intent's `last_setup_error`. Raises StripeError if it cannot be tried."""
    if setup["status"] not in CONFIRMABLE:
        raise unexpected_state(setup, "confirm")
    if setup["payment_method"] is None:
        raise StripeError(
            400,
            "You cannot confirm this SetupIntent because it's missing a payment method. Update the SetupIntent with a "
            "payment method and then confirm it again.",
            code="setup_intent_unexpected_state",
        )
    method = methods.require(work, setup["payment_method"])
    card = methods.card_of(method)
    if not card.keepable:
        decline = DECLINES[card.decline]
        return _fail(
            work,
            setup,
            method,
            {
                "advice_code": decline.advice,
                "code": decline.code,
                "decline_code": shown(card.decline),
                "doc_url": f"https://stripe.com/docs/error-codes/{decline.code.replace('_', '-')}",
                "message": decline.message,
                "type": "card_error",
            },
        )
    if card.authentication in _ASKING and not authenticated:
        page = page_url(work, f"/c/authenticate/{make_ticket(work.account_id, setup['id'])}")
        action = {"redirect_to_url": {"return_url": return_url, "url": page}, "type": "redirect_to_url"}
        action = complete(stripe.SetupIntent.NextAction, action)
        return work.change(setup, {"status": "requires_action", "next_action": action}, "setup_intent.requires_action")
    if setup["customer"]:
        methods.attach(work, method, setup["customer"])
    done = {"status": "succeeded", "last_setup_error": None, "next_action": None}
    return work.change(setup, done, "setup_intent.succeeded")


def _fail(work: Work, setup: Json, method: Json, error: Json) -> Json:
    changes = {
        "status": "requires_payment_method",
        "last_setup_error": error | {"payment_method": method},
        "next_action": None,
        "payment_method": None,
    }
    return work.change(setup, changes, "setup_intent.setup_failed")


def refusal(setup: Json) -> StripeError | None:
    """The answer to a call whose confirmation was refused."""
    error = setup["last_setup_error"]
    if setup["status"] != "requires_payment_method" or error is None:
        return None
    more = {name: error[name] for name in ("decline_code", "advice_code", "payment_method") if name in error}
    return card_error(error["code"], error["message"], **more, setup_intent=setup)


def authenticate(work: Work, setup: Json, *, passed: bool) -> Json:
    """The customer has answered their bank. Raises StripeError where nothing was asked."""
    if setup["status"] != "requires_action":
        raise unexpected_state(setup, "authenticate")
    if passed:
        return confirm(work, setup, authenticated=True)
    error = {
        "code": "setup_intent_authentication_failure",
        "doc_url": "https://stripe.com/docs/error-codes/setup-intent-authentication-failure",
        "message": "The latest attempt to set up the payment method has failed because authentication failed.",
        "type": "invalid_request_error",
    }
    return _fail(work, setup, methods.require(work, setup["payment_method"]), error)


def cancel(work: Work, setup: Json, reason: str | None = None) -> Json:
    """Give a setup up. Raises StripeError."""
    if setup["status"] not in CONFIRMABLE:
        raise unexpected_state(setup, "cancel")
    changes = {"status": "canceled", "cancellation_reason": reason, "next_action": None}
    return work.change(setup, changes, "setup_intent.canceled")


def unexpected_state(setup: Json, verb: str) -> StripeError:
    return StripeError(
        400,
        f"You cannot {verb} this SetupIntent because it has a status of {setup['status']}.",
        code="setup_intent_unexpected_state",
        setup_intent=setup,
    )
