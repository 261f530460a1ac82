"""Which windows a reading of history is made of."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.processors.models import PullPurpose
from payflux.monitor.processors.planning import FIRST_STRETCH, HISTORY, REPORT, REPORTED, plan_windows
from payflux.monitor.processors.resources import RESOURCES
from payflux.monitor.processors.windows import Sample, Window, complete_from, expected_pages

DAY = 86_400
END = 1_795_000_000
FIRST = END - FIRST_STRETCH.days * DAY
OLDEST = END - HISTORY.days * DAY


def covered(windows: list[Window], resource: str, kind: str = "") -> tuple[int, int]:
    """From when to when the windows of a resource reach, newest first and without a gap or an overlap."""
    own = sorted((w for w in windows if (w.resource, w.filter) == (resource, kind)), key=lambda w: w.start)
    assert all(older.end + 1 == newer.start for older, newer in itertools.pairwise(own))
    return own[0].start, own[-1].end


def test_the_first_and_the_older_history_together_cover_thirteen_months_of_everything_once() -> None:
    first = plan_windows(PullPurpose.FIRST, FIRST, END)
    older = plan_windows(PullPurpose.BACKFILL, OLDEST, FIRST - 1)
    for name, resource in RESOURCES.items():
        for kind in resource.types:
            newer, rest = covered(first, name, kind), covered(older, name, kind)
            assert (rest[0], newer[1]) == (OLDEST, END)
            # where the first pull reads further back, a second at the seam may be read twice
            assert newer[0] <= rest[1] + 1 <= newer[0] + 1


@given(st.sampled_from(PullPurpose), st.integers(0, 400 * DAY), st.booleans())
def test_windows_are_numbered_apart_and_cover_what_was_asked_for(
    purpose: PullPurpose, span: int, reported: bool
) -> None:
    windows = plan_windows(purpose, END - span, END, reported=reported)
    keys = [(window.resource, window.number) for window in windows]
    assert len(set(keys)) == len(keys)
    assert all(window.start <= window.end <= END for window in windows)
    for name in REPORTED:
        assert any(window.resource == name for window in windows) != reported
    assert covered(windows, REPORT if reported else "charges")[1] == END


def test_a_short_gap_takes_one_request_a_list() -> None:
    lists = sum(len(resource.types) for resource in RESOURCES.values())
    assert len(plan_windows(PullPurpose.GAP, END - 3600, END)) == lists


def test_a_full_quarter_is_told_from_its_densest_window_and_a_burst_is_not_taken_for_it() -> None:
    empty = [Sample(span=10 * DAY, read=10 * DAY, pages=1)] * 7
    assert expected_pages([*empty, Sample(span=10 * DAY, read=500, pages=5)]) == 7 + 5 * 10 * DAY / 500
    assert expected_pages([*empty, Sample(span=10 * DAY, read=10 * DAY, pages=3)]) == 10


@given(st.lists(st.integers(0, 1000)))
def test_history_is_whole_from_the_newest_second_that_no_window_has_read_down_to(ends: list[int]) -> None:
    start = complete_from(0, ends)
    assert all(end < start for end in ends)
    assert start == 0 or start - 1 in ends
