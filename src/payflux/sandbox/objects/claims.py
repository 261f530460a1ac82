"""Money asked back: refunds, disputes and early fraud warnings."""

from __future__ import annotations

from payflux.sandbox.merchants.aftermath import DISPUTE_REASONS, FRAUD_TYPES, REFUND_REASONS
from payflux.sandbox.merchants.tables import Course, Dispute, FraudWarning, Refund
from payflux.sandbox.objects.cards import card_of
from payflux.sandbox.objects.ids import print_id
from payflux.sandbox.objects.movements import render_movement
from payflux.sandbox.objects.view import Json, View

EVIDENCE = (
    "access_activity_log",
    "appeal",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)
MASTERCARD_CODES = {"fraudulent": "4837", "unrecognized": "4837", "duplicate": "4834"}


def render_refund(view: View, row: Refund, _index: int) -> Json:
    """A refund; card refunds succeed at once."""
    charges = view.merchant.charges.data
    return {
        "id": print_id("refunds", view.account_id, row.key),
        "object": "refund",
        "amount": row.amount,
        "balance_transaction": view.movement(row.movement),
        "charge": view.id("charges", row.charge),
        "created": row.created,
        "currency": view.currency_of(row.charge),
        "customer": None,
        "customer_account": None,
        "destination_details": {
            "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
            "type": "card",
        },
        "metadata": {},
        "payment_intent": view.id("intents", int(charges["intent"][row.charge])),
        "payment_method": None,
        "reason": REFUND_REASONS[row.reason][0],
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


def dispute_status(row: Dispute, now: int) -> str:
    """Where a dispute stands at `now`."""
    answered = bool(row.answered_at) and row.answered_at <= now
    if row.course == Course.PREVENTED:
        return "prevented"
    if row.course == Course.INQUIRY:
        if row.decided_at <= now:
            return "warning_closed"
        return "warning_under_review" if answered else "warning_needs_response"
    if row.decided_at <= now:
        return "won" if row.won else "lost"
    return "under_review" if answered else "needs_response"


def network_reason_code(row: Dispute, brand: str) -> str:
    reason, _, visa = DISPUTE_REASONS[row.reason]
    return MASTERCARD_CODES.get(reason, "4853") if brand == "mastercard" else visa


def render_dispute(view: View, row: Dispute, _index: int) -> Json:
    """A dispute, inquiry or prevented dispute as it stands now."""
    charges = view.merchant.charges.data
    brand = card_of(int(charges["card"][row.charge])).brand
    answered = bool(row.answered_at) and row.answered_at <= view.now
    status = dispute_status(row, view.now)
    open_ = status.endswith("needs_response")
    movements = view.merchant.movements
    booked = [n for n in (row.withdrawal, row.reinstatement) if n >= 0 and movements.created[n] <= view.now]
    case_type = {Course.CHARGEBACK: "chargeback", Course.INQUIRY: "inquiry", Course.PREVENTED: "resolution"}
    return {
        "id": print_id("disputes", view.account_id, row.key),
        "object": "dispute",
        "amount": row.amount,
        "balance_transactions": [render_movement(view, movements[n], n) for n in booked],
        "charge": view.id("charges", row.charge),
        "created": row.created,
        "currency": view.currency_of(row.charge),
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(EVIDENCE) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": row.due_by if open_ else None,
            "enhanced_eligibility": {},
            "has_evidence": answered,
            "past_due": row.due_by < view.now and not answered and row.course != Course.PREVENTED,
            "submission_count": int(answered),
            "submission_method": "manual" if answered else "not_submitted",
        },
        "is_charge_refundable": row.course == Course.INQUIRY and open_,
        "livemode": False,
        "metadata": {},
        "network_reason_code": network_reason_code(row, brand),
        "payment_intent": view.id("intents", int(charges["intent"][row.charge])),
        "payment_method_details": {
            "card": {
                "brand": brand,
                "case_type": case_type[row.course],
                "network": brand,
                "network_reason_code": network_reason_code(row, brand),
            },
            "type": "card",
        },
        "reason": DISPUTE_REASONS[row.reason][0],
        "status": status,
    }


def render_warning(view: View, row: FraudWarning, _index: int) -> Json:
    """An early fraud warning; a dispute ends what the merchant can do about it."""
    charges = view.merchant.charges.data
    return {
        "id": print_id("warnings", view.account_id, row.key),
        "object": "radar.early_fraud_warning",
        "actionable": view.dispute_of(row.charge) is None,
        "charge": view.id("charges", row.charge),
        "created": row.created,
        "fraud_type": FRAUD_TYPES[row.fraud_type][0],
        "livemode": False,
        "payment_intent": view.id("intents", int(charges["intent"][row.charge])),
    }
