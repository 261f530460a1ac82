from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.processors import decode
from payflux.monitor.processors.account_state import account_snapshot, balance_snapshot
from payflux.monitor.processors.codes import Kind, Method, Network, Outcome, RiskLevel, Status
from payflux.monitor.processors.events import PaymentEvent, moment
from payflux.monitor.processors.normalise import (
    RESERVE_TYPES,
    charge_event,
    dispute_event,
    payout_event,
    refund_event,
    reserve_event,
    review_event,
    warning_event,
)
from tests.unit.processors import objects

OF_THE_CHARGE: dict[str, Any] = {
    "charge_id": "ch_1",
    "charge_occurred_at": moment(1_790_000_000),
    "network": Network.VISA,
    "method": Method.CARD,
    "outcome": Outcome.AUTHORIZED,
    "risk_level": RiskLevel.ELEVATED,
    "three_d_secure": True,
    "country": "CA",
    "card": "Xt5EWLLDS7FJjR1c",
    "customer": "cus_1",
}


def read(form: Any, body: objects.Json) -> Any:
    return msgspec.json.decode(msgspec.json.encode(body), type=form)


def test_a_charge_keeps_its_own_amount_and_what_reached_the_balance() -> None:
    assert charge_event(read(decode.Charge, objects.charge())) == PaymentEvent(
        kind=Kind.CHARGE,
        source_id="ch_1",
        occurred_at=moment(1_790_000_000),
        status=Status.SUCCEEDED,
        amount=2000,
        currency="cad",
        settled_amount=1840,
        settled_currency="usd",
        **OF_THE_CHARGE,
    )


def test_no_name_e_mail_or_card_number_is_decoded() -> None:
    decoded = msgspec.json.encode(read(decode.Charge, objects.charge())).decode()
    assert not any(secret in decoded for secret in ("Jenny", "jenny@example.com", "4242"))


def test_a_declined_charge_keeps_the_most_telling_reason_and_has_settled_nothing_elsewhere() -> None:
    event = charge_event(read(decode.Charge, objects.declined()))
    assert (event.status, event.reason, event.outcome) == (
        Status.FAILED,
        "insufficient_funds",
        Outcome.ISSUER_DECLINED,
    )
    assert (event.settled_amount, event.settled_currency) == (2000, "cad")


def test_an_authorization_that_is_not_captured_is_no_sale_yet() -> None:
    held = objects.charge(captured=False, amount_captured=0, balance_transaction=None)
    assert charge_event(read(decode.Charge, held)).status == Status.PENDING


def test_an_authorization_that_was_let_go_is_neither_a_sale_nor_a_refund() -> None:
    gone = objects.charge(captured=False, amount_captured=0, balance_transaction=None, refunded=True)
    let_go = objects.refund(amount=2000, balance_transaction=None, charge=gone, reason="expired_uncaptured_charge")
    assert charge_event(read(decode.Charge, gone)).status == Status.CANCELED
    assert refund_event(read(decode.Refund, let_go)).status == Status.CANCELED


def test_a_charge_captured_in_part_is_a_sale_of_that_part_and_the_rest_no_refund() -> None:
    part = objects.charge(amount_captured=1500, balance_transaction=objects.movement(amount=1380))
    rest = objects.refund(amount=500, balance_transaction=None, charge=part)
    sale = charge_event(read(decode.Charge, part))
    assert (sale.status, sale.amount, sale.settled_amount) == (Status.SUCCEEDED, 1500, 1380)
    assert refund_event(read(decode.Refund, rest)).status == Status.CANCELED
    given_back = objects.refund(amount=500, charge=part)
    assert refund_event(read(decode.Refund, given_back)).status == Status.SUCCEEDED


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("succeeded", Status.SUCCEEDED),
        ("pending", Status.PENDING),
        ("requires_action", Status.PENDING),
        ("failed", Status.FAILED),
        ("canceled", Status.CANCELED),
    ],
)
def test_each_state_of_a_refund_has_its_status(word: str, status: Status) -> None:
    assert refund_event(read(decode.Refund, objects.refund(status=word))).status == status


@pytest.mark.parametrize(
    ("details", "method", "network", "secure"),
    [
        ({"type": "card_present", "card_present": {"brand": "amex"}}, Method.CARD_PRESENT, Network.AMEX, False),
        ({"type": "card", "card": {"network": "cartes_bancaires"}}, Method.CARD, Network.OTHER, False),
        ({"type": "card", "card": {"brand": "unknown"}}, Method.CARD, Network.UNKNOWN, False),
        ({"type": "card", "card": {"three_d_secure": {"result": "failed"}}}, Method.CARD, Network.UNKNOWN, False),
        ({"type": "sepa_debit", "sepa_debit": {"country": "DE"}}, Method.OTHER, Network.UNKNOWN, None),
        (None, Method.UNKNOWN, Network.UNKNOWN, None),
    ],
)
def test_how_a_payer_paid_is_told(details: Any, method: Method, network: Network, secure: bool | None) -> None:
    event = charge_event(read(decode.Charge, objects.charge(payment_method_details=details)))
    assert (event.method, event.network, event.three_d_secure) == (method, network, secure)


