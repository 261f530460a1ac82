from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.processors.account_changes import account_changes
from payflux.monitor.processors.codes import Kind, reason_code
from payflux.monitor.processors.snapshots import AccountSnapshot

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


def account(taken_at: datetime = NOON, **fields: Any) -> AccountSnapshot:
    facts: dict[str, Any] = {"payout_delay_days": 2, "payout_interval": "daily"} | fields
    return AccountSnapshot(external_id="acct_1", taken_at=taken_at, **facts)


@pytest.mark.parametrize(
    ("was", "now", "reason"),
    [
        ({}, {"charges_enabled": False}, "charges_disabled"),
        ({"charges_enabled": False}, {}, "charges_enabled"),
        ({}, {"payouts_enabled": False}, "payouts_disabled"),
        ({"payouts_enabled": False}, {}, "payouts_enabled"),
        ({}, {"disabled_reason": "under_review"}, "under_review"),
        ({"disabled_reason": "under_review"}, {"disabled_reason": "rejected.fraud"}, "rejected.fraud"),
        ({"disabled_reason": "requirements.past_due"}, {}, "restriction_lifted"),
        ({}, {"payout_delay_days": 7}, "payout_delay_raised"),
        ({"payout_delay_days": 7}, {}, "payout_delay_lowered"),
        ({}, {"payout_interval": "manual"}, "payout_interval_changed"),
    ],
)
def test_each_change_is_one_event_with_its_reason(was: dict, now: dict, reason: str) -> None:
    [event] = account_changes(account(**was), account(LATER, **now))
    assert (event.kind, event.occurred_at, event.reason, event.amount) == (Kind.ACCOUNT_CHANGE, LATER, reason, 0)
    assert reason_code(reason)


def test_a_restriction_that_stops_everything_is_told_as_each_thing_it_changes() -> None:
    after = account(LATER, charges_enabled=False, payouts_enabled=False, disabled_reason="rejected.fraud")
    events = account_changes(account(), after)
    assert [event.reason for event in events] == ["charges_disabled", "payouts_disabled", "rejected.fraud"]
    assert len({event.source_id for event in events}) == 3


def test_what_was_not_known_before_is_no_change() -> None:
    assert account_changes(None, account(LATER, charges_enabled=False)) == []
    assert account_changes(account(payout_delay_days=None, payout_interval=""), account(LATER)) == []


def test_an_older_snapshot_changes_nothing() -> None:
    assert account_changes(account(LATER), account(charges_enabled=False)) == []


@given(st.sampled_from(["usd", "jpy", "kwd"]), st.integers(0, 30), st.integers(0, 30))
def test_a_delay_tells_what_it_was_and_what_it_is(currency: str, was: int, now: int) -> None:
    before = account(payout_delay_days=was, default_currency=currency)
    events = account_changes(before, account(LATER, payout_delay_days=now, default_currency=currency))
    expected = [(f"payout_delay_days:{was}:{now}:{int(LATER.timestamp())}", currency)] if was != now else []
    assert [(event.source_id, event.settled_currency) for event in events] == expected
