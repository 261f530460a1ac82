"""What time does to payments: authorizations and sessions run out, disputes are decided, money arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from payflux.sandbox.app import TASKS
from payflux.sandbox.checkout.sessions import create_session
from payflux.sandbox.clock import run_due
from payflux.sandbox.merchants.archetypes import PLATFORM
from payflux.sandbox.payments import disputes, ledger, pay, refunds
from payflux.sandbox.payments.catalogue import create_price
from payflux.sandbox.state import SandboxState
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work
from tests.unit.sandbox.conftest import NOON

DAY = 86_400


@pytest.fixture
def state() -> Iterator[SandboxState]:
    state = SandboxState(now=lambda: NOON)
    yield state
    state.store.close()


@pytest.fixture
def work(state: SandboxState) -> Callable[[], Work]:
    return lambda: Work(state, PLATFORM.account_id, int(state.now().timestamp()))


def charged(work: Work, token: str = "visa", **values: Any) -> Json:
    result = pay(work, amount=10_000, currency="usd", customer=None, payment_method=f"pm_card_{token}", **values)
    assert result.charge is not None
    return result.charge


def passes(state: SandboxState, seconds: int) -> None:
    state.advance(seconds)
    run_due(state, TASKS)


def told(work: Work, about: str) -> list[str]:
    return [
        event["type"] for event in work.find("event", oldest_first=True) if event["data"]["object"].get("id") == about
    ]


def test_money_is_available_after_two_days_and_paid_out_on_the_next_business_day(
    state: SandboxState, work: Callable[[], Work]
) -> None:
    charged(work())  # on a Saturday
    assert ledger.document_balance(work()) == {"usd": (0, 9_680)}

    passes(state, 2 * DAY)  # Monday noon: available at midnight, and paid out ten minutes later

    payout = work().find("payout")[0]
    assert (payout["amount"], payout["status"], payout["automatic"]) == (9_680, "in_transit", True)
    assert ledger.document_balance(work()) == {"usd": (0, 0)}
    passes(state, DAY)
    assert work().require("payout", payout["id"])["status"] == "paid"
    assert told(work(), payout["id"]) == ["payout.created", "payout.paid"]
    assert [event["type"] for event in work().find("event", {"type": "balance.available"})] == ["balance.available"]


def test_a_refund_larger_than_the_balance_is_a_debt_that_the_next_payments_make_good(
    state: SandboxState, work: Callable[[], Work]
) -> None:
    charge = charged(work())
    passes(state, 3 * DAY)
    refunds.refund(work(), charge)
    assert ledger.document_balance(work()) == {"usd": (-10_000, 0)}
    charged(work(), "bypassPending")
    passes(state, 3 * DAY)
    assert len(work().find("payout")) == 1  # 9,680 do not make good 10,000
    charged(work(), "bypassPending")
    passes(state, 3 * DAY)
    assert work().find("payout")[0]["amount"] == 9_360


def test_an_authorization_is_let_go_after_a_week(state: SandboxState, work: Callable[[], Work]) -> None:
    charge = charged(work(), capture_method="manual")
    assert charge["payment_method_details"]["card"]["capture_before"] == work().now + 7 * DAY

    passes(state, 8 * DAY)

    intent = work().require("payment_intent", charge["payment_intent"])
    assert (intent["status"], intent["cancellation_reason"]) == ("canceled", "automatic")
    assert work().require("charge", charge["id"])["refunded"]
    assert work().find("balance_transaction") == []


def test_a_refund_to_a_closed_card_comes_back(state: SandboxState, work: Callable[[], Work]) -> None:
    charge = charged(work(), "refundFail")
    refund = refunds.refund(work(), charge)
    assert refund["status"] == "succeeded"

    passes(state, 3600)

    after = work().require("refund", refund["id"])
    assert (after["status"], after["failure_reason"]) == ("failed", "expired_or_canceled_card")
    assert work().require("charge", charge["id"])["amount_refunded"] == 0
    assert told(work(), refund["id"]) == ["refund.created", "refund.failed"]


@pytest.mark.parametrize(
    ("words", "status", "net"),
    [("winning_evidence", "won", -1_500), ("losing_evidence", "lost", -11_500), ("", "lost", -11_500)],
)
def test_a_dispute_is_decided_by_the_evidence_or_by_silence(
    state: SandboxState, work: Callable[[], Work], words: str, status: str, net: int
) -> None:
    charge = charged(work(), "createDispute")
    dispute = work().find("dispute", {"charge": charge["id"]})[0]
    if words:
        disputes.answer(work(), dispute, {"uncategorized_text": words}, submit=True)
        passes(state, 1)
    else:
        passes(state, 20 * DAY)

    after = work().require("dispute", dispute["id"])
    assert (after["status"], after["evidence_details"]["due_by"]) == (status, None)
    assert sum(moved["net"] for moved in after["balance_transactions"]) == net
    ends = ["charge.dispute.closed"] + (["charge.dispute.funds_reinstated"] if status == "won" else [])
    assert told(work(), dispute["id"])[-len(ends) :] == ends


def test_an_inquiry_that_nobody_answers_just_ends(state: SandboxState, work: Callable[[], Work]) -> None:
    charge = charged(work(), "createDisputeInquiry")
    passes(state, 21 * DAY)
    dispute = work().find("dispute", {"charge": charge["id"]})[0]
    assert (dispute["status"], dispute["balance_transactions"]) == ("warning_closed", [])


def test_a_session_runs_out_by_itself(state: SandboxState, work: Callable[[], Work]) -> None:
    price = create_price(work(), {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Report"}})
    params = {"line_items": [{"price": price["id"], "quantity": 1}], "success_url": "http://127.0.0.1/"}
    session = create_session(work(), params)
    passes(state, DAY - 1)
    assert work().require("checkout.session", session["id"])["status"] == "open"

    passes(state, 1)

    after = work().require("checkout.session", session["id"])
    assert (after["status"], after["url"]) == ("expired", None)
    assert told(work(), session["id"]) == ["checkout.session.expired"]
