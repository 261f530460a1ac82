"""How fresh what was posted is, and as of when a history is judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.processors.generic.history import RECENT, as_of
from payflux.monitor.processors.live.freshness import LONGEST_QUIET, Staleness, freshness_of_posted
from payflux.monitor.processors.models import Connection, ConnectionMethod, ConnectionStatus

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("age", "status", "why"),
    [
        (None, ConnectionStatus.ACTIVE, Staleness.NONE),
        (LONGEST_QUIET, ConnectionStatus.ACTIVE, Staleness.NONE),
        (LONGEST_QUIET + SECOND, ConnectionStatus.ACTIVE, Staleness.QUIET),
        (SECOND, ConnectionStatus.DISCONNECTED, Staleness.ENDED_HERE),
    ],
)
def test_a_processor_that_posts_is_as_fresh_as_its_newest_event(
    age: timedelta | None, status: ConnectionStatus, why: Staleness
) -> None:
    through = None if age is None else NOW - age
    connection = Connection(method=ConnectionMethod.WEBHOOK, status=status, synced_through=through)
    fresh = freshness_of_posted(connection, NOW)
    assert (fresh.through, fresh.why) == (through, why)


@given(st.timedeltas(timedelta(0), timedelta(days=400)))
def test_a_history_is_judged_no_earlier_than_its_last_event_and_never_in_the_future(age: timedelta) -> None:
    last = (NOW - age).replace(microsecond=0)
    judged = as_of(last, NOW)
    assert last <= judged <= NOW
    assert (judged == NOW) == (NOW - last <= RECENT)
