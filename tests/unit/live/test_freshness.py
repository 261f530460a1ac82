"""What "showing data through …" says, and when somebody is told that it is too long ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from payflux.monitor.processors.connecting.signing import Reach
from payflux.monitor.processors.live.freshness import Freshness, Marks, Staleness, data_through, freshness
from payflux.web.freshness import ago, line_of

NOW = datetime(2026, 11, 21, 14, tzinfo=UTC)


def before(**age: float) -> datetime:
    return NOW - timedelta(**age)


def marks(**known: object) -> Marks:
    facts: dict[str, object] = {"status": "active", "disconnected_by": "", "reach": Reach.ENDPOINT, "payments": 1000}
    return Marks(**(facts | {"synced_through": before(hours=1)} | known))  # ty: ignore[invalid-argument-type]


def test_before_the_first_pull_is_done_there_is_nothing_to_show() -> None:
    assert freshness(marks(synced_through=None, newest_applied=NOW), NOW) == Freshness(None)


def test_delivered_events_carry_the_data_on_from_the_last_sync() -> None:
    assert data_through(marks(newest_applied=before(minutes=3))) == before(minutes=3)
    assert data_through(marks(newest_applied=before(hours=9))) == before(hours=1)


def test_an_event_that_waits_holds_it_back_but_not_behind_the_last_sync() -> None:
    waiting = marks(newest_applied=before(minutes=3), oldest_waiting=before(minutes=20))
    assert data_through(waiting) == before(minutes=20)
    assert data_through(marks(newest_applied=before(minutes=3), oldest_waiting=before(hours=5))) == before(hours=1)


def test_where_events_are_asked_for_the_last_time_of_asking_counts() -> None:
    polled = marks(reach=Reach.POLLING, polled_through=before(minutes=4), newest_applied=before(hours=8))
    assert data_through(polled) == before(minutes=4)
    assert data_through(marks(reach=Reach.POLLING, newest_applied=before(minutes=1))) == before(hours=1)


def test_a_shop_without_sales_is_not_stale_while_its_catch_ups_come() -> None:
    assert not freshness(marks(), NOW).stale
    assert not freshness(marks(payments=0, synced_through=before(hours=12)), NOW).stale


@pytest.mark.parametrize(
    ("known", "why"),
    [
        ({"synced_through": before(hours=5)}, Staleness.SILENT),
        ({"synced_through": before(hours=5), "oldest_waiting": before(hours=4)}, Staleness.WAITING),
        ({"reach": Reach.POLLING}, Staleness.SILENT),
        ({"payments": 0, "synced_through": before(days=2)}, Staleness.SILENT),
        ({"status": "disconnected", "disconnected_by": "processor"}, Staleness.ENDED_THERE),
        ({"status": "disconnected", "disconnected_by": "merchant"}, Staleness.ENDED_HERE),
    ],
)
def test_what_is_stale_says_why_and_what_to_do(known: dict[str, object], why: Staleness) -> None:
    fresh = freshness(marks(**known), NOW)
    assert (fresh.stale, fresh.why) == (True, why)
    line = line_of(fresh, NOW)
    assert line.reason
    assert line.way_out
    assert line.connect == (why in (Staleness.ENDED_HERE, Staleness.ENDED_THERE))


def test_figures_that_were_computed_earlier_show_no_later_data() -> None:
    line = line_of(Freshness(before(minutes=5)), NOW, figures_as_of=before(days=3))
    assert (line.through, line.age, line.reason) == (before(days=3), "3\u00a0days ago", "")


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=-3), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1\u00a0minute ago"),
        (timedelta(minutes=59, seconds=59), "59\u00a0minutes ago"),
        (timedelta(hours=1), "1\u00a0hour ago"),
        (timedelta(days=2), "2\u00a0days ago"),
    ],
)
def test_an_age_is_told_in_its_largest_whole_unit(age: timedelta, words: str) -> None:
    assert ago(age) == words
