"""Money that goes back: refunds and disputes."""

from __future__ import annotations

import stripe
from stripe import params

from payflux.sandbox.api.endpoints import Call, Endpoint
from payflux.sandbox.errors import StripeError
from payflux.sandbox.payments import disputes, refunds
from payflux.sandbox.payments.documents import require_document
from payflux.sandbox.schema.writing import merged, missing, not_carried_out, positive, require_one, rewritten, written
from payflux.sandbox.store import Json

REFUNDS, DISPUTES = "/v1/refunds", "/v1/disputes"


def _charge(call: Call) -> Json:
    given = call.params
    require_one(given, "charge", "payment_intent")
    if given.get("payment_intent"):
        intent = call.work.require("payment_intent", given["payment_intent"], "payment_intent")
        if intent["latest_charge"] is None:
            raise StripeError(
                400,
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
                code="resource_missing",
                param="payment_intent",
            )
        return call.work.require("charge", intent["latest_charge"])
    if not given.get("charge"):
        raise missing("charge")
    return call.work.require("charge", given["charge"], "charge")


def _create_refund(call: Call) -> Json:
    positive(call.params, "amount")
    values = written(stripe.Refund, call.params, ("amount", "charge", "payment_intent", "reason"))
    return refunds.refund(call.work, _charge(call), call.params.get("amount"), call.params.get("reason"), **values)


def _update_refund(call: Call) -> Json:
    refund = require_document(call.work, "refund", call.id)
    return call.work.change(refund, rewritten(stripe.Refund, refund, call.params), "refund.updated")


def _cancel_refund(call: Call) -> Json:
    return refunds.cancel(call.work, require_document(call.work, "refund", call.id))


def _update_dispute(call: Call) -> Json:
    dispute = require_document(call.work, "dispute", call.id)
    given = call.params
    not_carried_out(given.get("evidence", {}), "enhanced_evidence")
    changes = {}
    if "metadata" in given:
        changes["metadata"] = merged(dispute["metadata"], given["metadata"])
    if "intended_submission_method" in given:
        changes["intended_submission_method"] = given["intended_submission_method"]
    evidence = given.get("evidence")
    submit = given.get("submit", evidence is not None)
    return disputes.answer(call.work, dispute, evidence, submit=submit, **changes)


def _close_dispute(call: Call) -> Json:
    return disputes.close(call.work, require_document(call.work, "dispute", call.id), "lost")


_WRITE_CHARGE, _WRITE_DISPUTE = "rak_charge_write", "rak_dispute_write"

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", REFUNDS, _WRITE_CHARGE, stripe.Refund, _create_refund, params.RefundCreateParams),
    Endpoint("POST", f"{REFUNDS}/{{id}}", _WRITE_CHARGE, stripe.Refund, _update_refund, params.RefundUpdateParams),
    Endpoint("POST", f"{REFUNDS}/{{id}}/cancel", _WRITE_CHARGE, stripe.Refund, _cancel_refund),
    Endpoint("POST", f"{DISPUTES}/{{id}}", _WRITE_DISPUTE, stripe.Dispute, _update_dispute, params.DisputeUpdateParams),
    Endpoint("POST", f"{DISPUTES}/{{id}}/close", _WRITE_DISPUTE, stripe.Dispute, _close_dispute),
)
