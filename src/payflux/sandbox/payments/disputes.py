"""Disputes of payments that calls have made: opened by a test card or by hand, answered, decided.

docs.stripe.com/testing#evidence names the words that decide one in a test.
"""

from __future__ import annotations

from typing import Any

import stripe

from payflux.sandbox.clock import Tasks
from payflux.sandbox.errors import StripeError
from payflux.sandbox.merchants.aftermath import DISPUTE_REASONS
from payflux.sandbox.merchants.ledger import DISPUTE_FEE
from payflux.sandbox.objects.claims import EVIDENCE, MASTERCARD_CODES
from payflux.sandbox.payments import ledger
from payflux.sandbox.payments.cards import TestCard
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work, new_id

DAY = 86_400
ANSWER_WITHIN, DECIDED_WITHIN = 20 * DAY, 75 * DAY
DECIDING_WORDS = {"winning_evidence": "won", "losing_evidence": "lost"}
ESCALATING = "escalate_inquiry_evidence"
OPEN = ("warning_needs_response", "needs_response")
_VISA_CODES = {reason: visa for reason, _, visa in DISPUTE_REASONS}


def follow_card(work: Work, charge: Json, card: TestCard) -> None:
    """What a test card does once its payment is made."""
    if card.warned:
        warn(work, charge)
    if card.dispute:
        open_dispute(work, charge, card.dispute, inquiry=card.inquiry)


def warn(work: Work, charge: Json, fraud_type: str = "misc") -> Json:
    """The issuer reports a payment as fraudulent."""
    return work.create(
        complete(
            stripe.radar.EarlyFraudWarning,
            {
                "id": new_id("issfr"),
                "actionable": not charge["disputed"] and not charge["refunded"],
                "charge": charge["id"],
                "created": work.now,
                "fraud_type": fraud_type,
                "livemode": False,
                "payment_intent": charge["payment_intent"],
            },
        ),
        "radar.early_fraud_warning.created",
    )


def open_dispute(
    work: Work, charge: Json, reason: str = "fraudulent", *, inquiry: bool = False, amount: int | None = None
) -> Json:
    """The customer disputes a payment, or `amount` of it. An inquiry takes no money yet. Raises StripeError."""
    if not charge["paid"] or not charge["captured"] or charge["disputed"]:
        raise StripeError(400, f"Charge {charge['id']} is not paid or disputed already.", param="charge")
    asked = charge["amount"] - charge["amount_refunded"] if amount is None else amount
    if not 1 <= asked <= charge["amount"]:
        raise StripeError(400, f"A dispute is over 1 to {charge['amount']} of this charge.", param="amount")
    brand = charge["payment_method_details"]["card"]["brand"]
    code = MASTERCARD_CODES.get(reason, "4853") if brand == "mastercard" else _VISA_CODES.get(reason, "10.4")
    dispute = complete(
        stripe.Dispute,
        {
            "id": new_id("du"),
            "amount": asked,
            "balance_transactions": [],
            "charge": charge["id"],
            "created": work.now,
            "currency": charge["currency"],
            "enhanced_eligibility_types": [],
            "evidence": dict.fromkeys(EVIDENCE) | {"enhanced_evidence": {}},
            "evidence_details": _details(work.now + ANSWER_WITHIN),
            "is_charge_refundable": inquiry,
            "livemode": False,
            "network_reason_code": code,
            "payment_intent": charge["payment_intent"],
            "payment_method_details": {
                "card": {
                    "brand": brand,
                    "case_type": "inquiry" if inquiry else "chargeback",
                    "network": brand,
                    "network_reason_code": code,
                },
                "type": "card",
            },
            "reason": reason,
            "status": "warning_needs_response" if inquiry else "needs_response",
        },
    )
    work.create(dispute, "charge.dispute.created")
    work.change(charge, {"disputed": True}, "charge.updated")
    for warning in work.find("radar.early_fraud_warning", {"charge": charge["id"], "actionable": 1}):
        work.change(warning, {"actionable": False}, "radar.early_fraud_warning.updated")
    if not inquiry:
        _withdraw(work, dispute)
    work.later(work.now + ANSWER_WITHIN, "dispute_deadline", dispute["id"])
    return dispute


def _details(due_by: int | None, *, submissions: int = 0) -> Json:
    return {
        "due_by": due_by,
        "enhanced_eligibility": {},
        "has_evidence": submissions > 0,
        "past_due": False,
        "submission_count": submissions,
        "submission_method": "manual" if submissions else "not_submitted",
    }


