"""Money that goes back and out, through Stripe's own client, as time passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import stripe

from payflux.sandbox.merchants.archetypes import ARCHETYPES
from payflux.sandbox.state import SandboxState
from tests.integration.sandbox.test_official_client import assert_complete
from tests.integration.sandbox.test_payments import pays, told

Client = Callable[..., Any]


def test_a_payment_is_refunded_in_parts_and_never_beyond(client: Client) -> None:
    v1 = client().v1
    intent = pays(client)
    part = v1.refunds.create(params={"payment_intent": intent.id, "amount": 500, "reason": "requested_by_customer"})
    assert_complete(part, stripe.Refund)
    assert (part.status, part.amount, part.charge) == ("succeeded", 500, intent.latest_charge)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount") as beyond:
        v1.refunds.create(params={"charge": intent.latest_charge, "amount": 1_501})
    assert (beyond.value.code, beyond.value.param) == ("amount_too_large", "amount")

    rest = v1.refunds.create(params={"charge": intent.latest_charge})

    charge = v1.charges.retrieve(intent.latest_charge, params={"expand": ["refunds.data.balance_transaction"]})
    assert (rest.amount, charge.amount_refunded, charge.refunded) == (1_500, 2_000, True)
    assert [refund.balance_transaction.net for refund in charge.refunds.data] == [-1_500, -500]
    with pytest.raises(stripe.InvalidRequestError, match="already been refunded"):
        v1.refunds.create(params={"charge": intent.latest_charge})
    assert [found.id for found in v1.refunds.list(params={"charge": charge.id}).data] == [rest.id, part.id]
    assert told(client, charge.id) == ["charge.succeeded", "charge.refunded", "charge.refunded"]
    assert v1.refunds.update(part.id, params={"metadata": {"case": "9"}}).metadata.to_dict() == {"case": "9"}


def test_what_cannot_be_refunded_says_why(client: Client) -> None:
    v1 = client().v1
    for wrong, message in (
        ({}, "Missing required param: charge"),
        ({"charge": "ch_none"}, "No such charge"),
        ({"charge": pays(client, "pm_card_createDispute").latest_charge}, "has been charged back"),
        ({"charge": pays(client, capture_method="manual").latest_charge}, "has not been captured"),
    ):
        with pytest.raises(stripe.InvalidRequestError, match=message):
            v1.refunds.create(params=wrong)


def test_a_pending_refund_can_be_taken_back(client: Client) -> None:
    v1 = client().v1
    refund = v1.refunds.create(params={"charge": pays(client, "pm_card_pendingRefund").latest_charge})
    assert refund.status == "pending"

    canceled = v1.refunds.cancel(refund.id, params={})

    assert canceled.status == "canceled"
    assert v1.balance_transactions.retrieve(canceled.failure_balance_transaction).amount == refund.amount
    assert v1.charges.retrieve(refund.charge).amount_refunded == 0
    with pytest.raises(stripe.InvalidRequestError, match="status canceled"):
        v1.refunds.cancel(refund.id, params={})


def test_a_dispute_takes_the_money_and_is_answered(client: Client) -> None:
    v1 = client().v1
    charge = v1.charges.retrieve(pays(client, "pm_card_createDispute").latest_charge)
    dispute = v1.disputes.list(params={"charge": charge.id}).data[0]

    assert_complete(dispute, stripe.Dispute)
    assert (charge.disputed, dispute.status, dispute.reason, dispute.amount) == (
        True,
        "needs_response",
        "fraudulent",
        2_000,
    )
    assert [(moved.net, moved.fee) for moved in dispute.balance_transactions] == [(-3_500, 1_500)]
    draft = v1.disputes.update(dispute.id, params={"evidence": {"product_description": "A report"}, "submit": False})
    assert (draft.status, draft.evidence_details.has_evidence) == ("needs_response", True)
    sent = v1.disputes.update(dispute.id, params={"evidence": {"uncategorized_text": "It was delivered."}})
    assert (sent.status, sent.evidence_details.submission_count) == ("under_review", 1)
    assert (sent.evidence.product_description, sent.evidence_details.due_by) == ("A report", None)
    with pytest.raises(stripe.InvalidRequestError, match="already submitted"):
        v1.disputes.update(dispute.id, params={"evidence": {"uncategorized_text": "More."}})

    assert v1.disputes.close(dispute.id).status == "lost"
    assert told(client, dispute.id) == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        "charge.dispute.updated",
        "charge.dispute.closed",
    ]


def test_an_issuers_report_and_an_inquiry_take_no_money(client: Client) -> None:
    v1 = client().v1
    charge = pays(client, "pm_card_createIssuerFraudRecord").latest_charge
    warning = v1.radar.early_fraud_warnings.list(params={"charge": charge}).data[0]
    assert_complete(warning, stripe.radar.EarlyFraudWarning)
    assert warning.actionable
    inquired = pays(client, "pm_card_createDisputeInquiry").latest_charge
    inquiry = v1.disputes.list(params={"charge": inquired}).data[0]
    assert (inquiry.status, inquiry.balance_transactions) == ("warning_needs_response", [])
    assert v1.refunds.create(params={"charge": inquired, "amount": 100}).status == "succeeded"

    escalated = v1.disputes.update(inquiry.id, params={"evidence": {"uncategorized_text": "escalate_inquiry_evidence"}})

    assert (escalated.status, len(escalated.balance_transactions)) == ("needs_response", 1)


def test_a_payout_is_made_of_what_is_available(client: Client) -> None:
    v1 = client().v1
    pays(client, "pm_card_bypassPending", amount=90_000)
    payout = v1.payouts.create(params={"amount": 1_000, "currency": "usd", "metadata": {"for": "rent"}})

    assert_complete(payout, stripe.Payout)
    assert (payout.status, payout.automatic, payout.metadata.to_dict()) == ("in_transit", False, {"for": "rent"})
    assert v1.balance_transactions.retrieve(payout.balance_transaction).net == -1_000
    assert payout.id in [found.id for found in v1.payouts.list().data]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.payouts.create(params={"amount": 10_000_000, "currency": "usd"})
    assert refused.value.code == "balance_insufficient"


def test_a_restricted_key_needs_the_permission_to_refund(client: Client) -> None:
    merchant = client(ARCHETYPES["default"].restricted_key).v1
    with pytest.raises(stripe.PermissionError, match="'rak_charge_write' permission would allow"):
        merchant.refunds.create(params={"charge": merchant.charges.list().data[0].id})


def test_a_platform_refunds_a_payment_of_a_merchants_history(client: Client, state: SandboxState) -> None:
    healthy = ARCHETYPES["healthy"].account_id
    state.redeem_code(state.issue_code(healthy, "read_write"))
    v1 = client(stripe_account=healthy).v1
    before = v1.balance.retrieve().available[0].amount
    view = state.view(healthy)
    last = int(np.searchsorted(view.merchant.charges.created, view.now, side="right"))
    row = next(
        row for row in reversed(range(last)) if row not in view.merchant.told and view.merchant.charges[row].paid
    )
    charge = v1.charges.retrieve(str(view.id("charges", row)))

    refund = v1.refunds.create(params={"charge": charge.id, "amount": 100})

    after = v1.charges.retrieve(charge.id)
    assert (after.amount_refunded, after.refunded) == (100, False)
    assert [one.id for one in v1.refunds.list(params={"charge": charge.id}).data] == [refund.id]
    assert v1.balance.retrieve().available[0].amount == before - 100
    assert refund.id not in [one.id for one in client().v1.refunds.list(params={"limit": 100}).data]
