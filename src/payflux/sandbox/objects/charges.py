"""Charges and payment intents."""

from __future__ import annotations

from payflux.sandbox.merchants.currencies import CURRENCIES
from payflux.sandbox.merchants.payments import DECLINES
from payflux.sandbox.merchants.reviews import RULE
from payflux.sandbox.merchants.tables import Charge, Intent
from payflux.sandbox.objects.cards import Card, card_of
from payflux.sandbox.objects.ids import customer_id, print_id
from payflux.sandbox.objects.view import Json, View

# Outcome reason -> (failure_code, failure_message)
FAILURES = {
    "insufficient_funds": ("card_declined", "Your card has insufficient funds."),
    "generic_decline": ("card_declined", "Your card was declined."),
    "do_not_honor": ("card_declined", "Your card was declined."),
    "incorrect_cvc": ("incorrect_cvc", "Your card's security code is incorrect."),
    "expired_card": ("expired_card", "Your card has expired."),
    "transaction_not_allowed": ("card_declined", "Your card does not support this type of purchase."),
    "stolen_card": ("card_declined", "Your card was declined."),
    "highest_risk_level": ("card_declined", "Your card was declined."),
}
FINAL_DECLINES = {"stolen_card", "expired_card"}
RISK_ELEVATED, RISK_HIGHEST = 65, 75  # Radar's default thresholds of the risk score
BLOCKED = "Stripe blocked this payment as too risky."


def risk_level(score: int) -> str:
    return "highest" if score >= RISK_HIGHEST else "elevated" if score >= RISK_ELEVATED else "normal"


def seller_message(decline: int) -> str:
    """What the Dashboard tells the seller of an attempt; `decline` is -1 for a payment."""
    if decline < 0:
        return "Payment complete."
    reason = DECLINES[decline][0]
    if reason == "highest_risk_level":
        return BLOCKED
    return f"The bank returned the decline code `{reason}`."


def _outcome(row: Charge, *, reviewed: bool = False) -> Json:
    reason = None if row.paid else DECLINES[row.decline][0]
    blocked = reason == "highest_risk_level"
    kind = "manual_review" if reviewed else "authorized"
    if not row.paid:
        kind = "blocked" if blocked else "issuer_declined"
    advice = None if row.paid or blocked else "do_not_try_again" if reason in FINAL_DECLINES else "try_again_later"
    return {
        "advice_code": advice,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": (
            "approved_by_network" if row.paid else "not_sent_to_network" if blocked else "declined_by_network"
        ),
        "reason": reason,
        "risk_level": risk_level(row.risk_score),
        "risk_score": row.risk_score,
        "rule": "block_if_high_risk" if blocked else RULE if reviewed else None,
        "seller_message": seller_message(row.decline),
        "type": kind,
    }


def _card(row: Charge, card: Card) -> Json:
    secure = None
    if row.three_d_secure:
        secure = {
            "authentication_flow": "frictionless",
            "electronic_commerce_indicator": "02" if card.brand == "mastercard" else "05",
            "exemption_indicator": None,
            "exemption_indicator_applied": False,
            "result": "authenticated",
            "result_reason": None,
            "transaction_id": f"{row.key:032x}",
            "version": "2.2.0",
        }
    return {
        "amount_authorized": row.amount if row.paid else None,
        "authorization_code": f"{row.key % 1_000_000:06d}" if row.paid else None,
        "brand": card.brand,
        "capture_before": None,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": "pass",
            "cvc_check": "fail" if row.decline >= 0 and DECLINES[row.decline][0] == "incorrect_cvc" else "pass",
        },
        "country": card.country,
        "electronic_commerce_indicator": secure and secure["electronic_commerce_indicator"],
        "exp_month": card.exp_month,
        "exp_year": card.exp_year,
        "extended_authorization": {"status": "disabled"},
        "fingerprint": card.fingerprint,
        "funding": card.funding,
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "last4": card.last4,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card.brand,
        "network_token": {"used": False},
        "network_transaction_id": f"{row.key % 10**15:015d}",
        "overcapture": {"maximum_amount_capturable": row.amount, "status": "unavailable"},
        "regulated_status": "regulated" if card.regulated else "unregulated",
        "setup_credential_usage": None,
        "stored_credential_usage": None,
        "three_d_secure": secure,
        "transaction_link_id": None,
        "wallet": None,
    }