def _withdraw(work: Work, dispute: Json) -> None:
    movement = ledger.book(
        work,
        ledger.WITHDRAWAL,
        amount=-dispute["amount"],
        currency=dispute["currency"],
        source=dispute["id"],
        fee=DISPUTE_FEE,
    )
    _add_movement(work, dispute, movement, "charge.dispute.funds_withdrawn")


def _add_movement(work: Work, dispute: Json, movement: Json, event: str) -> None:
    work.change(dispute, {"balance_transactions": [*dispute["balance_transactions"], movement]}, event)


def answer(work: Work, dispute: Json, evidence: Json | None, *, submit: bool, **changes: Any) -> Json:
    """Keep evidence, and send it to the bank with `submit`. Raises StripeError for a dispute over or answered."""
    if evidence is None and not submit:
        return work.change(dispute, changes, "charge.dispute.updated")
    if dispute["status"] not in OPEN:
        raise StripeError(400, "This dispute is already submitted or closed.", code="dispute_already_submitted")
    given = {name: None if value == "" else value for name, value in (evidence or {}).items()}
    changes["evidence"] = dispute["evidence"] | given
    details = dispute["evidence_details"]
    if not submit:
        changes["evidence_details"] = details | {"has_evidence": any(changes["evidence"].values())}
        return work.change(dispute, changes, "charge.dispute.updated")
    changes["evidence_details"] = _details(None, submissions=details["submission_count"] + 1)
    changes["is_charge_refundable"] = False
    warned = dispute["status"].startswith("warning")
    changes["status"] = "warning_under_review" if warned else "under_review"
    work.change(dispute, changes, "charge.dispute.updated")
    words = dispute["evidence"]["uncategorized_text"]
    if warned and words == ESCALATING:
        return escalate(work, dispute)
    verdict = DECIDING_WORDS.get(words or "")
    work.later(work.now + (0 if verdict else DECIDED_WITHIN), "dispute_decided", dispute["id"])
    work.never("dispute_deadline", dispute["id"])
    return dispute


def escalate(work: Work, dispute: Json) -> Json:
    """An inquiry becomes a chargeback, to be answered anew."""
    card = dispute["payment_method_details"]["card"] | {"case_type": "chargeback"}
    changes = {
        "status": "needs_response",
        "is_charge_refundable": False,
        "payment_method_details": dispute["payment_method_details"] | {"card": card},
        "evidence_details": _details(work.now + ANSWER_WITHIN),
    }
    work.change(dispute, changes, "charge.dispute.updated")
    _withdraw(work, dispute)
    work.later(work.now + ANSWER_WITHIN, "dispute_deadline", dispute["id"])
    return dispute


def close(work: Work, dispute: Json, status: str) -> Json:
    """Decide a dispute as `won` or `lost`; an inquiry just ends. What is won is paid back. Raises StripeError."""
    if dispute["status"] in ("won", "lost", "warning_closed"):
        raise StripeError(400, "This dispute is already closed.", code="dispute_already_closed")
    for task in ("dispute_deadline", "dispute_decided"):
        work.never(task, dispute["id"])
    inquiry = dispute["status"].startswith("warning")
    details = dispute["evidence_details"] | {"due_by": None}
    status = "warning_closed" if inquiry else status
    work.change(
        dispute,
        {"status": status, "evidence_details": details, "is_charge_refundable": False},
        "charge.dispute.closed",
    )
    if inquiry:
        work.change(work.require("charge", dispute["charge"]), {"disputed": False}, "charge.updated")
    if status == "won":
        movement = ledger.book(
            work,
            ledger.REINSTATEMENT,
            amount=dispute["amount"],
            currency=dispute["currency"],
            source=dispute["id"],
        )
        _add_movement(work, dispute, movement, "charge.dispute.funds_reinstated")
    return dispute


def dispute_deadline(work: Work, dispute_id: str) -> None:
    """Nobody has answered in time."""
    close(work, work.require("dispute", dispute_id), "lost")


def dispute_decided(work: Work, dispute_id: str) -> None:
    dispute = work.require("dispute", dispute_id)
    close(work, dispute, DECIDING_WORDS.get(dispute["evidence"]["uncategorized_text"] or "", "lost"))


TASKS: Tasks = {"dispute_deadline": dispute_deadline, "dispute_decided": dispute_decided}
