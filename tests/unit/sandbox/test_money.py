"""A merchant's money adds up, at any moment."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from payflux.sandbox.merchants import tables
from payflux.sandbox.merchants.archetypes import ARCHETYPES
from payflux.sandbox.merchants.currencies import CURRENCIES, converted
from payflux.sandbox.merchants.reviews import CLOSED_REASONS
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
            taken = merchant.movements[dispute.withdrawal]
            assert -taken.amount == int(converted(np.array(dispute.amount), np.array(taken.rate)))
            assert taken.net == taken.amount - merchant.archetype.dispute_fee
        assert (dispute.reinstatement >= 0) == bool(dispute.won)
        if dispute.won:
            given_back = merchant.movements[dispute.reinstatement]
            assert given_back.net == -merchant.movements[dispute.withdrawal].amount
            assert given_back.created == dispute.decided_at


def test_a_shop_in_pounds_is_settled_in_pounds_whatever_is_paid() -> None:
    merchant = merchant_of("gbp-shop")
    charges, moved = merchant.charges.data, merchant.movements.data
    paid = charges[charges["paid"] == 1]
    shares = np.bincount(paid["currency"], minlength=len(CURRENCIES)) / len(paid)
    assert np.allclose(shares, (0.1, 0.65, 0.25), atol=0.04)
    of_charges = moved[moved["kind"] == tables.CHARGE]
    source = charges[of_charges["source"]]
    own = source["currency"] == CURRENCIES.index("gbp")
    assert (of_charges["rate"][own] == 0).all()
    assert (of_charges["amount"][own] == source["amount"][own]).all()
    exact = source["amount"] * of_charges["rate"] / 1_000_000
    assert (np.abs(exact - of_charges["amount"])[~own] <= 0.5).all()
    assert len(np.unique(of_charges["rate"])) > 300
    fee = np.where(own, 15, 35) * of_charges["amount"] / 1000 + 20
    assert (np.abs(fee - of_charges["fee"]) <= 0.5).all()


def test_the_legacy_reserve_shows_in_the_payments_balance_alone() -> None:
    merchant = merchant_of("reserve-legacy")
    moved = merchant.movements.data
    held = moved[moved["kind"] == tables.RESERVED]
    assert len(held) > 300
    assert (held["net"] < 0).all()
    back = moved[moved["kind"] == tables.UNRESERVED]
    assert int(held["net"].sum()) == -int(back["net"].sum())
    assert merchant.balance(END)["reserved"] == 0
    assert len(merchant.holds) == 0


def test_each_hold_is_a_movement_out_and_its_release_one_back() -> None:
    merchant = merchant_of("reserve-in-force")
    moved = merchant.movements.data
    out, back = moved[moved["kind"] == tables.HOLD], moved[moved["kind"] == tables.RELEASE]
    assert sorted(merchant.holds.data["amount"].tolist()) == sorted((-out["amount"]).tolist())
    assert merchant.releases.created.tolist() == back["created"].tolist()
    holds = merchant.holds.data[merchant.releases.data["hold"]]
    assert (holds["amount"] == merchant.releases.data["amount"]).all()
    assert (holds["release"] == np.arange(len(holds))).all()
    early = holds["refund"] >= 0
    assert 0.02 < early.mean() < 0.1
    assert (holds["until"][~early] == holds["scheduled"][~early]).all()
    assert (holds["until"][early] < holds["scheduled"][early]).all()


@given(names)
def test_reviews_end_with_the_first_thing_that_happens_to_their_payment(name: str) -> None:
    merchant = merchant_of(name)
    reviews = merchant.reviews.data
    assert (reviews["closed_at"] > reviews["created"]).all()
    assert (merchant.charges.data["paid"][reviews["charge"]] == 1).all()
    for review in merchant.reviews.rows(np.arange(len(merchant.reviews))):
        refunds = [int(merchant.refunds.created[row]) for row in merchant.refunds_of.get(review.charge, ())]
        assert all(at >= review.closed_at for at in refunds)
        if CLOSED_REASONS[review.closed].startswith("refunded"):
            assert review.closed_at in refunds
