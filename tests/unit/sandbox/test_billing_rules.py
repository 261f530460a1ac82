"""Billing's arithmetic: periods join, parts add up, and a status turns only into what may follow it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from payflux.sandbox.billing import rules
from payflux.sandbox.billing.rules import Recurrence, Reduction

MOMENTS = st.integers(0, 4_000_000_000)
RECURRENCES = st.builds(Recurrence, st.sampled_from(["day", "week", "month", "year"]), st.integers(1, 12))
AMOUNTS = st.integers(-10_000_000, 10_000_000)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_a_month_keeps_its_day_and_a_short_month_turns_on_its_last() -> None:
    monthly = Recurrence("month", 1)
    turns = [rules.boundary(at("2027-01-31T10:00"), monthly, n) for n in range(5)]

    assert turns == [
        at(text)
        for text in (
            "2027-01-31T10:00",
            "2027-02-28T10:00",
            "2027-03-31T10:00",
            "2027-04-30T10:00",
            "2027-05-31T10:00",
        )
    ]


def test_a_year_from_a_leap_day_turns_on_the_last_of_february() -> None:
    yearly = Recurrence("year", 1)
    leap = at("2028-02-29T00:00")

    assert [rules.boundary(leap, yearly, n) for n in (1, 4)] == [at("2029-02-28T00:00"), at("2032-02-29T00:00")]


@given(MOMENTS, RECURRENCES, MOMENTS)
def test_every_moment_lies_in_one_period_and_the_next_begins_where_it_ends(
    anchor: int, every: Recurrence, moment: int
) -> None:
    assume(datetime.fromtimestamp(moment, UTC).year < 2090)
    start, end = rules.full_period(anchor, every, moment)

    assert start <= moment < end
    assert rules.next_boundary(anchor, every, moment) == end
    assert rules.full_period(anchor, every, end)[0] == end
    assert rules.full_period(anchor, every, start) == (start, end)


@given(MOMENTS, RECURRENCES)
def test_the_anchor_is_a_turn_of_its_own_cycle(anchor: int, every: Recurrence) -> None:
    assert rules.full_period(anchor, every, anchor)[0] == anchor


@given(AMOUNTS, st.integers(1, 40_000_000), st.data())
def test_used_and_unused_time_add_up_to_the_price(amount: int, length: int, data: st.DataObject) -> None:
    middle = data.draw(st.integers(0, length))
    used = rules.prorated(amount, (0, length), 0, middle)
    unused = rules.prorated(amount, (0, length), middle, length)

    assert abs(used + unused - amount) <= 1  # both halves of a unit round away from zero
    assert abs(used) <= abs(amount)
    assert rules.prorated(amount, (0, length), 0, length) == amount
    assert rules.prorated(-amount, (0, length), middle, length) == -unused


@given(st.lists(AMOUNTS, min_size=1, max_size=8), st.integers(1, 30_000_000))
def test_an_amount_off_is_taken_off_once_and_never_more_than_there_is(amounts: list[int], off: int) -> None:
    parts = rules.reductions(amounts, Reduction(None, off))

    assert sum(parts) == min(off, sum(max(amount, 0) for amount in amounts))
    assert all(0 <= part <= max(amount, 0) for part, amount in zip(parts, amounts, strict=True))


@given(st.lists(AMOUNTS, min_size=1, max_size=8), st.floats(0.01, 100))
def test_a_percentage_is_taken_off_each_line(amounts: list[int], percent: float) -> None:
    parts = rules.reductions(amounts, Reduction(percent, None))

    for part, amount in zip(parts, amounts, strict=True):
        assert 0 <= part <= max(amount, 0)
        assert abs(part - max(amount, 0) * percent / 100) <= 0.5 + max(amount, 0) / 1_000_000


@given(st.lists(st.sampled_from(sorted(rules.TRANSITIONS)), min_size=1, max_size=30))
def test_no_walk_leaves_an_ended_status(walk: list[str]) -> None:
    status = "incomplete"
    for into in walk:
        if into == status or into in rules.TRANSITIONS[status]:
            status = rules.turned(status, into)
        else:
            with pytest.raises(ValueError, match=f"that is {status} cannot become {into}"):
                rules.turned(status, into)
        if status in rules.ENDED:
            assert all(into == status or into not in rules.TRANSITIONS[status] for into in rules.TRANSITIONS)


def test_every_status_can_be_reached_and_can_end() -> None:
    assert {"canceled", "incomplete_expired"} == rules.ENDED
    for status, following in rules.TRANSITIONS.items():
        assert status in rules.ENDED or following & rules.ENDED
        assert status == "incomplete" or any(status in others for others in rules.TRANSITIONS.values())


def test_a_failed_payment_is_tried_again_after_one_three_five_and_seven_days() -> None:
    delays = [rules.retry_delay(attempts) for attempts in range(1, 6)]

    assert delays[-1] is None
    assert list(itertools.accumulate(delay for delay in delays if delay)) == [n * 86_400 for n in (1, 3, 5, 7)]
