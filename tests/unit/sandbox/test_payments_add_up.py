"""Whatever is paid, refunded, disputed and paid out: the money adds up, and events tell every change once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from payflux.sandbox.clock import run_due
from payflux.sandbox.errors import StripeError
from payflux.sandbox.merchants.archetypes import PLATFORM
from payflux.sandbox.payments import disputes, intents, ledger, pay, refunds
from payflux.sandbox.payments.tasks import TASKS
from payflux.sandbox.state import SandboxState
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work
from tests.unit.sandbox.conftest import NOON

TOKENS = (
    "visa",
    "visa",
    "chargeDeclined",
    "authenticationRequired",
    "createDispute",
    "createDisputeInquiry",
    "createIssuerFraudRecord",
    "refundFail",
    "pendingRefund",
    "bypassPending",
)
WORDS = ("winning_evidence", "losing_evidence", "escalate_inquiry_evidence", "It was delivered.")
COUNTED_OUT = ("failed", "canceled")


class Payments(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.state = SandboxState(now=lambda: NOON)

    def work(self) -> Work:
        return Work(self.state, PLATFORM.account_id, int(self.state.now().timestamp()))

    def do(self, act: Callable[[Work], Any]) -> Any:
        """What a call does: all of it, or, refused, nothing."""
        work = self.work()
        with suppress(StripeError), self.state.store.transaction():
            return act(work)

    def some(self, kind: str, pick: int, **where: Any) -> Json | None:
        found = self.work().find(kind, where)
        return found[pick % len(found)] if found else None

    @rule(
        amount=st.integers(50, 300_000),
        currency=st.sampled_from(("usd", "jpy")),
        token=st.sampled_from(TOKENS),
        manual=st.booleans(),
    )
    def pays(self, amount: int, currency: str, token: str, manual: bool) -> None:
        method = "manual" if manual else "automatic_async"
        result = self.do(
            lambda work: pay(
                work,
                amount=amount,
                currency=currency,
                customer=None,
                payment_method=f"pm_card_{token}",
                capture_method=method,
            )
        )
        expected = {"chargeDeclined": "failed", "authenticationRequired": "requires_action"}
        assert result.status == expected.get(token, "requires_capture" if manual else "succeeded")

    @rule(pick=st.integers(0, 50), passed=st.booleans())
    def answers_the_bank(self, pick: int, passed: bool) -> None:
        if intent := self.some("payment_intent", pick, status="requires_action"):
            self.do(lambda work: intents.authenticate(work, intent, passed=passed))

    @rule(pick=st.integers(0, 50), share=st.integers(1, 100), canceled=st.booleans())
    def captures_or_cancels(self, pick: int, share: int, canceled: bool) -> None:
        if intent := self.some("payment_intent", pick, status="requires_capture"):
            amount = max(intent["amount"] * share // 100, 1)
            self.do(lambda work: intents.cancel(work, intent) if canceled else intents.capture(work, intent, amount))

    @rule(pick=st.integers(0, 50), amount=st.none() | st.integers(1, 200_000))
    def refunds_a_charge(self, pick: int, amount: int | None) -> None:
        if charge := self.some("charge", pick):
            self.do(lambda work: refunds.refund(work, charge, amount))

    @rule(pick=st.integers(0, 50), words=st.sampled_from(WORDS), submit=st.booleans())
    def answers_a_dispute(self, pick: int, words: str, submit: bool) -> None:
        if dispute := self.some("dispute", pick):
            evidence = {"uncategorized_text": words}
            self.do(lambda work: disputes.answer(work, dispute, evidence, submit=submit))

    @rule(pick=st.integers(0, 50))
    def accepts_a_dispute(self, pick: int) -> None:
        if dispute := self.some("dispute", pick):
            self.do(lambda work: disputes.close(work, dispute, "lost"))

    @rule(pick=st.integers(0, 50), amount=st.integers(1, 100_000))
    def a_customer_disputes(self, pick: int, amount: int) -> None:
        if charge := self.some("charge", pick):
            self.do(lambda work: disputes.open_dispute(work, charge, amount=amount))

    @rule(amount=st.integers(1, 100_000), currency=st.sampled_from(("usd", "jpy")))
    def asks_for_a_payout(self, amount: int, currency: str) -> None:
        def act(work: Work) -> None:
            ledger.require_available(work, amount, currency)
            ledger.make_payout(work, amount, currency, automatic=False)

        self.do(act)

    @rule(hours=st.sampled_from((1, 24, 24 * 3, 24 * 25)))
    @precondition(lambda self: (self.state.now() - NOON).days < 120)
    def time_passes(self, hours: int) -> None:
        self.state.advance(hours * 3600)
        run_due(self.state, TASKS)

    @invariant()
    def the_balance_is_the_sum_of_its_movements(self) -> None:
        work = self.work()
        sums: dict[str, int] = defaultdict(int, usd=0)
        for entry in work.find("balance_transaction"):
            assert entry["net"] == entry["amount"] - entry["fee"]
            assert (entry["status"] == "available") == (entry["available_on"] <= work.now)
            sums[entry["currency"]] += entry["net"]
        shown: dict[str, int] = defaultdict(int)
        balance = ledger.balance(work)
        for entry in (*balance["available"], *balance["pending"]):
            assert entry["source_types"]["card"] == entry["amount"]
            shown[entry["currency"]] += entry["amount"]
        assert shown == sums

    @invariant()
    def what_is_refunded_is_the_sum_of_the_refunds(self) -> None:
        work = self.work()
        sums: dict[str, int] = defaultdict(int)
        for refund in work.find("refund"):
            sums[refund["charge"]] += 0 if refund["status"] in COUNTED_OUT else refund["amount"]
        for charge in work.find("charge"):
            assert charge["amount_refunded"] == sums[charge["id"]] <= charge["amount"]
            assert charge["refunded"] == (charge["paid"] and charge["amount_refunded"] == charge["amount"])
        for intent in work.find("payment_intent", {"status": "succeeded"}):
            assert intent["amount_received"] == work.require("charge", intent["latest_charge"])["amount_captured"]

    @invariant()
    def a_dispute_takes_its_amount_once_and_gives_it_back_when_won(self) -> None:
        work = self.work()
        for dispute in work.find("dispute"):
            booked = work.find("balance_transaction", {"source": dispute["id"]}, oldest_first=True)
            assert [entry["id"] for entry in dispute["balance_transactions"]] == [entry["id"] for entry in booked]
            expected = [] if dispute["status"].startswith("warning") else [-dispute["amount"]]
            expected += [dispute["amount"]] if dispute["status"] == "won" else []
            assert [entry["amount"] for entry in booked] == expected

    @invariant()
    def an_automatic_payout_is_the_sum_of_what_it_paid_out(self) -> None:
        work = self.work()
        paid: list[str] = []
        for payout in work.find("payout", {"automatic": 1}):
            parts = ledger.paid_out_by(work, payout["id"])
            assert payout["amount"] == sum(work.require("balance_transaction", part)["net"] for part in parts) > 0
            assert work.require("balance_transaction", payout["balance_transaction"])["amount"] == -payout["amount"]
            assert datetime.fromtimestamp(payout["arrival_date"], NOON.tzinfo).weekday() < 5
            paid += parts
        assert len(paid) == len(set(paid))

    def teardown(self) -> None:
        """Each event tells what has changed since the one before, and the last one shows the object as it is."""
        seen: dict[str, Json] = {}
        for event in self.work().find("event", oldest_first=True):
            shown, before = event["data"]["object"], event["data"].get("previous_attributes")
            if shown["object"] == "balance":
                continue
            known = seen.get(shown["id"])
            assert (known is None) == (before is None)
            if known is not None:
                changed = {name: known.get(name) for name in shown if known.get(name) != shown[name]}
                assert changed == before
            seen[shown["id"]] = shown
        for object_id, shown in seen.items():
            assert self.work().find_any(object_id) == shown
        self.state.store.close()


TestPayments = Payments.TestCase
TestPayments.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
