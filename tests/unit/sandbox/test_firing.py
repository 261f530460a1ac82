"""Whatever is let happen to a merchant, its money adds up and its past stays as it was told."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from payflux.sandbox import feed
from payflux.sandbox.app import TASKS
from payflux.sandbox.clock import run_due
from payflux.sandbox.document_rows import payment_row
from payflux.sandbox.errors import StripeError
from payflux.sandbox.exports import EXPORTS, export_csv
from payflux.sandbox.firing import FIRE
from payflux.sandbox.listing import list_page
from payflux.sandbox.merchants.archetypes import ARCHETYPES
from payflux.sandbox.payments import ledger
from payflux.sandbox.query import query_of
from payflux.sandbox.reserves import reserved
from payflux.sandbox.resources import BY_KIND
from payflux.sandbox.restrictions import change_settings
from payflux.sandbox.state import SandboxState
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work
from tests.unit.sandbox.conftest import ANCHOR, NOON

DAY = 86_400
SHOP, LOW = ARCHETYPES["gbp-shop"].account_id, ARCHETYPES["low-activity"].account_id


def work_on(state: SandboxState, account_id: str = SHOP) -> Work:
    return Work(state, account_id, int(state.now().timestamp()))


def fire(state: SandboxState, name: str, account_id: str = SHOP, **given: str) -> Json:
    with state.store.transaction():
        return FIRE[name](work_on(state, account_id), given)


def advance(state: SandboxState, days: float) -> None:
    state.advance(days * DAY)
    run_due(state, TASKS)


def everything(work: Work, kind: str, **filters: Any) -> Iterator[Json]:
    after: dict[str, str] = {}
    while True:
        page = list_page(work, kind, "/v1/x", query_of({"limit": 100, **filters, **after}))
        yield from page["data"]
        if not page["has_more"]:
            return
        after = {"starting_after": page["data"][-1]["id"]}


def assert_adds_up(work: Work) -> None:
    movements = list(everything(work, "balance_transaction"))
    sums: dict[str, int] = defaultdict(int)
    held: dict[str, int] = defaultdict(int)
    for entry in movements:
        (held if entry["balance_type"] == "risk_reserved" else sums)[entry["currency"]] += entry["net"]
    balance = ledger.balance(work)
    for currency, total in sums.items():
        parts = [
            entry["amount"]
            for name in ("available", "pending")
            for entry in balance[name]
            if entry["currency"] == currency
        ]
        assert sum(parts) == total, currency
    assert {currency: amount for currency, amount in held.items() if amount} == {
        currency: amount for currency, amount in reserved(work).items() if amount
    }
    refunded: dict[str, int] = defaultdict(int)
    for refund in everything(work, "refund"):
        refunded[refund["charge"]] += refund["amount"]
    disputed = {dispute["charge"]: dispute for dispute in everything(work, "dispute")}
    for charge in everything(work, "charge"):
        assert charge["amount_refunded"] == refunded[charge["id"]]
        assert charge["refunded"] == (charge["paid"] and charge["amount_refunded"] == charge["amount"])
        dispute = disputed.get(charge["id"])
        assert charge["disputed"] == (
            dispute is not None and (dispute["id"][:4] == "du_1" or dispute["status"] != "warning_closed")
        )
    booked = {entry["id"]: entry for entry in movements}
    for dispute in disputed.values():
        for entry in dispute["balance_transactions"]:
            assert booked[entry["id"]]["net"] == entry["net"]
            assert entry["source"] == dispute["id"]
    for payout in list(everything(work, "payout"))[:30]:
        if payout["automatic"]:
            paid = ledger.paid_out_by(work, payout["id"])
            parts = [booked[part] for part in paid] or everything(work, "balance_transaction", payout=payout["id"])
            assert sum(entry["net"] for entry in parts) == payout["amount"]


def assert_told(state: SandboxState, work: Work) -> None:
    """The last event about each object that was made by hand shows it as it is."""
    last = {
        event["data"]["object"]["id"]: event
        for event in work.find("event", oldest_first=True)
        if "id" in event["data"]["object"]
    }
    assert len({event["id"] for event in last.values()}) == len(last)
    for object_id, event in last.items():
        shown = work.find_any(object_id)
        if shown is not None and shown["object"] != "balance_transaction":
            assert shown == event["data"]["object"], event["type"]


UNPREPARED = {"app_uninstalled", "deauthorize", "report_run_failed"}
names = st.sampled_from(sorted(set(FIRE) - UNPREPARED))


class Firing(RuleBasedStateMachine):
    @initialize(merchant=st.sampled_from(["low-activity", "gbp-shop"]))
    def begin(self, merchant: str) -> None:
        self.state = SandboxState(now=lambda: NOON, anchor=ANCHOR)
        self.account_id = ARCHETYPES[merchant].account_id

    @rule(name=names)
    def fire(self, name: str) -> None:
        with suppress(StripeError):
            fire(self.state, name, self.account_id)

    @rule(amount=st.integers(1, 900).map(str), name=st.sampled_from(["refund", "dispute", "reserve_hold"]))
    def fire_part(self, amount: str, name: str) -> None:
        with suppress(StripeError):
            fire(self.state, name, self.account_id, amount=amount)

    @rule(days=st.sampled_from([0.1, 1, 3, 25]))
    def advance(self, days: float) -> None:
        advance(self.state, days)

    def teardown(self) -> None:
        if hasattr(self, "state"):
            work = work_on(self.state, self.account_id)
            assert_adds_up(work)
            assert_told(self.state, work)


TestFiring = Firing.TestCase
TestFiring.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)


@pytest.fixture
def state() -> SandboxState:
    return SandboxState(now=lambda: NOON, anchor=ANCHOR)


@pytest.mark.parametrize("name", sorted(set(FIRE) - UNPREPARED))
def test_everything_that_can_be_fired_happens_and_is_told(state: SandboxState, name: str) -> None:
    first = {
        "dispute_answered": "dispute",
        "dispute_closed": "dispute",
        "review_closed": "review_opened",
        "reserve_plan_disabled": "reserve_plan",
        "reserve_release": "reserve_hold",
        "account_restored": "account_restricted",
    }
    if name in first:
        fire(state, first[name], LOW)
    before = len(work_on(state, LOW).find("event"))
    found = fire(state, name, LOW)
    work = work_on(state, LOW)
    assert len(work.find("event")) > before
    assert work.find_any(found["id"]) == found
    assert_adds_up(work)
    assert_told(state, work)


def test_what_was_fired_shows_on_the_charge_wherever_it_is_read(state: SandboxState) -> None:
    dispute = fire(state, "dispute", reason="product_not_received")
    refund = fire(state, "refund", amount="120")
    work = work_on(state)
    disputed, refunded = (work.require("charge", found["charge"]) for found in (dispute, refund))
    assert disputed["id"] != refunded["id"]
    assert (disputed["disputed"], refunded["amount_refunded"]) == (True, 120)
    listed = {
        charge["id"]: charge for charge in list_page(work, "charge", "/v1/charges", query_of({"limit": 100}))["data"]
    }
    assert listed[disputed["id"]] == disputed
    assert listed[refunded["id"]] == refunded
    assert [found["id"] for found in everything(work, "dispute", charge=disputed["id"])] == [dispute["id"]]
    (withdrawn,) = everything(work, "balance_transaction", source=dispute["id"])
    assert withdrawn["net"] == -dispute["amount"] - 1500
    lost = fire(state, "dispute_closed", status="won")
    assert (lost["id"], lost["status"], len(lost["balance_transactions"])) == (dispute["id"], "won", 2)


def test_the_books_leave_alone_what_was_fired_on_and_refuse_what_they_tell_of(
    state: SandboxState, tmp_path: Path
) -> None:
    told = work_on(state).view
    dispute_of_books = told.id("charges", next(iter(told.merchant.dispute_of)))
    for name in ("refund", "dispute", "early_fraud_warning", "review_opened"):
        with pytest.raises(StripeError, match=r"story of charge|not paid or disputed|charged back"):
            fire(state, name, charge=str(dispute_of_books))
    fired = [fire(state, "refund", amount="10")["charge"] for _ in range(5)]
    fired += [fire(state, "early_fraud_warning")["charge"] for _ in range(5)]
    assert len(set(fired)) == 10
    past = msgspec.json.encode(feed.between(state, SHOP, told.now - 9 * DAY, told.now))
    advance(state, 130)
    merchant = work_on(state).view.merchant
    rows = {merchant.charges.find(int(charge[-16:], 16)) for charge in fired}
    for table in (merchant.refunds, merchant.disputes, merchant.warnings):
        assert not rows & set(table.data["charge"].tolist())
    assert msgspec.json.encode(feed.between(state, SHOP, told.now - 9 * DAY, told.now)) == past


def test_a_restricted_account_stops_at_midnight_and_goes_on_when_it_is_restored(state: SandboxState) -> None:
    undisturbed = SandboxState(now=lambda: NOON, anchor=ANCHOR)
    account = fire(state, "account_restricted", disabled_reason="under_review")
    assert (account["charges_enabled"], account["payouts_enabled"]) == (False, False)
    assert account["requirements"]["disabled_reason"] == "under_review"
    midnight = int(NOON.timestamp()) // DAY * DAY + DAY
    for found in (state, undisturbed):
        advance(found, 10)
    ours, theirs = (work_on(found).view.merchant for found in (state, undisturbed))
    for table in ("charges", "refunds", "disputes", "payouts", "movements"):
        one, other = (merchant.tables[table].created for merchant in (ours, theirs))
        assert np.array_equal(one[one < midnight], other[other < midnight]), table
    assert int((ours.charges.created >= midnight).sum()) == 0
    assert int((ours.payouts.created >= midnight).sum()) == 0
    assert int((theirs.payouts.created >= midnight).sum()) > 3
    assert fire(state, "account_restored")["charges_enabled"]
    advance(state, 5)
    again = work_on(state)
    assert int((again.view.merchant.charges.created >= midnight + 10 * DAY).sum()) > 10
    assert int((again.view.merchant.payouts.created >= midnight + 10 * DAY).sum()) > 1
    assert_adds_up(again)


def test_settings_change_when_money_is_there_and_when_it_is_paid_out(state: SandboxState) -> None:
    schedule = {"interval": "weekly", "weekly_payout_days": ["tuesday"]}
    asked = {"payouts": {"schedule": schedule}, "settlement_timing": {"delay_days_override": 7}}
    with state.store.transaction():
        work = work_on(state)
        shown = change_settings(work, asked)
    assert shown["payments"]["payouts"]["schedule"] == schedule
    assert shown["payments"]["settlement_timing"]["delay_days"] == 7
    assert [event["type"] for event in work.events] == ["balance_settings.updated", "account.updated"]
    advance(state, 30)
    merchant = work_on(state).view.merchant
    midnight = int(NOON.timestamp()) // DAY * DAY + DAY
    payouts = merchant.payouts.created[merchant.payouts.created > midnight]
    assert {int(at) // DAY % 7 for at in payouts} == {5}  # the first of 1970 was a Thursday
    moved = merchant.movements.data
    late = moved[(moved["created"] >= midnight) & (moved["available_on"] > moved["created"])]
    assert set((late["available_on"] - late["created"]) // DAY) == {6}
    assert_adds_up(work_on(state))


@pytest.mark.parametrize(
    ("payments", "message"),
    [
        ({"payouts": {"schedule": {"interval": "weekly"}}}, "weekly_payout_days is required"),
        ({"payouts": {"schedule": {"weekly_payout_days": ["monday"]}}}, "cannot be given when interval is daily"),
        ({"payouts": {"schedule": {"interval": "monthly", "monthly_payout_days": [0]}}}, "1 to 31"),
        ({"payouts": {"schedule": {"interval": "weekly", "weekly_payout_days": ["sunday"]}}}, "Choose from"),
        ({"settlement_timing": {"delay_days_override": 32}}, "between 2 and 31"),
        ({"settlement_timing": {"start_of_day": {"hour": 3}}}, "does not carry out"),
    ],
)
def test_settings_that_cannot_be_are_refused(state: SandboxState, payments: Json, message: str) -> None:
    with pytest.raises(StripeError, match=message):
        change_settings(work_on(state), payments)


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("dispute", {"colour": "red"}, "This takes charge, reason, amount, inquiry"),
        ("dispute", {"reason": "boredom"}, "reason must be one of fraudulent"),
        ("refund", {"amount": "-3"}, "a whole number from 1"),
        ("refund", {"charge": "ch_none"}, "No such charge"),
        ("dispute_closed", {}, "Make one first, or name one"),
        ("account_restored", {}, "is not restricted"),
        ("deauthorize", {}, "is not connected"),
        ("app_uninstalled", {}, "does not have the Stripe App"),
        ("payouts_paused", {"why": "x"}, "This takes no field"),
        ("report_run_failed", {}, "No reporting.report_run"),
    ],
)
def test_what_cannot_happen_is_refused(state: SandboxState, name: str, given: dict[str, str], message: str) -> None:
    with pytest.raises(StripeError, match=message) as refused:
        fire(state, name, **given)
    assert refused.value.status in (400, 404)


def test_what_was_fired_survives_a_restart(tmp_path: Path) -> None:
    first = SandboxState(now=lambda: NOON, state_dir=tmp_path)
    refund = fire(first, "refund", amount="99")
    fire(first, "payouts_paused")
    again = SandboxState(now=lambda: NOON + timedelta(days=3), state_dir=tmp_path)
    work = work_on(again)
    assert work.require("charge", refund["charge"])["amount_refunded"] == 99
    assert not work.require("account", SHOP)["payouts_enabled"]
    assert work.view.merchant.payouts.created.max() < NOON.timestamp()


def test_a_merchant_that_leaves_is_told_to_the_application_and_cannot_be_read(state: SandboxState) -> None:
    state.redeem_code(state.issue_code(SHOP, "read_write"))
    fire(state, "deauthorize")
    (event,) = work_on(state).find("event")
    assert event["type"] == "account.application.deauthorized"
    assert event["data"]["object"] == {"id": "ca_sandbox", "object": "application", "name": "PayFlux"}
    with pytest.raises(StripeError, match="Application access may have been revoked"):
        state.caller("sk_test_sandbox", SHOP)


def test_a_review_is_listed_while_it_is_open(state: SandboxState) -> None:
    opened = fire(state, "review_opened")
    listed = list(everything(work_on(state), BY_KIND["review"].kind, open=True))
    assert opened["id"] in [review["id"] for review in listed]
    assert all(review["open"] for review in listed)
    in_books = [review for review in listed if review["opened_reason"] == "rule"]
    for review in in_books:
        fire(state, "review_closed", review=review["id"])
    work = work_on(state)
    assert [review["id"] for review in everything(work, "review", open=True)] == [opened["id"]]
    advance(state, 5)
    closed = [
        event for event in feed.between(state, SHOP, work.now, work.now + 5 * DAY) if event["type"] == "review.closed"
    ]
    assert not {event["data"]["object"]["id"] for event in closed} & {review["id"] for review in in_books}


def test_exports_and_balance_tell_what_was_fired(state: SandboxState) -> None:
    dispute, refund = fire(state, "dispute", amount="300"), fire(state, "refund", amount="77")
    files = {name: export_csv(state, SHOP, name, ANCHOR - timedelta(days=60), ANCHOR) for name in EXPORTS}
    rows = {name: list(csv.DictReader(io.StringIO(text))) for name, text in files.items()}
    payments = {row["id"]: row for row in rows["unified_payments.csv"]}
    assert payments[dispute["charge"]]["Dispute Status"] == "needs_response"
    assert payments[refund["charge"]]["Status"] == "Partial Refund"
    assert payments[refund["charge"]]["Amount Refunded"] == "0.77"
    assert rows["disputes.csv"][0]["id"] == dispute["id"]
    moved = {row["source_id"]: row for row in rows["balance_change_from_activity.itemized.csv"]}
    assert (moved[dispute["id"]]["gross"], moved[dispute["id"]]["fee"]) == ("-3.00", "15.00")
    assert (moved[refund["id"]]["net"], moved[refund["id"]]["charge_id"]) == ("-0.77", refund["charge"])
    view = work_on(state).view
    newest = everything(work_on(state), "charge", created={"gte": view.now - 60 * DAY})
    plain = [charge for charge in newest if not (charge["disputed"] or charge["amount_refunded"])]
    assert {charge["paid"] for charge in plain} == {True, False}
    for charge in plain:
        if not view.touched(charge["id"]):
            assert filled(payments[charge["id"]]) == filled(payment_row(view, charge))


def filled(row: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in row.items() if value}
