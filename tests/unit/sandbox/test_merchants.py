"""The merchants keep their promises whatever the day, and never change their past."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pytest

from payflux.sandbox.merchants.archetypes import ARCHETYPES, PLATFORM
from payflux.sandbox.merchants.merchant import Merchant
from payflux.sandbox.merchants.purchases import FIRST_DAY, LAST_DAY, Calendar, load_purchases
from payflux.sandbox.merchants.tables import Course
from tests.unit.sandbox.conftest import ANCHOR, merchant_of

ANCHORS = [date(2026, 11, 16) + timedelta(days=n) for n in range(7)] + [date(2027, 2, 28), date(2028, 2, 29)]


class Window:
    """Counts of what a merchant saw in some days up to a moment."""

    def __init__(self, merchant: Merchant, until: datetime, days: int) -> None:
        now = int(until.timestamp())

        def recent(table: str) -> np.ndarray:
            created = merchant.tables[table].created
            return merchant.tables[table].data[(created > now - days * 86_400) & (created <= now)]

        attempts = recent("charges")
        self.attempts, self.payments = len(attempts), int(attempts["paid"].sum())
        self.disputes = int((recent("disputes")["course"] == Course.CHARGEBACK).sum())
        self.refunds, self.warnings = len(recent("refunds")), len(recent("warnings"))


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


@pytest.mark.parametrize("anchor", ANCHORS)
@pytest.mark.parametrize("later", [0, 40, 200, 400])
def test_the_default_merchant_is_elevated_by_its_dispute_activity_alone(anchor: date, later: int) -> None:
    today = anchor + timedelta(days=later)
    merchant = merchant_of("default", anchor, today)

    month, quarter = Window(merchant, noon(today), 30), Window(merchant, noon(today), 90)

    assert 0.0075 < month.disputes / month.payments < 0.0100
    assert 0.0080 <= quarter.disputes / quarter.payments <= 0.0094
    assert 0.04 <= quarter.refunds / quarter.payments <= 0.06
    assert 0.0022 <= quarter.warnings / quarter.payments <= 0.0038
    assert 0.06 <= 1 - quarter.payments / quarter.attempts <= 0.08
    assert 5_500 <= quarter.attempts <= 10_500


def test_eighteen_months_of_real_purchases_end_within_the_week_of_the_anchor() -> None:
    merchant, purchases = merchant_of("default"), load_purchases()
    first = datetime.fromtimestamp(int(merchant.charges.created[0]), UTC).date()

    assert len(purchases.amount) == 69_659 - purchases.skipped
    assert purchases.skipped == 80
    assert 539 <= (ANCHOR - first).days <= 546
    paid = merchant.charges.data[merchant.charges.data["paid"] == 1]
    assert set(np.unique(paid["amount"])) <= set(np.unique(purchases.amount))


@pytest.mark.parametrize("anchor", ANCHORS)
def test_each_day_replays_a_real_day_of_the_same_weekday(anchor: date) -> None:
    calendar = Calendar(anchor)
    for n in range(900):
        day = calendar.first + timedelta(days=n)
        source = FIRST_DAY + timedelta(days=calendar.source_day(day))
        assert FIRST_DAY <= source <= LAST_DAY
        assert source.weekday() == day.weekday()
    end = calendar.first + (LAST_DAY - FIRST_DAY)
    assert timedelta(0) <= end - anchor < timedelta(days=7)
    assert calendar.source_day(end + timedelta(days=1)) == calendar.source_day(end + timedelta(days=1 - 364))


@pytest.mark.parametrize("name", ARCHETYPES)
def test_later_days_leave_every_earlier_object_as_it_was(name: str) -> None:
    before, after = merchant_of(name), merchant_of(name, ANCHOR, ANCHOR + timedelta(days=10))
    until = int(datetime.combine(ANCHOR + timedelta(days=1), time(), UTC).timestamp())

    for table in before.tables:
        old, new = before.tables[table], after.tables[table]
        count = int(np.searchsorted(old.created, until))
        # Balance transactions of the last day may still find their payout; row numbers of what is yet to come may move.
        stable = {"created", "key", "amount", "card", "paid", "fee", "net", "kind", "reason", "course", "won"}
        for column in stable & set(old.data.dtype.names or ()):
            assert np.array_equal(old.data[column][:count], new.data[column][:count]), (table, column)


def test_the_same_merchant_is_made_the_same_twice_and_another_anchor_has_other_ids() -> None:
    one, same = merchant_of("card-testing"), Merchant(ARCHETYPES["card-testing"], ANCHOR, ANCHOR)
    other = merchant_of("card-testing", ANCHOR + timedelta(days=1), ANCHOR + timedelta(days=1))

    assert np.array_equal(one.charges.data, same.charges.data)
    assert not set(one.charges.data["key"].tolist()) & set(other.charges.data["key"].tolist())


@pytest.mark.parametrize("name", ARCHETYPES)
def test_keys_are_unique_and_rows_are_in_order_of_time(name: str) -> None:
    for table in merchant_of(name).tables.values():
        assert len(np.unique(table.data["key"])) == len(table)
        assert (np.diff(table.created) >= 0).all()
        assert (table.data["key"] >= 0).all()


def test_the_spike_lifts_the_dispute_rate_of_the_last_three_weeks_above_two_percent() -> None:
    merchant = merchant_of("dispute-spike")
    recent = Window(merchant, noon(ANCHOR), 21)
    month_before = Window(merchant, noon(ANCHOR - timedelta(days=25)), 30)

    assert 0.02 <= recent.disputes / recent.payments <= 0.03
    assert month_before.disputes / month_before.payments < 0.009


def test_card_testing_is_a_burst_of_small_declines_on_ever_other_cards() -> None:
    merchant = merchant_of("card-testing")
    burst = merchant.charges.data[merchant.charges.data["customer"] < 0]

    assert len(burst) == len(np.unique(burst["card"])) == 1000
    assert burst["created"].max() - burst["created"].min() < 6 * 3600
    assert burst["amount"].max() <= 500
    assert 0.94 < 1 - burst["paid"].mean() < 0.99


def test_the_reserve_holds_a_tenth_of_every_payment_of_two_months() -> None:
    merchant, now = merchant_of("reserve-in-force"), int(noon(ANCHOR).timestamp())
    since = int(datetime.combine(ANCHOR - timedelta(days=60), time(), UTC).timestamp())
    paid = merchant.charges.data[(merchant.charges.created >= since) & (merchant.charges.created <= now)]
    volume = int(paid["amount"][paid["paid"] == 1].sum())

    assert 0.09 * volume < merchant.balance(now)["reserved"] <= 0.1 * volume + len(paid)
    # All holds are released in the end, and at the latest 91 days after their payment.
    horizon = ANCHOR + timedelta(days=100)
    later = merchant_of("reserve-in-force", ANCHOR, horizon)
    held = later.balance(int(noon(horizon).timestamp()))["reserved"]
    last = later.charges.data[later.charges.created > int(noon(horizon).timestamp()) - 91 * 86_400]
    assert held <= 0.1 * int(last["amount"].sum()) + len(last)


def test_low_activity_is_about_a_payment_a_week_and_the_unready_merchant_has_stopped() -> None:
    assert 10 <= Window(merchant_of("low-activity"), noon(ANCHOR), 90).payments <= 15
    assert Window(merchant_of("not-ready"), noon(ANCHOR), 40).attempts == 0


def test_the_healthy_merchant_is_low_in_everything() -> None:
    quarter = Window(merchant_of("healthy"), noon(ANCHOR), 90)
    assert quarter.disputes / quarter.payments < 0.0015
    assert quarter.refunds / quarter.payments < 0.02
    assert 1 - quarter.payments / quarter.attempts < 0.04


def test_a_failed_attempt_that_is_tried_again_is_the_same_card_within_the_hour() -> None:
    merchant = merchant_of("default")
    charges = merchant.charges.data
    again = merchant.intents.data[merchant.intents.data["attempt_2"] >= 0]
    first, second = charges[again["attempt_1"]], charges[again["attempt_2"]]

    assert len(again) > 1000
    assert (first["card"] == second["card"]).all()
    assert ((second["created"] - first["created"] >= 0) & (second["created"] - first["created"] <= 3600)).all()
    assert (first["paid"] == 0).all()


def test_nothing_happens_to_a_payment_before_it_was_made_or_to_one_that_failed() -> None:
    for name in ARCHETYPES:
        merchant = merchant_of(name)
        for table in (merchant.refunds, merchant.disputes, merchant.warnings):
            charge = merchant.charges.data[table.data["charge"]]
            assert (table.created > charge["created"]).all()
            assert (charge["paid"] == 1).all()
        age = merchant.disputes.created - merchant.charges.created[merchant.disputes.data["charge"]]
        assert (age <= 160 * 86_400).all()


def test_four_of_five_early_fraud_warnings_become_disputes() -> None:
    merchant = merchant_of("default")
    old = merchant.warnings.data[merchant.warnings.created < merchant.warnings.created[-1] - 40 * 86_400]
    escalated = sum(charge in merchant.dispute_of for charge in old["charge"].tolist())
    assert 0.7 < escalated / len(old) < 0.9


def test_the_platform_itself_takes_no_payments() -> None:
    merchant = Merchant(PLATFORM, ANCHOR, ANCHOR)
    assert all(len(table) == 0 for table in merchant.tables.values())
    assert merchant.balance(0) == {"available": 0, "pending": 0, "reserved": 0}
