"""Stripe's words as codes. Enumerations: docs.stripe.com/api, version 2026-10-28.endive.

Whoever looks a word up gives the neutral code of its kind for one that Stripe adds later.
"""

from __future__ import annotations

from payflux.monitor.processors.codes import Method, Network, Outcome, RiskLevel, Status

CHARGE = {"succeeded": Status.SUCCEEDED, "pending": Status.PENDING, "failed": Status.FAILED}
REFUND = CHARGE | {"canceled": Status.CANCELED, "requires_action": Status.PENDING}
PAYOUT = {
    "paid": Status.SUCCEEDED,
    "pending": Status.PENDING,
    "in_transit": Status.PENDING,
    "failed": Status.FAILED,
    "canceled": Status.CANCELED,
}
DISPUTE = {
    "warning_needs_response": Status.INQUIRY,
    "warning_under_review": Status.INQUIRY,
    "warning_closed": Status.INQUIRY,
    "won": Status.WON,
    "lost": Status.LOST,
    "charge_refunded": Status.LOST,
    "prevented": Status.PREVENTED,
}
DECIDED = ("won", "lost", "prevented", "warning_closed", "charge_refunded")
OUTCOME = {
    "authorized": Outcome.AUTHORIZED,
    "issuer_declined": Outcome.ISSUER_DECLINED,
    "blocked": Outcome.BLOCKED,
    "invalid": Outcome.INVALID,
    "manual_review": Outcome.MANUAL_REVIEW,
}
RISK = {"normal": RiskLevel.NORMAL, "elevated": RiskLevel.ELEVATED, "highest": RiskLevel.HIGHEST}
NETWORK = {
    "visa": Network.VISA,
    "mastercard": Network.MASTERCARD,
    "amex": Network.AMEX,
    "discover": Network.DISCOVER,
    "diners": Network.DINERS,
    "jcb": Network.JCB,
    "unionpay": Network.UNIONPAY,
    "unknown": Network.UNKNOWN,
    "": Network.UNKNOWN,
}
METHOD = {"card": Method.CARD, "card_present": Method.CARD_PRESENT, "interac_present": Method.CARD_PRESENT}
AUTHENTICATED = ("authenticated", "attempt_acknowledged")
