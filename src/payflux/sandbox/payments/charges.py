"""Charges: one attempt to take money from a card."""

from __future__ import annotations

import secrets

import stripe

from payflux.sandbox.objects.charges import BLOCKED, risk_level
from payflux.sandbox.payments import ledger
from payflux.sandbox.payments.declines import DECLINES, shown
from payflux.sandbox.payments.methods import card_of
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work, new_id

AUTHORIZED_FOR = 7 * 86_400  # seconds that an authorization can be captured in
_COPIED = (
    "currency",
    "customer",
    "description",
    "metadata",
    "receipt_email",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)


def attempt(work: Work, intent: Json, method: Json, *, decline: str = "", authenticated: bool = False) -> Json:
    """Charge a card for a payment intent and tell of it: paid, held for capture, or failed with a decline code."""
    captured = not decline and intent["capture_method"] != "manual"
    values = {name: intent[name] for name in _COPIED}
    charge = complete(
        stripe.Charge,
        values
        | {
            "id": new_id("ch"),
            "amount": intent["amount"],
            "amount_captured": intent["amount"] if captured else 0,
            "amount_refunded": 0,
            "billing_details": method["billing_details"],
            "calculated_statement_descriptor": work.view.merchant.archetype.business.upper()[:22],
            "captured": captured,
            "created": work.now,
            "disputed": False,
            "failure_code": DECLINES[decline].code if decline else None,
            "failure_message": DECLINES[decline].message if decline else None,
            "fraud_details": {},
            "livemode": False,
            "outcome": _outcome(method, decline),
            "paid": not decline,
            "payment_intent": intent["id"],
            "payment_method": method["id"],
            "payment_method_details": {
                "card": _card(work, method, intent, decline=decline, captured=captured, authenticated=authenticated),
                "type": "card",
            },
            "refunded": False,
            "status": "failed" if decline else "succeeded",
        },
    )
    if captured:
        charge["balance_transaction"] = _book(work, charge, method)["id"]
    return work.create(charge, "charge.failed" if decline else "charge.succeeded")


def capture(work: Work, charge: Json, amount: int) -> Json:
    """Take `amount` of what an authorization holds; the rest goes back."""
    movement = _book(work, charge | {"amount": amount}, work.require("payment_method", charge["payment_method"]))
    changes = {"amount_captured": amount, "captured": True, "balance_transaction": movement["id"]}
    return work.change(charge, changes, "charge.captured")


def _book(work: Work, charge: Json, method: Json) -> Json:
    amount = charge["amount"]
    return ledger.book(
        work,
        ledger.CHARGE,
        amount=amount,
        currency=charge["currency"],
        source=charge["id"],
        fee=ledger.processing_fee(amount),
        available_on=work.now if card_of(method).settled else ledger.settlement_time(work.now),
        description=charge["description"],
    )


def _outcome(method: Json, decline: str) -> Json:
    score = card_of(method).risk_score
    told = {
        "network_status": "approved_by_network",
        "risk_level": risk_level(score),
        "risk_score": score,
        "seller_message": "Payment complete.",
        "type": "authorized",
    }
    if not decline:
        return told
    advice = DECLINES[decline].advice or None
    if DECLINES[decline].blocked:
        return told | {
            "network_status": "not_sent_to_network",
            "reason": "highest_risk_level",
            "rule": "block_if_high_risk",
            "seller_message": BLOCKED,
            "type": "blocked",
        }
    return told | {
        "advice_code": advice,
        "network_status": "declined_by_network",
        "reason": decline,
        "seller_message": f"The bank returned the decline code `{shown(decline)}`.",
        "type": "issuer_declined",
    }


def _card(work: Work, method: Json, intent: Json, *, decline: str, captured: bool, authenticated: bool) -> Json:
    card = method["card"]
    indicator = ("02" if card["brand"] == "mastercard" else "05") if authenticated else None
    secure = None
    if authenticated:
        secure = {
            "authentication_flow": "challenge",
            "electronic_commerce_indicator": indicator,
            "exemption_indicator_applied": False,
            "result": "authenticated",
            "transaction_id": secrets.token_hex(16),
            "version": "2.2.0",
        }
    held = not decline and not captured
    return {
        "amount_authorized": None if decline else intent["amount"],
        "authorization_code": None if decline else f"{secrets.randbelow(1_000_000):06d}",
        "brand": card["brand"],
        "capture_before": work.now + AUTHORIZED_FOR if held else None,
        "checks": card["checks"],
        "country": card["country"],
        "electronic_commerce_indicator": indicator,
        "exp_month": card["exp_month"],
        "exp_year": card["exp_year"],
        "extended_authorization": {"status": "disabled"},
        "fingerprint": card["fingerprint"],
        "funding": card["funding"],
        "incremental_authorization": {"status": "unavailable"},
        "last4": card["last4"],
        "multicapture": {"status": "unavailable"},
        "network": card["brand"],
        "network_token": {"used": False},
        "network_transaction_id": f"{secrets.randbelow(10**15):015d}",
        "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
        "regulated_status": card["regulated_status"],
        "three_d_secure": secure,
    }
