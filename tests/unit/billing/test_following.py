"""Which subscription at Stripe an account follows, whatever is heard of it, when, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.frontdoor.billing.following import LIVE, Row, columns, follow
from payflux.frontdoor.billing.rules import LOCAL_STATUS
from payflux.world.stripe.billing_objects import RemoteSubscription, instant

BEGUN = 1_000_000


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def remote(name: str, status: str = "active", created: int = BEGUN + 10, **changes: Any) -> RemoteSubscription:
    item = {
        "id": "si_1",
        "price": {"id": "price_1", "recurring": {"interval": "month"}},
        "quantity": 3,
        "current_period_start": created,
        "current_period_end": created + 100,
    }
    ended = {"ended_at": created + 50} if status in ("canceled", "incomplete_expired") else {}
    told = {"id": name, "customer": "cus_1", "status": status, "created": created, "items": {"data": [item]}}
    return msgspec.convert(told | ended | changes, RemoteSubscription)


@dataclass
class Account:
    """The rows of an account, as :func:`follow` leaves them."""

    rows: dict[UUID, tuple[str, str | None]] = field(default_factory=dict)

    def hear(self, remotes: Sequence[RemoteSubscription]) -> list[str]:
        rows = [Row(row_id, status, stripe_id, at(BEGUN)) for row_id, (status, stripe_id) in self.rows.items()]
        found = follow(rows, remotes)
        for step in found.steps:
            self.rows[step.row_id or uuid4()] = (LOCAL_STATUS[step.remote.status], step.remote.id)
            assert sum(status != "canceled" for status, _ in self.rows.values()) <= 1
        return [rival.id for rival in found.rivals]


def account(status: str | None = "trialing", stripe_id: str | None = None) -> Account:
    return Account({uuid4(): (status, stripe_id)} if status else {})


def told(found: Account) -> list[tuple[str, str | None]]:
    return sorted(found.rows.values(), key=str)


@pytest.mark.parametrize("status", ["trialing", "active", "past_due"])
@pytest.mark.parametrize("before", ["trialing", "active", "complimentary"])
def test_one_that_runs_replaces_what_stripe_does_not_know_of(status: str, before: str) -> None:
    alice = account(before)
    alice.hear([remote("sub_1", status, created=BEGUN - 99)])
    assert told(alice) == [(status, "sub_1")]


@pytest.mark.parametrize("status", ["incomplete", "incomplete_expired"])
def test_one_that_was_never_paid_changes_nothing(status: str) -> None:
    for before in (None, "trialing", "active", "complimentary"):
        alice = account(before)
        alice.hear([remote("sub_1", status)])
        assert told(alice) == told(account(before))


def test_the_end_of_an_old_one_ends_nothing_that_began_after_it() -> None:
    alice = account("active")
    alice.hear([remote("sub_1", "canceled", created=BEGUN - 99, ended_at=BEGUN - 1)])
    assert told(alice) == [("active", None)]


def test_one_that_was_bought_and_ended_before_anything_was_heard_has_ended() -> None:
    alice = account()
    alice.hear([remote("sub_1", "canceled")])
    assert told(alice) == [("canceled", "sub_1")]


def test_after_an_end_the_next_one_has_a_row_of_its_own() -> None:
    alice = account("active", "sub_1")
    alice.hear([remote("sub_1", "canceled"), remote("sub_2", created=BEGUN + 90)])
    assert told(alice) == [("active", "sub_2"), ("canceled", "sub_1")]


def test_of_two_that_run_the_one_that_is_followed_stays_and_the_other_is_told_of() -> None:
    alice = account("active", "sub_2")
    assert alice.hear([remote("sub_1", created=BEGUN + 1), remote("sub_2")]) == ["sub_1"]
    assert told(alice) == [("active", "sub_2")]


def test_of_two_that_nobody_follows_yet_the_older_is_followed() -> None:
    alice = account()
    assert alice.hear([remote("sub_2", created=BEGUN + 20), remote("sub_1")]) == ["sub_2"]
    assert told(alice) == [("active", "sub_1")]


def test_a_row_says_what_stripe_says() -> None:
    bought = remote("sub_1", "past_due", latest_invoice={"id": "in_1", "next_payment_attempt": BEGUN + 70})
    row = columns(bought)
    assert (row["status"], row["stripe_status"], row["seat_limit"]) == ("past_due", "past_due", 3)
    assert (row["stripe_price_id"], row["billing_interval"]) == ("price_1", "month")
    assert (row["current_period_start"], row["current_period_end"]) == (at(BEGUN + 10), at(BEGUN + 110))
    assert row["next_payment_attempt_at"] == at(BEGUN + 70)
    assert row["canceled_at"] is None


@pytest.mark.parametrize(
    ("changes", "ends"),
    [
        ({}, None),
        ({"cancel_at_period_end": True}, BEGUN + 110),
        ({"cancel_at": BEGUN + 40}, BEGUN + 40),
        ({"cancel_at": BEGUN + 40, "cancel_at_period_end": True}, BEGUN + 40),
    ],
)
def test_both_ways_of_cancelling_later_are_one_here(changes: dict[str, Any], ends: int | None) -> None:
    row = columns(remote("sub_1", **changes))
    assert (row["cancel_at_period_end"], row["cancel_at"]) == (ends is not None, instant(ends))


def test_a_period_is_read_where_older_versions_of_the_api_have_it() -> None:
    old = remote("sub_1", current_period_start=BEGUN, current_period_end=BEGUN + 5)
    bare = msgspec.structs.replace(old.item, current_period_start=None, current_period_end=None)
    old = msgspec.structs.replace(old, items=msgspec.structs.replace(old.items, data=[bare]))
    assert old.period == (at(BEGUN), at(BEGUN + 5))


LIVES = (
    ("active", "canceled"),
    ("trialing", "active", "past_due", "active"),
    ("trialing", "paused", "active", "canceled"),
    ("active", "past_due", "unpaid", "canceled"),
    ("active", "past_due", "canceled"),
    ("incomplete", "active", "past_due"),
    ("incomplete", "incomplete_expired"),
)
"""What a subscription at Stripe goes through. Source: docs.stripe.com/billing/subscriptions/overview, its lifecycle."""


@st.composite
def recordings(draw: st.DrawFn, *, at_once: bool) -> list[list[RemoteSubscription]]:
    """All subscriptions of a customer, as they stood after each of the things that happened to them; unless `at_once`,
    each is bought after the one before has ended, but for those that are never paid."""
    lives = draw(st.lists(st.sampled_from(LIVES), min_size=1, max_size=3))
    if not at_once:
        paid = [life for life in lives if life[-1] != "incomplete_expired"]
        whole = [life if life[-1] == "canceled" else (*life, "canceled") for life in paid[:-1]] + paid[-1:]
        lives = whole + [life for life in lives if life[-1] == "incomplete_expired"]
    steps = [number for number, life in enumerate(lives) for _ in life]
    order = draw(st.permutations(steps)) if at_once else steps
    now: dict[int, RemoteSubscription] = {}
    moments = []
    reached = [0] * len(lives)
    for second, number in enumerate(order):
        status = lives[number][reached[number]]
        reached[number] += 1
        created = now[number].created if number in now else BEGUN + second
        changes = {"ended_at": BEGUN + second} if status in ("canceled", "incomplete_expired") else {}
        now[number] = remote(f"sub_{number}", status, created, **changes)
        moments.append(list(now.values()))
    return moments


def run(data: st.DataObject, before: str | None, moments: list[list[RemoteSubscription]]) -> tuple[Account, list[str]]:
    """Whatever an event is about, what is read is how all stand when it is applied; so a run is a choice of moments,
    some twice and some never, of which the last comes after all that happened."""
    found, rivals = account(before), []
    heard = sorted(data.draw(st.lists(st.integers(0, len(moments) - 1), max_size=8)))
    for number in [*heard, *[-1] * data.draw(st.integers(1, 2))]:
        rivals = found.hear(data.draw(st.permutations(moments[number])))
    return found, rivals


BEFORE = st.sampled_from([None, "trialing", "active", "complimentary"])


@given(moments=recordings(at_once=False), before=BEFORE, data=st.data())
def test_any_order_repetition_and_loss_ends_where_the_ordered_run_does(
    moments: list[list[RemoteSubscription]], before: str | None, data: st.DataObject
) -> None:
    ordered = account(before)
    for moment in moments:
        ordered.hear(moment)
    found, rivals = run(data, before, moments)
    assert (told(found), rivals) == (told(ordered), [])


@given(moments=recordings(at_once=True), before=BEFORE, data=st.data())
def test_of_what_runs_at_stripe_one_is_followed_and_the_rest_is_told_of(
    moments: list[list[RemoteSubscription]], before: str | None, data: st.DataObject
) -> None:
    found, rivals = run(data, before, moments)
    running = {each.id for each in moments[-1] if each.status in LIVE}
    followed = {stripe_id for status, stripe_id in found.rows.values() if status != "canceled"}
    assert running <= followed | set(rivals)
    assert len(followed) <= 1
    assert not set(rivals) & followed