def payment_method_id(view: View, card: int) -> str:
    return f"pm_1{view.account_id[-7:]}{card:016x}"


def render_charge(view: View, row: Charge, index: int) -> Json:
    """One attempt to pay, as it stands now."""
    card = card_of(row.card)
    refunded = sum(int(view.merchant.refunds.data["amount"][refund]) for refund in view.refunds_of(index))
    reason = None if row.paid else DECLINES[row.decline][0]
    paid = bool(row.paid)
    reported = view.dispute_of(index)
    return {
        "id": print_id("charges", view.account_id, row.key),
        "object": "charge",
        "amount": row.amount,
        "amount_captured": row.amount if paid else 0,
        "amount_refunded": refunded,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "authorization_code": None,
        "balance_transaction": view.id("movements", row.movement),
        "billing_details": {
            "address": {
                "city": None,
                "country": card.country,
                "line1": None,
                "line2": None,
                "postal_code": None,
                "state": None,
            },
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        "calculated_statement_descriptor": view.merchant.archetype.business.upper()[:22],
        "captured": paid,
        "created": row.created,
        "currency": CURRENCIES[row.currency],
        "customer": customer_id(view.account_id, row.customer) if row.customer >= 0 else None,
        "description": None,
        "disputed": reported is not None,
        "failure_balance_transaction": None,
        "failure_code": None if reason is None else FAILURES[reason][0],
        "failure_message": None if reason is None else FAILURES[reason][1],
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "on_behalf_of": None,
        "outcome": _outcome(row, reviewed=index in view.merchant.review_of),
        "paid": paid,
        "payment_intent": view.id("intents", row.intent),
        "payment_method": payment_method_id(view, row.card),
        "payment_method_details": {"card": _card(row, card), "type": "card"},
        "radar_options": {},
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": paid and refunded >= row.amount,
        "review": view.review_of(index),
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded" if paid else "failed",
        "transfer_data": None,
        "transfer_group": None,
    }


def render_intent(view: View, row: Intent, _index: int) -> Json:
    """One checkout: the latest attempt of it that has been made by now decides its state."""
    charges = view.merchant.charges
    attempts = [n for n in (row.attempt_1, row.attempt_2, row.attempt_3) if n >= 0 and charges.created[n] <= view.now]
    latest = attempts[-1] if attempts else -1
    last = charges[latest] if attempts else None
    paid = last is not None and bool(last.paid)
    error = None
    if last is not None and not paid:
        reason = DECLINES[last.decline][0]
        error = {
            "advice_code": _outcome(last)["advice_code"],
            "charge": print_id("charges", view.account_id, last.key),
            "code": FAILURES[reason][0],
            "decline_code": "generic_decline" if reason == "highest_risk_level" else reason,
            "message": FAILURES[reason][1],
            "type": "card_error",
        }
    intent_id = print_id("intents", view.account_id, row.key)
    return {
        "id": intent_id,
        "object": "payment_intent",
        "allowed_payment_method_types": None,
        "amount": row.amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": row.amount if paid else 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{intent_id}_secret_sandbox",
        "confirmation_method": "automatic",
        "created": row.created,
        "currency": CURRENCIES[row.currency],
        "customer": customer_id(view.account_id, row.customer) if row.customer >= 0 else None,
        "customer_account": None,
        "description": None,
        "excluded_payment_method_types": None,
        "last_payment_error": error,
        "latest_charge": view.id("charges", latest),
        "livemode": False,
        "managed_payments": None,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": payment_method_id(view, row.card) if paid else None,
        "payment_method_configuration_details": None,
        "payment_method_options": {
            "card": {
                "installments": None,
                "mandate_options": None,
                "network": None,
                "request_three_d_secure": "automatic",
            }
        },
        "payment_method_types": ["card"],
        "payment_record": None,
        "processing": None,
        "receipt_email": None,
        "review": view.review_of(latest) if paid else None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded" if paid else "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }
