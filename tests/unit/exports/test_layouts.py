"""Each kind of export becomes the payment events that the processor's API would have told of."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from payflux.monitor.processors.codes import Kind, Method, Network, Outcome, Status
from tests.unit.exports.files import DISPUTE, EVENT, MOVEMENT, PAYMENT, read, write


@pytest.fixture
def payments(tmp_path):
    """Events of one payments row with some cells changed."""
    return lambda **cells: read(write(tmp_path / "payments.csv", PAYMENT | cells)).events


@pytest.fixture
def movements(tmp_path):
    """Events of itemized rows, each with some cells changed."""
    return lambda *rows: read(write(tmp_path / "itemized.csv", *(MOVEMENT | row for row in rows))).events


def test_a_paid_payment_is_a_charge_with_its_card(payments):
    (charge,) = payments()
    assert (charge.kind, charge.status, charge.outcome) == (Kind.CHARGE, Status.SUCCEEDED, Outcome.AUTHORIZED)
    assert (charge.amount, charge.currency, charge.settled_amount) == (4000, "usd", 4000)
    assert charge.occurred_at == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert (charge.source_id, charge.charge_id, charge.card, charge.customer) == ("ch_1", "ch_1", "fp_1", "cus_1")
    assert (charge.network, charge.method, charge.country) == (Network.VISA, Method.CARD, "US")


def test_a_failed_payment_keeps_its_decline_reason(payments):
    (charge,) = payments(Status="Failed", **{"Decline Reason": "insufficient_funds"})
    assert (charge.status, charge.outcome, charge.reason) == (
        Status.FAILED,
        Outcome.ISSUER_DECLINED,
        "insufficient_funds",
    )


def test_a_payment_settled_in_another_currency_has_both_amounts(payments):
    (charge,) = payments(Currency="jpy", Amount="6000", **{"Converted Amount": "39.85", "Converted Currency": "usd"})
    assert (charge.amount, charge.currency) == (6000, "jpy")
    assert (charge.settled_amount, charge.settled_currency) == (3985, "usd")


def test_refund_and_dispute_columns_become_events_of_their_own(payments):
    charge, dispute, refund = payments(
        Status="Refunded",
        **{
            "Amount Refunded": "15.00",
            "Converted Amount Refunded": "15.00",
            "Refunded date (UTC)": "2026-11-12 08:00:00",
            "Disputed Amount": "40.00",
            "Dispute Date (UTC)": "2026-11-10 09:00:00",
            "Dispute Reason": "Product not received",
            "Dispute Status": "Needs response",
        },
    )
    assert charge.status == Status.SUCCEEDED
    assert (refund.kind, refund.amount, refund.charge_id) == (Kind.REFUND, 1500, "ch_1")
    assert refund.charge_occurred_at == charge.occurred_at
    assert (dispute.kind, dispute.status, dispute.amount) == (Kind.DISPUTE, Status.OPEN, 4000)
    assert (dispute.reason, dispute.network) == ("product_not_received", Network.VISA)


@pytest.mark.parametrize("status", ["Canceled", "requires_payment_method"])
def test_a_payment_that_was_never_attempted_is_set_aside_and_counted(tmp_path, status):
    events, report = read(write(tmp_path / "payments.csv", PAYMENT | {"Status": status}))
    assert not events
    assert report.files[0].set_aside == {"payment never attempted": 1}


def test_the_older_header_of_the_dashboard_is_known(tmp_path):
    older = {("Created (UTC)" if name == "Created date (UTC)" else name): cell for name, cell in PAYMENT.items()}
    assert len(read(write(tmp_path / "payments.csv", older)).events) == 1


def test_a_movement_of_a_charge_is_exact_in_both_currencies(movements):
    (charge,) = movements({"customer_facing_amount": "36.00", "customer_facing_currency": "eur"})
    assert (charge.amount, charge.currency, charge.settled_amount, charge.settled_currency) == (
        3600,
        "eur",
        4000,
        "usd",
    )
    assert charge.occurred_at == datetime(2026, 11, 1, 10, 0, 1, tzinfo=UTC)


def test_each_refund_is_an_event_and_a_failed_one_says_so(movements):
    refund = {"reporting_category": "refund", "gross": "-5.00", "customer_facing_amount": "-5.00"}
    one, other = movements(
        refund | {"source_id": "re_1", "created_utc": "2026-11-02 10:00:00"},
        refund | {"source_id": "re_2", "created_utc": "2026-11-03 10:00:00"},
        refund
        | {"source_id": "re_2", "created_utc": "2026-11-09 10:00:00", "reporting_category": "refund_failure"}
        | {"gross": "5.00", "customer_facing_amount": "5.00"},
    )
    assert (one.source_id, one.status, one.amount) == ("re_1", Status.SUCCEEDED, 500)
    assert (other.source_id, other.status, other.occurred_at.day) == ("re_2", Status.FAILED, 3)


def test_a_reversed_dispute_was_won(movements):
    dispute = {"source_id": "dp_1", "customer_facing_amount": "", "dispute_reason": "fraudulent"}
    (event,) = movements(
        dispute | {"reporting_category": "dispute", "gross": "-40.00", "created_utc": "2026-11-10 09:00:00"},
        dispute | {"reporting_category": "dispute_reversal", "gross": "40.00", "created_utc": "2026-11-18 09:00:00"},
    )
    assert (event.kind, event.status, event.occurred_at.day, event.reason) == (
        Kind.DISPUTE,
        Status.WON,
        10,
        "fraudulent",
    )


def test_the_end_of_something_older_than_the_files_is_set_aside_and_never_dated_wrongly(tmp_path):
    reversal = MOVEMENT | {"reporting_category": "dispute_reversal", "source_id": "dp_0", "charge_id": "ch_0"}
    events, report = read(write(tmp_path / "itemized.csv", MOVEMENT, reversal))
    assert [event.kind for event in events] == [Kind.CHARGE]
    (file,) = report.files
    assert (file.rows, file.used) == (2, 1)
    assert file.set_aside == {"dispute_reversal of something from before these files": 1}


def test_payouts_and_reserves_are_read_and_fees_set_aside(tmp_path):
    rows = [
        {"reporting_category": "payout", "source_id": "po_1", "gross": "-100.00"},
        {"reporting_category": "risk_reserved_funds", "balance_transaction_id": "txn_3", "gross": "-4.00"},
        {"reporting_category": "risk_reserved_funds", "balance_transaction_id": "txn_4", "gross": "4.00"},
        {"reporting_category": "fee", "gross": "-0.50"},
    ]
    events, report = read(write(tmp_path / "itemized.csv", *(MOVEMENT | row for row in rows)))
    assert [(event.kind, event.amount) for event in events] == [
        (Kind.PAYOUT, 10000),
        (Kind.RESERVE_HOLD, 400),
        (Kind.RESERVE_RELEASE, 400),
    ]
    assert report.files[0].set_aside == {"fee": 1}


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("needs_response", Status.OPEN),
        ("under_review", Status.OPEN),
        ("won", Status.WON),
        ("lost", Status.LOST),
        ("prevented", Status.PREVENTED),
        ("warning_closed", Status.INQUIRY),
    ],
)
def test_every_state_of_a_dispute_is_known(tmp_path, word, status):
    (dispute,) = read(write(tmp_path / "disputes.csv", DISPUTE | {"Status": word})).events
    assert dispute.status == status
    assert (dispute.source_id, dispute.charge_id, dispute.amount) == ("dp_1", "ch_1", 4000)
    assert dispute.ends_at == datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC)


def test_a_plain_file_needs_six_columns_only(tmp_path):
    (charge,) = read(write(tmp_path / "plain.csv", EVENT)).events
    assert (charge.amount, charge.settled_amount, charge.settled_currency) == (4000, 4000, "usd")
    assert (charge.charge_id, charge.network, charge.three_d_secure) == ("py_1", Network.UNKNOWN, None)
