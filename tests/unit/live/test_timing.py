"""How often an account is asked follows from its size, and stays below our part of Stripe's read allowance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.processors.backfill.rules import ALLOWANCE_PERIOD, reads_allowed
from payflux.monitor.processors.live.timing import (
    CATCH_UP_READS,
    LONGEST_CATCH_UP,
    LONGEST_POLL,
    SHORTEST_CATCH_UP,
    SHORTEST_POLL,
    TYPES_ASKED_FOR,
    catch_up_every,
    is_due,
    poll_every,
    recent,
)


@given(transactions=st.integers(0, 10**9))
def test_polling_and_catching_up_stay_within_the_read_allowance(transactions: int) -> None:
    polls = ALLOWANCE_PERIOD / poll_every(transactions) * len(TYPES_ASKED_FOR)
    catch_ups = ALLOWANCE_PERIOD / catch_up_every(transactions) * CATCH_UP_READS
    assert polls + catch_ups <= reads_allowed(transactions)


@given(fewer=st.integers(0, 10**6), more=st.integers(0, 10**6))
def test_a_larger_account_is_never_asked_less_often(fewer: int, more: int) -> None:
    fewer, more = sorted((fewer, more))
    assert LONGEST_POLL >= poll_every(fewer) >= poll_every(more) >= SHORTEST_POLL
    assert LONGEST_CATCH_UP >= catch_up_every(fewer) >= catch_up_every(more) >= SHORTEST_CATCH_UP


def test_three_days_are_read_again_and_less_where_that_would_be_more_than_two_hundred_pages() -> None:
    assert recent(0) == recent(10_000) == timedelta(days=3)
    assert recent(3_000_000) == timedelta(days=30) * 20_000 / 3_000_000


def test_no_request_names_more_types_than_stripe_takes() -> None:
    assert max(map(len, TYPES_ASKED_FOR)) <= 20


def test_what_was_never_done_is_due() -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    assert is_due(None, timedelta(hours=1), now)
    assert is_due(now - timedelta(hours=1), timedelta(hours=1), now)
    assert not is_due(now - timedelta(minutes=59), timedelta(hours=1), now)
