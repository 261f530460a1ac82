"""Refunds, whole and in part, and what a card does with them."""

from __future__ import annotations

from typing import Any

import stripe

from payflux.sandbox.clock import Tasks
from payflux.sandbox.errors import StripeError
from payflux.sandbox.payments import ledger
from payflux.sandbox.payments.cards import behaviour
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work, new_id

FAILS_AFTER = 60  # seconds; Stripe's own test card fails "a little later"


def refund(work: Work, charge: Json, amount: int | None = None, reason: str | None = None, **values: Any) -> Json:
    """Give a payment back, or `amount` of it. Raises StripeError where less is left, or it is disputed."""
    left = charge["amount"] - charge["amount_refunded"]
    if not charge["paid"]:
        raise StripeError(400, f"Charge {charge['id']} failed and cannot be refunded.", param="charge")
    if not charge["captured"]:
        raise StripeError(
            400, f"Charge {charge['id']} has not been captured: cancel its payment intent.", param="charge"
        )
    if charge["disputed"] and not _refundable(work, charge):
        raise StripeError(
            400, f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
        )
    if left <= 0:
        raise StripeError(
            400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded", param="charge"
        )
    if amount is not None and amount > left:
        raise StripeError(
            400,
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left}).",
            code="amount_too_large",
            param="amount",
        )
    amount = left if amount is None else amount
    becomes = behaviour(charge["payment_method_details"]["card"]["fingerprint"]).refund
    made = _refund(
        charge, work.now, amount, status="pending" if becomes == "pending" else "succeeded", reason=reason, **values
    )
    made["balance_transaction"] = ledger.book(
        work, ledger.REFUND, amount=-amount, currency=charge["currency"], source=made["id"]
    )["id"]
    work.create(made, "refund.created")
    _count(work, charge, amount, "charge.refunded")
    if becomes != "succeeded":
        work.later(work.now + FAILS_AFTER, "refund_ends", made["id"])
    return made


def _refundable(work: Work, charge: Json) -> bool:
    """An inquiry can still be answered with a refund."""
    return all(dispute["is_charge_refundable"] for dispute in work.find("dispute", {"charge": charge["id"]}))


def _refund(charge: Json, now: int, amount: int, **values: Any) -> Json:
    return complete(
        stripe.Refund,
        {
            "id": new_id("re"),
            "metadata": {},
            "amount": amount,
            "charge": charge["id"],
            "created": now,
            "currency": charge["currency"],
            "destination_details": {
                "card": {
                    "reference_status": "pending",
                    "reference_type": "acquirer_reference_number",
                    "type": "refund",
                },
                "type": "card",
            },
            "payment_intent": charge["payment_intent"],
            **values,
        },
    )


def release(work: Work, charge: Json, amount: int) -> Json:
    """Let go of what an authorization still holds: a refund that moves no money."""
    made = work.create(_refund(charge, work.now, amount, status="succeeded"), "refund.created")
    _count(work, charge, amount, "charge.refunded")
    return made


def _count(work: Work, charge: Json, amount: int, event: str) -> None:
    refunded = charge["amount_refunded"] + amount
    work.change(charge, {"amount_refunded": refunded, "refunded": refunded >= charge["amount"]}, event)


def refund_ends(work: Work, refund_id: str) -> None:
    """The bank has decided on a refund: a pending one succeeds, one to a closed card comes back."""
    made = work.require("refund", refund_id)
    if made["status"] == "pending":
        work.change(made, {"status": "succeeded"}, "refund.updated")
        return
    if made["status"] == "succeeded":
        _come_back(work, made, {"status": "failed", "failure_reason": "expired_or_canceled_card"}, "refund.failed")


def cancel(work: Work, made: Json) -> Json:
    """Take a pending refund back. Raises StripeError."""
    if made["status"] != "pending":
        raise StripeError(400, f"You cannot cancel a refund with status {made['status']}.", param="id")
    work.never("refund_ends", made["id"])
    return _come_back(work, made, {"status": "canceled"}, "refund.updated")


def _come_back(work: Work, made: Json, changes: Json, event: str) -> Json:
    movement = ledger.book(
        work, ledger.REFUND_FAILURE, amount=made["amount"], currency=made["currency"], source=made["id"]
    )
    work.change(made, changes | {"failure_balance_transaction": movement["id"]}, event)
    _count(work, work.require("charge", made["charge"]), -made["amount"], "charge.updated")
    return made


TASKS: Tasks = {"refund_ends": refund_ends}