def test_a_word_that_stripe_adds_later_does_not_stop_the_reading() -> None:
    event = charge_event(
        read(decode.Charge, objects.charge(status="levitating", outcome={"type": "x", "risk_level": "y"}))
    )
    assert (event.status, event.outcome, event.risk_level) == (Status.PENDING, Outcome.UNKNOWN, RiskLevel.UNKNOWN)
    assert dispute_event(read(decode.Dispute, objects.dispute(status="levitating"))).status == Status.OPEN


def test_a_refund_tells_of_its_charge_and_what_left_the_balance() -> None:
    event = refund_event(read(decode.Refund, objects.refund()))
    assert (event.kind, event.amount, event.settled_amount, event.settled_currency) == (Kind.REFUND, 500, 461, "usd")
    assert {name: getattr(event, name) for name in OF_THE_CHARGE} == OF_THE_CHARGE


def test_a_refund_that_has_not_moved_money_is_settled_at_its_charges_rate() -> None:
    event = refund_event(read(decode.Refund, objects.refund(balance_transaction=None, status="pending")))
    assert (event.status, event.settled_amount, event.settled_currency) == (Status.PENDING, 460, "usd")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("warning_needs_response", Status.INQUIRY),
        ("warning_under_review", Status.INQUIRY),
        ("warning_closed", Status.INQUIRY),
        ("needs_response", Status.OPEN),
        ("under_review", Status.OPEN),
        ("appeal_needs_response", Status.OPEN),
        ("appeal_under_review", Status.OPEN),
        ("won", Status.WON),
        ("lost", Status.LOST),
        ("prevented", Status.PREVENTED),
    ],
)
def test_each_state_of_a_dispute_has_its_status(word: str, status: Status) -> None:
    assert dispute_event(read(decode.Dispute, objects.dispute(status=word))).status == status


def test_a_dispute_settles_at_what_was_withdrawn_even_when_it_was_won_back() -> None:
    movements = [objects.movement(amount=-1900), objects.movement(id="txn_9", amount=1900, created=1_795_000_000)]
    event = dispute_event(read(decode.Dispute, objects.dispute(balance_transactions=movements, status="won")))
    assert (event.settled_amount, event.settled_currency, event.reason) == (1900, "usd", "fraudulent")
    assert event.ends_at == moment(1_795_000_000)


def test_evidence_is_due_only_while_a_dispute_is_open() -> None:
    ends = {
        status: dispute_event(read(decode.Dispute, objects.dispute(status=status))).ends_at
        for status in ("needs_response", "appeal_under_review", "lost", "prevented", "warning_closed")
    }
    due = moment(1_792_000_000)
    assert ends == {
        "needs_response": due, "appeal_under_review": due, "lost": None, "prevented": None, "warning_closed": None
    }  # fmt: skip


def test_a_dispute_before_any_withdrawal_settles_at_its_charges_rate() -> None:
    event = dispute_event(read(decode.Dispute, objects.dispute(amount=1000, status="warning_needs_response")))
    assert (event.settled_amount, event.settled_currency) == (920, "usd")


def test_a_dispute_whose_charge_was_not_expanded_still_names_it() -> None:
    event = dispute_event(read(decode.Dispute, objects.dispute(charge="ch_9")))
    assert (event.charge_id, event.charge_occurred_at, event.settled_amount) == ("ch_9", None, 2000)


def test_a_warning_carries_its_charges_amount_and_whether_something_can_be_done() -> None:
    event = warning_event(read(decode.EarlyFraudWarning, objects.warning()))
    assert event is not None
    assert (event.status, event.amount, event.settled_amount) == (Status.ACTIONABLE, 2000, 1840)
    late = warning_event(read(decode.EarlyFraudWarning, objects.warning(actionable=False)))
    assert late is not None
    assert late.status == Status.SETTLED


def test_a_payout_that_takes_money_from_the_bank_is_told_as_a_debit() -> None:
    event = payout_event(read(decode.Payout, objects.payout(amount=-700)))
    assert (event.amount, event.reason, event.status) == (700, "debit", Status.SUCCEEDED)
    failed = payout_event(read(decode.Payout, objects.payout(status="failed", failure_code="account_closed")))
    assert (failed.status, failed.reason) == (Status.FAILED, "account_closed")


def test_a_payout_that_came_back_brought_nothing() -> None:
    event = payout_event(read(decode.Payout, objects.payout(reversed_by="po_2")))
    assert (event.status, event.reason) == (Status.CANCELED, "reversed")


def test_a_review_says_why_it_was_opened_and_then_how_it_ended() -> None:
    opened = review_event(read(decode.Review, objects.review()))
    assert (opened.kind, opened.status, opened.reason) == (Kind.REVIEW, Status.OPEN, "rule")
    assert (opened.amount, opened.settled_amount, opened.settled_currency) == (2000, 1840, "usd")
    assert {name: getattr(opened, name) for name in OF_THE_CHARGE} == OF_THE_CHARGE
    closed = review_event(read(decode.Review, objects.review(open=False, closed_reason="refunded_as_fraud")))
    assert (closed.status, closed.reason) == (Status.SETTLED, "refunded_as_fraud")


