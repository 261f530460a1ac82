from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.processors.reconciling.rules import (
    EDGE,
    Balance,
    Check,
    Identity,
    Movement,
    State,
    check_balance,
    check_counts,
    check_each,
    check_reserves,
    check_stored,
)

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
END = START + timedelta(hours=1)
WINDOW = (START, END)
CURRENCIES = ("usd", "jpy", "kwd")  # two, no and three decimals

times = st.integers(int((START - EDGE).timestamp()), int((END + EDGE).timestamp()))
movements = st.lists(
    st.builds(
        Movement,
        at=times,
        currency=st.sampled_from(CURRENCIES),
        balance_type=st.sampled_from(["payments", "risk_reserved"]),
        amount=st.integers(-(10**14), 10**14),
        net=st.integers(-(10**14), 10**14),
    ),
    max_size=30,
).map(lambda moved: sorted(moved, key=lambda movement: movement.at))
opening = st.dictionaries(st.sampled_from(CURRENCIES), st.integers(-(10**15), 10**15))


def moved(first: dict[str, int], booked: list[Movement], balance_type: str) -> dict[str, int]:
    totals = dict(first)
    for movement in booked:
        if movement.balance_type == balance_type:
            totals[movement.currency] = totals.get(movement.currency, 0) + movement.net
    return totals


@given(opening, opening, movements, st.data())
def test_whatever_moves_while_a_balance_is_read_the_books_add_up(
    first: dict[str, int], reserved: dict[str, int], booked: list[Movement], data: st.DataObject
) -> None:
    def cuts(moment: datetime) -> tuple[int, int]:
        sure = sum(movement.at < (moment - EDGE).timestamp() for movement in booked)
        near = sum(movement.at <= (moment + EDGE).timestamp() for movement in booked)
        return sure, near

    # someone reads both balances while things move: whatever is near a reading may be in it or not
    before, after = (
        Balance(taken_at, moved(first, seen, "payments"), moved(reserved, seen, "risk_reserved"))
        for taken_at in WINDOW
        for seen in [booked[: data.draw(st.integers(*cuts(taken_at)))]]
    )
    assert {check.state for check in check_balance(before, after, booked)} <= {State.HOLDS}


@given(opening, movements, st.sampled_from(CURRENCIES), st.integers(1, 10**12))
def test_what_is_missing_is_told_to_the_last_unit(
    first: dict[str, int], booked: list[Movement], currency: str, missing: int
) -> None:
    certain = [
        movement
        for movement in booked
        if (START + EDGE).timestamp() < movement.at < (END - EDGE).timestamp() and movement.balance_type == "payments"
    ]
    after = moved({currency: 0} | first, certain, "payments")
    after[currency] += missing
    checks = check_balance(Balance(START, first, None), Balance(END, after, None), certain)
    differing = {check.currency: check.difference for check in checks if check.state == State.DIFFERS}
    assert differing == {currency: -missing}


def test_a_balance_that_is_not_shown_cannot_be_told() -> None:
    held = Movement(int(START.timestamp()) + 60, "usd", "risk_reserved", 500, 500)
    issued = held._replace(balance_type="issuing")
    checks = check_balance(Balance(START, {"usd": 1}, None), Balance(END, {"usd": 1}, None), [held, issued])
    assert [(check.subject, check.state) for check in checks] == [
        ("payments", State.HOLDS),
        ("risk_reserved", State.CANNOT_TELL),
        ("issuing", State.CANNOT_TELL),
    ]


def one(checks: list[Check]) -> Check:
    [check] = checks
    return check


def test_a_movement_whose_event_is_not_stored_is_missed() -> None:
    paid = Movement(0, "usd", "payments", 900, 870, "charge", "ch_1")
    fee = Movement(0, "usd", "payments", -30, -30)
    assert one(check_stored([paid, fee], {("charge", "ch_1"): 900}, WINDOW)).state == State.HOLDS
    missing = one(check_stored([paid, fee], {}, WINDOW))
    assert (missing.state, missing.difference, missing.reason) == (State.DIFFERS, -900, "1 not stored.")
    assert one(check_stored([paid], {("charge", "ch_1"): 899}, WINDOW)).difference == -1


def test_amounts_of_two_currencies_are_never_added() -> None:
    paid = [Movement(0, currency, "payments", 900, 900, "charge", f"ch_{currency}") for currency in CURRENCIES]
    stored = {("charge", "ch_usd"): 900, ("charge", "ch_jpy"): 1000, ("charge", "ch_kwd"): 800}
    checks = check_stored(paid, stored, WINDOW)
    assert {check.currency: check.difference for check in checks} == {"usd": 0, "jpy": 100, "kwd": -100}


def test_differences_of_two_objects_that_cancel_out_are_differences() -> None:
    said = {"ch_1": ("usd", 300), "ch_2": ("usd", 500), "ch_3": ("usd", 0)}
    check = one(check_each(Identity.REFUNDS_OF_CHARGES, "charges", said, {"ch_1": 400, "ch_2": 400}, WINDOW))
    assert (check.state, check.difference, check.reason) == (State.DIFFERS, 0, "2 of 3 charges differ.")


@pytest.mark.parametrize(
    ("shown", "stored", "state", "reason"),
    [
        ({"a", "b"}, {"a", "b"}, State.HOLDS, ""),
        ({"a", "b"}, {"a"}, State.DIFFERS, "1 not stored"),
        ({"a", "b"}, {"a", "c"}, State.DIFFERS, "1 not stored; 1 no longer listed"),
        (set(), set(), State.HOLDS, ""),
    ],
)
def test_objects_are_counted_by_their_ids(shown: set[str], stored: set[str], state: State, reason: str) -> None:
    check = check_counts(shown, stored, WINDOW, subject="charges")
    assert (check.expected, check.actual, check.state, check.reason) == (len(shown), len(stored), state, reason)


def test_reserves_are_told_only_where_something_is_held_or_shown() -> None:
    assert check_reserves(None, {}, WINDOW, subject="balance") == []
    assert one(check_reserves(None, {"usd": 5, "eur": 0}, WINDOW, subject="balance")).state == State.CANNOT_TELL
    assert one(check_reserves({"usd": 5}, {"usd": 5}, WINDOW, subject="holds")).state == State.HOLDS
    assert one(check_reserves({}, {"usd": 5}, WINDOW, subject="holds")).difference == 5
