from datetime import UTC, datetime, timedelta

from payflux.monitor.processors.reconciling.rules import Check, Identity, State
from payflux.web.books import lines_of
from payflux.web.formatting import NBSP

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def check(identity: Identity, subject: str, currency: str, expected: int, actual: int, reason: str = "") -> Check:
    state = State.DIFFERS if reason else State.HOLDS
    return Check(identity, subject, currency, NOON - timedelta(hours=1), NOON, expected, actual, state, reason)


def test_each_result_is_said_in_its_currency_or_as_a_number() -> None:
    lines = lines_of(
        [
            check(Identity.BALANCE_CHANGE, "payments", "usd", 700, 700),
            check(Identity.MOVEMENTS_STORED, "charge", "usd", 1200, 0, "1 not stored."),
            check(Identity.PAYOUTS, "payouts", "kwd", 5000, 4999, "1 of 3 payouts differ."),
            check(Identity.OPEN_RESERVES, "holds", "jpy", 980, 0, "Too little."),
            check(Identity.COUNTS, "early_fraud_warnings", "", 3, 1, "2 not stored"),
        ]
    )
    assert [(line.what, line.said) for line in lines] == [
        ("What Stripe booked against the stored charges, USD", "Differs by $12.00: 1 not stored."),
        ("The newest payouts against what they pay out, KWD", f"Differs by KWD{NBSP}0.001: 1 of 3 payouts differ."),
        ("The reserve against its holds and releases, JPY", "Differs by ¥980: Too little."),
        ("The number of early fraud warnings", "Differs by 2: 2 not stored"),
        ("The balance against what moved it, USD", "Adds up"),
    ]


def test_what_cannot_be_told_says_why_and_comes_last() -> None:
    untold = Check(
        Identity.BALANCE_CHANGE, "risk_reserved", "", NOON, NOON, None, None, State.CANNOT_TELL, "Not shown."
    )
    lines = lines_of([untold, check(Identity.COUNTS, "charges", "", 1, 1)])
    assert [line.said for line in lines] == ["Adds up", "Cannot tell: Not shown."]
    assert lines[1].what == "The reserved balance against what moved it"


def test_objects_that_differ_without_a_total_that_does_are_told_without_an_amount() -> None:
    [line] = lines_of([check(Identity.REFUNDS_OF_CHARGES, "refunded charges", "usd", 800, 800, "2 of 3 differ.")])
    assert line.said == "Differs: 2 of 3 differ."
