"""Several files about one merchant make one account of what happened, in whatever order they come."""

from __future__ import annotations

import itertools

from payflux.monitor.processors.codes import Kind, Status
from tests.unit.exports.files import DISPUTE, MOVEMENT, PAYMENT, read, write

REFUNDED = {
    "Amount Refunded": "15.00",
    "Converted Amount Refunded": "15.00",
    "Refunded date (UTC)": "2026-11-12 08:00:00",
}
DISPUTED = {
    "Disputed Amount": "40.00",
    "Dispute Date (UTC)": "2026-11-10 09:00:00",
    "Dispute Reason": "fraudulent",
    "Dispute Status": "lost",
}
REFUND = MOVEMENT | {
    "reporting_category": "refund",
    "created_utc": "2026-11-03 10:00:00",
    "source_id": "re_1",
    "gross": "-5.00",
    "customer_facing_amount": "-5.00",
}


def test_a_charge_in_two_files_is_one_event_with_the_best_of_both(tmp_path):
    payments = write(tmp_path / "payments.csv", PAYMENT, PAYMENT | {"id": "ch_2", "Status": "Failed"})
    itemized = write(tmp_path / "itemized.csv", MOVEMENT)
    (failed, charge), report = read(payments, itemized)
    assert failed.status == Status.FAILED
    assert (charge.occurred_at.second, charge.card, charge.network.name) == (1, "fp_1", "VISA")
    assert report.merged == 1


def test_the_order_of_files_does_not_matter(tmp_path):
    paths = [
        write(tmp_path / "payments.csv", PAYMENT | REFUNDED | DISPUTED, PAYMENT | {"id": "ch_2"}),
        write(tmp_path / "itemized.csv", MOVEMENT, REFUND),
        write(tmp_path / "disputes.csv", DISPUTE),
    ]
    readings = [read(*order).events for order in itertools.permutations(paths)]
    assert all(events == readings[0] for events in readings)


def test_the_same_file_twice_changes_nothing(tmp_path):
    rows = [PAYMENT | REFUNDED, PAYMENT | {"id": "ch_2"} | DISPUTED]
    once, again = write(tmp_path / "a.csv", *rows), write(tmp_path / "b.csv", *rows)
    assert read(once, again).events == read(once).events


def test_a_dispute_in_two_exports_is_one_with_its_latest_state(tmp_path):
    payments = write(tmp_path / "payments.csv", PAYMENT | DISPUTED)
    disputes = write(tmp_path / "disputes.csv", DISPUTE)
    (_, dispute), _ = read(payments, disputes)
    assert (dispute.kind, dispute.source_id, dispute.status) == (Kind.DISPUTE, "dp_1", Status.LOST)


def test_a_dispute_learns_card_and_settlement_from_its_charge(tmp_path):
    paid = {"Currency": "eur", "Converted Amount": "44.00", "Card Issue Country": "DE"}
    payments = write(tmp_path / "payments.csv", PAYMENT | paid)
    disputes = write(tmp_path / "disputes.csv", DISPUTE | {"Currency": "eur", "Amount": "20.00", "Card Brand": ""})
    (_, dispute), _ = read(payments, disputes)
    assert (dispute.settled_amount, dispute.settled_currency) == (2200, "usd")
    assert (dispute.network.name, dispute.country, dispute.card) == ("VISA", "DE", "fp_1")


def test_refunds_listed_one_by_one_replace_the_sum_in_the_payments_export(tmp_path):
    payments = write(tmp_path / "payments.csv", PAYMENT | REFUNDED)
    others = [REFUND, REFUND | {"source_id": "re_2", "gross": "-10.00", "customer_facing_amount": "-10.00"}]
    events, _ = read(payments, write(tmp_path / "itemized.csv", *others))
    assert {event.source_id: event.amount for event in events if event.kind == Kind.REFUND} == {
        "re_1": 500,
        "re_2": 1000,
    }


def test_what_listed_refunds_leave_over_of_the_sum_is_kept(tmp_path):
    events, _ = read(write(tmp_path / "payments.csv", PAYMENT | REFUNDED), write(tmp_path / "itemized.csv", REFUND))
    assert sorted((event.source_id, event.amount) for event in events if event.kind == Kind.REFUND) == [
        ("ch_1/refund/summary", 1000),
        ("re_1", 500),
    ]


def test_an_ending_finds_its_dispute_in_another_file_and_in_any_order(tmp_path):
    reversal = MOVEMENT | {"reporting_category": "dispute_reversal", "source_id": "dp_1"}
    itemized = write(tmp_path / "itemized.csv", reversal)
    for other in (write(tmp_path / "disputes.csv", DISPUTE), write(tmp_path / "a.csv", PAYMENT | DISPUTED)):
        for order in ([itemized, other], [other, itemized]):
            (dispute,) = [event for event in read(*order).events if event.kind == Kind.DISPUTE]
            assert (dispute.status, dispute.occurred_at.day) == (Status.WON, 10)