def test_a_review_of_a_payment_without_a_charge_has_no_amount() -> None:
    event = review_event(read(decode.Review, objects.review(charge=None)))
    assert (event.amount, event.currency, event.charge_id) == (0, "", "")


@pytest.mark.parametrize("kind", RESERVE_TYPES)
def test_every_type_of_reserve_is_held_or_released_by_its_sign(kind: str) -> None:
    moved = [reserve_event(read(decode.BalanceTransaction, objects.movement(type=kind, amount=n))) for n in (-7, 7, 0)]
    assert [event and event.kind for event in moved] == [Kind.RESERVE_HOLD, Kind.RESERVE_RELEASE, None]


def test_a_minimum_balance_that_the_merchant_set_is_no_reserve() -> None:
    kept = objects.movement(type="payout_minimum_balance_hold", amount=-184)
    assert reserve_event(read(decode.BalanceTransaction, kept)) is None


def test_a_reserve_is_counted_on_the_side_of_the_payments_balance_only() -> None:
    hold = objects.movement(type="reserve_hold", amount=-184)
    held = objects.movement(type="reserve_hold", amount=184, balance_type="risk_reserved")
    event = reserve_event(read(decode.BalanceTransaction, hold))
    assert event is not None
    assert (event.kind, event.amount, event.settled_currency) == (Kind.RESERVE_HOLD, 184, "usd")
    assert reserve_event(read(decode.BalanceTransaction, held)) is None


def test_a_release_and_an_older_reserve_movement_are_told_by_their_sign() -> None:
    release = reserve_event(read(decode.BalanceTransaction, objects.movement(type="reserve_release", amount=184)))
    older = reserve_event(read(decode.BalanceTransaction, objects.movement(type="reserved_funds", amount=-5)))
    assert release is not None
    assert older is not None
    assert (release.kind, older.kind) == (Kind.RESERVE_RELEASE, Kind.RESERVE_HOLD)


def test_a_hold_says_when_it_ends_where_stripe_says_so() -> None:
    source = {
        "id": "resvhold_1",
        "object": "reserve.hold",
        "source_charge": "ch_1",
        "release_schedule": {"release_after": 1_797_000_000, "scheduled_release": 1_797_033_600},
    }
    hold = objects.movement(type="reserve_hold", amount=-184, source=source)
    event = reserve_event(read(decode.BalanceTransaction, hold))
    assert event is not None
    assert (event.charge_id, event.ends_at) == ("ch_1", moment(1_797_033_600))


def test_other_movements_are_no_reserve() -> None:
    assert reserve_event(read(decode.BalanceTransaction, objects.movement())) is None


@given(
    amount=st.integers(1, 10**11),
    settled=st.integers(0, 10**11),
    share=st.fractions(0, 1),
)
def test_a_part_at_the_charges_rate_is_never_off_by_more_than_half_a_unit(amount: int, settled: int, share) -> None:
    part = int(amount * share)
    body = objects.dispute(
        amount=part,
        charge=objects.charge(
            amount=amount, amount_captured=amount, balance_transaction=objects.movement(amount=settled)
        ),
    )
    event = dispute_event(read(decode.Dispute, body))
    assert abs(2 * amount * event.settled_amount - 2 * part * settled) <= amount


def test_an_account_is_named_and_its_requirements_kept() -> None:
    taken_at = datetime(2026, 11, 1, tzinfo=UTC)
    body = {
        "id": "acct_1",
        "charges_enabled": False,
        "payouts_enabled": True,
        "details_submitted": True,
        "country": "US",
        "created": 1_700_000_000,
        "default_currency": "usd",
        "email": "owner@example.com",
        "business_profile": {"name": None, "mcc": "5735", "url": "https://shop.example"},
        "settings": {
            "dashboard": {"display_name": "A Shop"},
            "payouts": {"schedule": {"delay_days": 2, "interval": "daily"}},
        },
        "requirements": {
            "disabled_reason": "requirements.past_due",
            "currently_due": ["external_account"],
            "past_due": [],
        },
    }
    snapshot = account_snapshot(read(decode.Account, body), taken_at=taken_at, livemode=True)
    assert (snapshot.name, snapshot.payout_delay_days, snapshot.currently_due) == ("A Shop", 2, ("external_account",))
    assert (snapshot.charges_enabled, snapshot.disabled_reason) == (False, "requirements.past_due")
    assert snapshot.taken_at == taken_at


def test_a_balance_is_summed_by_currency_and_may_be_negative() -> None:
    body = {
        "available": [{"amount": -300, "currency": "usd"}, {"amount": 5, "currency": "eur"}],
        "pending": [{"amount": 700, "currency": "usd"}],
        "risk_reserved": {"available": [{"amount": 40, "currency": "usd"}], "pending": []},
    }
    snapshot = balance_snapshot(read(decode.Balance, body), taken_at=datetime(2026, 11, 1, tzinfo=UTC))
    assert (snapshot.available, snapshot.pending, snapshot.reserved) == (
        {"usd": -300, "eur": 5},
        {"usd": 700},
        {"usd": 40},
    )
