"""The test cards: the numbers and tokens that Stripe documents, and what each does. docs.stripe.com/testing

A number is never kept. What a card does is found again by its fingerprint, which is a hash of the number.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any, NamedTuple

from payflux.sandbox.errors import StripeError


class Authentication(Enum):
    """When a card asks for 3D Secure."""

    NEVER = auto()
    UNLESS_SET_UP = auto()  # an off-session payment needs none once the card was set up for later
    ALWAYS = auto()
    WHEN_ASKED = auto()  # where the payment asks for it


class TestCard(NamedTuple):
    """A documented card; `decline` is the decline code of each charge, "" for none."""

    __test__ = False

    number: str
    token: str  # after pm_card_
    decline: str = ""
    keepable: bool = True  # whether a customer can keep it
    authentication: Authentication = Authentication.NEVER
    dispute: str = ""  # the reason of the dispute that each payment meets
    inquiry: bool = False  # that dispute is an inquiry at first
    warned: bool = False  # each payment is reported as fraudulent
    refund: str = "succeeded"  # what becomes of its refunds: succeeded, failed or pending
    settled: bool = False  # its money is available at once
    risk_score: int = 20
    funding: str = "credit"
    country: str = "US"
    says: str = ""  # shown beside the hosted page's form; "" for the ones not shown


def _declined(number: str, token: str, code: str, says: str = "") -> TestCard:
    return TestCard(number, token, decline=code, keepable=False, says=says)


CARDS = (
    TestCard("4242424242424242", "visa", says="Succeeds"),
    TestCard("4000056655665556", "visa_debit", funding="debit"),
    TestCard("5555555555554444", "mastercard"),
    TestCard("5200828282828210", "mastercard_debit", funding="debit"),
    TestCard("5105105105105100", "mastercard_prepaid", funding="prepaid"),
    TestCard("378282246310005", "amex"),
    TestCard("6011111111111117", "discover"),
    TestCard("3056930009020004", "diners"),
    TestCard("3566002020360505", "jcb"),
    TestCard("6200000000000005", "unionpay"),
    TestCard("4000002760000016", "de", country="DE"),
    TestCard("4000008260000000", "gb", country="GB"),
    TestCard("4000002500001001", "fr", country="FR"),
    _declined("4000000000000002", "chargeDeclined", "generic_decline", "Is declined"),
    _declined("4000000000009995", "chargeDeclinedInsufficientFunds", "insufficient_funds", "Has insufficient funds"),
    _declined("4000000000009987", "chargeDeclinedLostCard", "lost_card"),
    _declined("4000000000009979", "chargeDeclinedStolenCard", "stolen_card"),
    _declined("4000000000000069", "chargeDeclinedExpiredCard", "expired_card"),
    _declined("4000000000000127", "chargeDeclinedIncorrectCvc", "incorrect_cvc"),
    _declined("4000000000000119", "chargeDeclinedProcessingError", "processing_error"),
    _declined("4000000000006975", "chargeDeclinedVelocityLimitExceeded", "card_velocity_exceeded"),
    TestCard("4100000000000019", "radarBlock", decline="highest_risk_level", keepable=True, risk_score=90),
    TestCard("4000000000004954", "riskLevelHighest", decline="highest_risk_level", risk_score=80),
    TestCard("4000000000009235", "riskLevelElevated", risk_score=70),
    TestCard(
        "4000002500003155",
        "authenticationRequiredOnSetup",
        authentication=Authentication.UNLESS_SET_UP,
        says="Asks for 3D Secure, once",
    ),
    TestCard("4000002760003184", "authenticationRequired", authentication=Authentication.ALWAYS),
    TestCard(
        "4000000000003220",
        "threeDSecure2Required",
        authentication=Authentication.ALWAYS,
        says="Asks for 3D Secure, always",
    ),
    TestCard("4000000000003055", "threeDSecureOptional", authentication=Authentication.WHEN_ASKED),
    TestCard(
        "4000000000000341",
        "chargeCustomerFail",
        decline="generic_decline",
        says="Can be kept, then charges are declined",
    ),
    TestCard("4000000000000259", "createDispute", dispute="fraudulent", says="Succeeds, then is disputed"),
    TestCard("4000000000002685", "createDisputeProductNotReceived", dispute="product_not_received"),
    TestCard("4000000000001976", "createDisputeInquiry", dispute="fraudulent", inquiry=True),
    TestCard("4000000000005423", "createIssuerFraudRecord", warned=True),
    TestCard("4000000000005126", "refundFail", refund="failed"),
    TestCard("4000000000007726", "pendingRefund", refund="pending"),
    TestCard("4000000000000077", "bypassPending", settled=True),
)
SHOWN = tuple(card for card in CARDS if card.says)
BY_TOKEN = {f"pm_card_{card.token}": card for card in CARDS}
BY_TOKEN |= {
    "pm_card_visa_chargeDeclined": BY_TOKEN["pm_card_chargeDeclined"],
    "pm_card_visa_chargeDeclinedInsufficientFunds": BY_TOKEN["pm_card_chargeDeclinedInsufficientFunds"],
    "pm_card_visa_chargeDeclinedLostCard": BY_TOKEN["pm_card_chargeDeclinedLostCard"],
    "pm_card_visa_chargeDeclinedStolenCard": BY_TOKEN["pm_card_chargeDeclinedStolenCard"],
    "pm_card_threeDSecureRequired": BY_TOKEN["pm_card_threeDSecure2Required"],
}
_BY_NUMBER = {card.number: card for card in CARDS}
_BRANDS = (
    ("amex", r"3[47]"),
    ("diners", r"3(?:0[0-5]|[689])"),
    ("discover", r"6(?:011|4[4-9]|5)"),
    ("jcb", r"35"),
    ("unionpay", r"62"),
    ("mastercard", r"5[1-5]|2[2-7]"),
    ("visa", r"4"),
)


def fingerprint(number: str) -> str:
    return hashlib.sha256(f"card/{number}".encode()).hexdigest()[:16]


_BY_FINGERPRINT = {fingerprint(card.number): card for card in CARDS}


def behaviour(print_: str) -> TestCard:
    """What the card with this fingerprint does; any other than the test cards pays and takes refunds."""
    return _BY_FINGERPRINT.get(print_, CARDS[0])


def brand_of(number: str) -> str:
    return next((brand for brand, start in _BRANDS if re.match(start, number)), "unknown")


def read_card(number: str, exp_month: int, exp_year: int, cvc: str | None, now: int) -> TestCard:
    """The test card with this number.

    Raises a 402 StripeError as Stripe words it for a number, date or code that cannot be right, and for a number that
    is no test card: real numbers have no place here.
    """
    digits = re.sub(r"[\s-]", "", number)
    if not re.fullmatch(r"\d{12,19}", digits) or not _luhn(digits):
        raise card_error("incorrect_number", "Your card number is incorrect.", "number")
    year = exp_year + 2000 if exp_year < 100 else exp_year
    today = datetime.fromtimestamp(now, UTC)
    if not 1 <= exp_month <= 12:
        raise card_error("invalid_expiry_month", "Your card's expiration month is invalid.", "exp_month")
    if year > today.year + 50:
        raise card_error("invalid_expiry_year", "Your card's expiration year is invalid.", "exp_year")
    if (year, exp_month) < (today.year, today.month):
        wrong = "year" if year < today.year else "month"
        raise card_error(f"invalid_expiry_{wrong}", f"Your card's expiration {wrong} is invalid.", f"exp_{wrong}")
    if cvc is not None and not re.fullmatch(r"\d{4}" if brand_of(digits) == "amex" else r"\d{3}", cvc):
        raise card_error("invalid_cvc", "Your card's security code is invalid.", "cvc")
    if digits not in _BY_NUMBER:
        raise card_error(
            "card_declined",
            "Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test "
            "cards, visit: https://stripe.com/docs/testing.",
            "number",
            decline_code="test_mode_live_card",
        )
    return _BY_NUMBER[digits]


def card_error(code: str, message: str, param: str | None = None, **more: Any) -> StripeError:
    return StripeError(402, message, code=code, param=param, kind="card_error", **more)


def _luhn(digits: str) -> bool:
    doubled = (int(d) * (2 if n % 2 else 1) for n, d in enumerate(reversed(digits)))
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0
