"""Stripe objects as the API answers them, cut to what tells them apart, and more than is decoded."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def movement(**changes: Any) -> Json:
    return {
        "id": "txn_1",
        "object": "balance_transaction",
        "amount": 1840,
        "available_on": 1_790_100_000,
        "balance_type": "payments",
        "created": 1_790_000_000,
        "currency": "usd",
        "fee": 83,
        "net": 1757,
        "source": "ch_1",
        "status": "pending",
        "type": "charge",
    } | changes


def charge(**changes: Any) -> Json:
    return {
        "id": "ch_1",
        "object": "charge",
        "amount": 2000,
        "amount_captured": 2000,
        "amount_refunded": 0,
        "balance_transaction": movement(),
        "billing_details": {"email": "jenny@example.com", "name": "Jenny Rosen", "phone": None},
        "captured": True,
        "created": 1_790_000_000,
        "currency": "cad",
        "customer": "cus_1",
        "disputed": False,
        "failure_code": None,
        "outcome": {"type": "authorized", "risk_level": "elevated", "reason": None, "risk_score": 66},
        "paid": True,
        "payment_method_details": {
            "type": "card",
            "card": {
                "brand": "visa",
                "country": "CA",
                "fingerprint": "Xt5EWLLDS7FJjR1c",
                "last4": "4242",
                "network": "visa",
                "three_d_secure": {"result": "authenticated", "version": "2.2.0"},
            },
        },
        "status": "succeeded",
    } | changes


def declined(**changes: Any) -> Json:
    return charge(
        amount_captured=0,
        balance_transaction=None,
        captured=False,
        failure_code="card_declined",
        outcome={"type": "issuer_declined", "risk_level": "normal", "reason": "insufficient_funds"},
        paid=False,
        status="failed",
        **changes,
    )


def refund(**changes: Any) -> Json:
    return {
        "id": "re_1",
        "object": "refund",
        "amount": 500,
        "balance_transaction": movement(id="txn_2", amount=-461, type="refund", source="re_1"),
        "charge": charge(),
        "created": 1_790_200_000,
        "currency": "cad",
        "reason": "requested_by_customer",
        "status": "succeeded",
    } | changes


def dispute(**changes: Any) -> Json:
    return {
        "id": "du_1",
        "object": "dispute",
        "amount": 2000,
        "balance_transactions": [],
        "charge": charge(),
        "created": 1_791_000_000,
        "currency": "cad",
        "evidence_details": {"due_by": 1_792_000_000, "has_evidence": False},
        "reason": "fraudulent",
        "status": "needs_response",
    } | changes


def warning(**changes: Any) -> Json:
    return {
        "id": "issfr_1",
        "object": "radar.early_fraud_warning",
        "actionable": True,
        "charge": charge(),
        "created": 1_790_500_000,
        "fraud_type": "made_with_stolen_card",
    } | changes


def payout(**changes: Any) -> Json:
    return {
        "id": "po_1",
        "object": "payout",
        "amount": 100_000,
        "arrival_date": 1_790_300_000,
        "created": 1_790_250_000,
        "currency": "usd",
        "failure_code": None,
        "status": "paid",
    } | changes


def review(**changes: Any) -> Json:
    return {
        "id": "prv_1",
        "object": "review",
        "billing_zip": "94107",
        "charge": charge(),
        "closed_reason": None,
        "created": 1_790_000_100,
        "ip_address": "203.0.113.7",
        "open": True,
        "opened_reason": "rule",
        "reason": "rule",
    } | changes
