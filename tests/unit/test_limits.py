"""A limit lets in as much as it says, of each on its own."""

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.kit import limits
from payflux.kit.limits import RateLimit

START = datetime(2026, 11, 21, 12, tzinfo=UTC)


@given(
    rate=st.floats(0.5, 50),
    burst=st.integers(1, 20),
    pauses=st.lists(st.floats(0, 3), min_size=1, max_size=60),
)
def test_no_span_lets_in_more_than_a_burst_and_the_rate(rate: float, burst: int, pauses: list[float]) -> None:
    limit, now, taken = RateLimit(rate, burst), START, []
    for pause in pauses:
        now += timedelta(seconds=pause)
        if not limit.wait("alice", now):
            taken.append(now)
    for (first, start), (last, end) in combinations(enumerate(taken), 2):
        assert last - first + 1 <= burst + rate * (end - start).total_seconds() + 1e-3


def test_who_waits_as_long_as_told_is_let_in_and_nobody_waits_for_another() -> None:
    limit = RateLimit(2, burst=3)
    assert [limit.wait("alice", START) for _ in range(4)] == [0, 0, 0, 0.5]
    assert limit.wait("bob", START) == 0
    assert limit.wait("alice", START + timedelta(seconds=0.5)) == 0
    assert limit.wait("alice", START + timedelta(seconds=0.5)) == 0.5


def test_who_has_not_come_for_long_is_forgotten_and_who_waits_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_MOST_KEYS", 2)
    limit, later = RateLimit(1, burst=1), START + timedelta(seconds=2)
    limit.wait("charlie", START)
    limit.wait("alice", later)
    limit.wait("bob", later)
    assert limit.wait("alice", later) == 1
    assert limit.wait("charlie", later) == 0
