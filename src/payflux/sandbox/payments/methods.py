"""Payment methods: cards, made from a token or a number, kept by a customer or used once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import stripe

from payflux.sandbox.errors import StripeError
from payflux.sandbox.payments.cards import (
    BY_TOKEN,
    Authentication,
    TestCard,
    behaviour,
    brand_of,
    card_error,
    fingerprint,
    read_card,
)
from payflux.sandbox.payments.declines import DECLINES, shown
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work, new_id


def from_token(work: Work, token: str) -> Json:
    """A new payment method of the test card behind a token such as `pm_card_visa`."""
    return _make(work, BY_TOKEN[token], 12, _next_year(work.now))


def from_card(work: Work, card: Mapping[str, Any], billing: Json | None = None, **values: Any) -> Json:
    """A new payment method from a card's `number`, `exp_month`, `exp_year` and `cvc`, or a `token` such as `tok_visa`.

    `values` are further fields of it. Raises a 402 StripeError for a card that cannot be, 400 for one without a number.
    """
    if token := card.get("token"):
        known = BY_TOKEN.get(str(token).replace("tok_", "pm_card_", 1))
        if known is None:
            raise StripeError(404, f"No such token: '{token}'", code="resource_missing", param="card[token]")
        return _make(work, known, 12, _next_year(work.now), billing, **values)
    for name in ("number", "exp_month", "exp_year"):
        if name not in card:
            raise StripeError(
                400, f"Missing required param: card[{name}].", code="parameter_missing", param=f"card[{name}]"
            )
    known = read_card(card["number"], card["exp_month"], card["exp_year"], card.get("cvc"), work.now)
    year = card["exp_year"] + 2000 if card["exp_year"] < 100 else card["exp_year"]
    return _make(work, known, card["exp_month"], year, billing, **values)


def _next_year(now: int) -> int:
    return datetime.fromtimestamp(now, UTC).year + 1


def _make(work: Work, card: TestCard, month: int, year: int, billing: Json | None = None, **values: Any) -> Json:
    brand = brand_of(card.number)
    method = complete(
        stripe.PaymentMethod,
        {
            "id": new_id("pm"),
            "allow_redisplay": "unspecified",
            "billing_details": {
                "address": dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state")),
                **(billing or {}),
            },
            "card": {
                "brand": brand,
                "checks": {
                    "address_line1_check": None,
                    "address_postal_code_check": None,
                    "cvc_check": "fail" if card.decline == "incorrect_cvc" else "pass",
                },
                "country": card.country,
                "display_brand": brand,
                "exp_month": month,
                "exp_year": year,
                "fingerprint": fingerprint(card.number),
                "funding": card.funding,
                "last4": card.number[-4:],
                "networks": {"available": [brand], "preferred": None},
                "regulated_status": "regulated" if card.funding == "debit" else "unregulated",
                "three_d_secure_usage": {"supported": True},
            },
            "created": work.now,
            "livemode": False,
            "metadata": {},
            "type": "card",
            **values,
        },
    )
    return work.create(method)


def require(work: Work, method_id: str, param: str = "payment_method") -> Json:
    """A payment method of this account; a test token makes a new one. Raises a 404 StripeError."""
    if method_id in BY_TOKEN:
        return from_token(work, method_id)
    found = work.store.get(work.account_id, method_id)
    if found is None or found["object"] != "payment_method":
        raise StripeError(404, f"No such PaymentMethod: '{method_id}'", code="resource_missing", param=param)
    return found


def card_of(method: Json) -> TestCard:
    return behaviour(method["card"]["fingerprint"])


def require_keepable(method: Json) -> None:
    """Raises the 402 StripeError of the bank that refuses the card's verification."""
    card = card_of(method)
    if not card.keepable:
        decline = DECLINES[card.decline]
        raise card_error(decline.code, decline.message, decline_code=shown(card.decline), advice_code=decline.advice)


def attach(work: Work, method: Json, customer: str) -> Json:
    """Let a customer keep a payment method. Raises StripeError where it is another's, or the card cannot be kept."""
    if method["customer"] == customer:
        return method
    if method["customer"] is not None:
        raise StripeError(
            400,
            "The payment method you provided has already been attached to a customer.",
            code="payment_method_unexpected_state",
        )
    require_keepable(method)
    return work.change(method, {"customer": customer}, "payment_method.attached")


def detach(work: Work, method: Json) -> Json:
    """Take a payment method from its customer; it can be used no more."""
    customer = work.get("customer", method["customer"])
    if customer is not None and customer["invoice_settings"]["default_payment_method"] == method["id"]:
        settings = customer["invoice_settings"] | {"default_payment_method": None}
        work.change(customer, {"invoice_settings": settings}, "customer.updated")
    work.create({"id": f"_detached/{method['id']}", "object": "_detached", "created": work.now})
    return work.change(method, {"customer": None}, "payment_method.detached")


def require_usable(work: Work, method: Json, customer: str | None) -> None:
    """Raises a 400 StripeError where a payment of `customer` cannot be made with this payment method."""
    if method["customer"] is not None and method["customer"] != customer:
        raise StripeError(
            400,
            f"The PaymentMethod {method['id']} belongs to a Customer. Please include the Customer in the `customer` "
            "parameter on the PaymentIntent or SetupIntent.",
            code="payment_method_unexpected_state",
            param="payment_method",
        )
    if method["customer"] is None and work.store.get(work.account_id, f"_detached/{method['id']}") is not None:
        raise StripeError(
            400,
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, or was "
            "detached from a Customer. It may not be used again.",
            code="payment_method_unexpected_state",
            param="payment_method",
        )


def needs_authentication(work: Work, method: Json, *, off_session: bool, asked: bool = False) -> bool:
    """Whether this payment is for the bank to authenticate; `asked` where the payment itself wants it."""
    asks = card_of(method).authentication
    if asks is Authentication.UNLESS_SET_UP:
        return not (off_session and _set_up(work, method["id"]))
    return asks is Authentication.ALWAYS or (asked and asks is Authentication.WHEN_ASKED)


def _set_up(work: Work, method_id: str) -> bool:
    done = {"payment_method": method_id, "status": "succeeded"}
    return bool(
        work.find("setup_intent", done | {"usage": "off_session"}, limit=1)
        or work.find("payment_intent", done | {"setup_future_usage": "off_session"}, limit=1)
    )
