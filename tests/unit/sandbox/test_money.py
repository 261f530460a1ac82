"""A merchant's money adds up, at any moment."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from payflux.sandbox.merchants import tables
from payflux.sandbox.merchants.archetypes import ARCHETYPES
from payflux.sandbox.merchants.tables import MOVEMENTS
from tests.unit.sandbox.conftest import ANCHOR, merchant_of

END = int(datetime.combine(ANCHOR + timedelta(days=1), time(), UTC).timestamp())
names = st.sampled_from(list(ARCHETYPES))
moments = st.integers(END - 540 * 86_400, END - 1)


@given(names, moments)
def test_the_balance_is_the_sum_of_its_movements(name: str, now: int) -> None:
    merchant = merchant_of(name)
    seen = merchant.movements.data[merchant.movements.created <= now]
    of = np.array([MOVEMENTS[kind].balance_type == "risk_reserved" for kind in seen["kind"].tolist()], dtype=bool)

    balance = merchant.balance(now)

    assert balance["available"] + balance["pending"] == int(seen["net"][~of].sum())
    assert balance["reserved"] == int(seen["net"][of].sum()) >= 0
    assert balance["pending"] >= 0


@given(names)
def test_a_payout_is_the_sum_of_what_it_paid_out(name: str) -> None:
    merchant = merchant_of(name)
    moved = merchant.movements.data
    paid = np.zeros(len(merchant.payouts), dtype=np.int64)
    known = moved["payout"] >= 0
    np.add.at(paid, moved["payout"][known], moved["net"][known])

    assert np.array_equal(paid, merchant.payouts.data["amount"])
    assert (merchant.payouts.data["amount"] > 0).all()
    # Nothing is paid out before it is there, and a payout leaves by its own movement.
    when = merchant.payouts.created[moved["payout"][known]]
    assert (np.maximum(moved["created"], moved["available_on"])[known] <= when).all()
    own = moved[moved["kind"] == tables.PAYOUT]
    assert int(own["amount"].sum()) == -int(merchant.payouts.data["amount"].sum())


@given(names)
def test_no_payment_is_refunded_beyond_its_amount_and_every_hold_balances(name: str) -> None:
    merchant = merchant_of(name)
    refunded = np.zeros(len(merchant.charges), dtype=np.int64)
    np.add.at(refunded, merchant.refunds.data["charge"], merchant.refunds.data["amount"])
    moved = merchant.movements.data

    assert (refunded <= merchant.charges.data["amount"]).all()
    assert (moved["net"] == moved["amount"] - moved["fee"]).all()
    sums = [int(moved["net"][moved["kind"] == kind].sum()) for kind in range(len(MOVEMENTS))]
    assert sums[tables.HOLD] == -sums[tables.HELD]
    assert sums[tables.RELEASE] == -sums[tables.RELEASED]


@given(names)
def test_a_dispute_takes_its_amount_and_a_fee_and_gives_back_the_amount_when_won(name: str) -> None:
    merchant = merchant_of(name)
    for dispute in merchant.disputes.rows(np.arange(len(merchant.disputes))):
        if dispute.withdrawal >= 0:
            assert merchant.movements[dispute.withdrawal].net == -dispute.amount - 1500
        assert (dispute.reinstatement >= 0) == bool(dispute.won)
        if dispute.won:
            assert merchant.movements[dispute.reinstatement].net == dispute.amount
            assert merchant.movements[dispute.reinstatement].created == dispute.decided_at
