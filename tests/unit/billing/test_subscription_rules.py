"""What a subscription means: every status, plan and time, and every word of Stripe's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import get_args

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from payflux.frontdoor.billing.rules import (
    CHECKOUT_TRIAL,
    LOCAL_STATUS,
    TRANSITIONS,
    Event,
    Standing,
    State,
    Status,
    UnknownStripeStatus,
    effective_plan,
    has_pro_entitlement,
    history_until,
    is_active,
    is_entitled,
    is_locked,
    is_paid,
    local_status,
    may_read_history,
    state_of,
    trial_end_for_checkout,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PLANS = ("free", "starter", "pro", "enterprise")
STATUSES = get_args(Status)
ENDS = {"running": NOW + SECOND, "at its end": NOW, "over": NOW - SECOND, "without an end": None}

#         status        active  live while its period runs / at its end / over / without one
MEANING = {
    "active": (True, (True, True, True, True)),
    "trialing": (True, (True, False, False, False)),
    "past_due": (False, (True, True, True, True)),
    "canceled": (False, (False, False, False, False)),
    "incomplete": (False, (False, False, False, False)),
    "complimentary": (True, (True, True, True, True)),
}
#        status          starter  pro    enterprise  free: has Pro's features while the period runs
HAS_PRO = {
    "active": {"starter": False, "pro": True, "enterprise": True, "free": False},
    "trialing": {"starter": True, "pro": True, "enterprise": True, "free": True},
    "past_due": {"starter": False, "pro": False, "enterprise": False, "free": False},
    "canceled": {"starter": False, "pro": False, "enterprise": False, "free": False},
    "incomplete": {"starter": False, "pro": False, "enterprise": False, "free": False},
    "complimentary": {"starter": False, "pro": True, "enterprise": True, "free": False},
}


def test_the_tables_hold_every_status() -> None:
    assert set(STATUSES) == set(MEANING) == set(HAS_PRO)


@pytest.mark.parametrize(("status", "plan", "time"), list(product(STATUSES, PLANS, ENDS)))
def test_what_a_status_a_plan_and_a_time_mean(status: Status, plan: str, time: str) -> None:
    end = ENDS[time]
    active, live = MEANING[status]
    entitled = live[list(ENDS).index(time)]
    assert is_active(status) is active
    assert is_entitled(status=status, current_period_end=end, now=NOW) is entitled
    assert is_locked(status, end, NOW) is not entitled
    assert is_paid(plan, status) is (plan != "free" and status != "complimentary")
    runs = time == "running"
    assert has_pro_entitlement(plan, status, end, NOW) is (HAS_PRO[status][plan] and (status != "trialing" or runs))
    assert effective_plan(plan, status, end, NOW) == ("pro" if status == "trialing" and runs else plan)


def test_every_status_of_stripes_has_a_word_here() -> None:
    theirs = get_args(get_args(stripe.Subscription.__annotations__["status"])[0])
    assert set(LOCAL_STATUS) == set(theirs)
    assert set(LOCAL_STATUS.values()) <= set(STATUSES)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("incomplete", "incomplete"),
        ("incomplete_expired", "canceled"),
        ("trialing", "trialing"),
        ("active", "active"),
        ("past_due", "past_due"),
        ("unpaid", "incomplete"),
        ("paused", "incomplete"),
        ("canceled", "canceled"),
    ],
)
def test_each_of_them(theirs: str, ours: str) -> None:
    assert local_status(theirs) == ours


def test_a_status_that_stripe_adds_one_day_is_not_guessed() -> None:
    with pytest.raises(UnknownStripeStatus, match="'suspended'"):
        local_status("suspended")


ROUNDED = timedelta(hours=48, minutes=10)


@pytest.mark.parametrize(
    ("left", "gets"),
    [
        (timedelta(days=14), timedelta(days=14)),
        (timedelta(hours=48, minutes=10, seconds=1), timedelta(hours=48, minutes=10, seconds=1)),
        (timedelta(hours=48, minutes=1), ROUNDED),
        (timedelta(hours=48, seconds=1), ROUNDED),
        (timedelta(hours=48), ROUNDED),
        (timedelta(hours=47, minutes=59, seconds=59), ROUNDED),
        (timedelta(hours=47, minutes=59), ROUNDED),
        (SECOND, ROUNDED),
    ],
)
def test_what_is_left_of_a_trial_goes_to_checkout(left: timedelta, gets: timedelta) -> None:
    assert trial_end_for_checkout(NOW + left, NOW) == NOW + gets


@pytest.mark.parametrize("end", [NOW, NOW - SECOND, None])
def test_a_trial_that_is_over_leaves_nothing(end: datetime | None) -> None:
    assert trial_end_for_checkout(end, NOW) is None


@given(left=st.timedeltas(min_value=SECOND, max_value=timedelta(days=20)), more=st.timedeltas(min_value=timedelta(0)))
def test_nobody_gets_less_than_was_promised_and_more_left_never_gives_less(left: timedelta, more: timedelta) -> None:
    more = min(more, timedelta(days=20))
    gets, longer = trial_end_for_checkout(NOW + left, NOW), trial_end_for_checkout(NOW + left + more, NOW)
    assert gets is not None
    assert longer is not None
    assert gets >= NOW + left
    assert gets - NOW > CHECKOUT_TRIAL
    assert longer >= gets


def standing(status: Status, *, end: datetime | None = None, plan: str = "pro", at_stripe: bool = False) -> Standing:
    ended = end if status in ("trialing", "canceled") else None
    theirs = "active" if at_stripe else None
    return Standing(plan, None, status, NOW - timedelta(days=14), end, ended_at=ended, stripe_status=theirs)


@pytest.mark.parametrize("status", ["trialing", "canceled"])
def test_history_can_be_read_for_thirty_days_after_the_end(status: Status) -> None:
    ended = NOW - timedelta(days=30)
    assert history_until(status, ended) == NOW
    assert not may_read_history(standing(status, end=ended), NOW)
    assert may_read_history(standing(status, end=ended), NOW - SECOND)


@pytest.mark.parametrize("status", ["active", "past_due", "incomplete", "complimentary"])
def test_history_has_no_end_where_nothing_has_ended(status: Status) -> None:
    assert history_until(status, NOW) is None
    assert may_read_history(standing(status, end=NOW - timedelta(days=90)), NOW)


def test_every_standing_is_one_state_of_the_table() -> None:
    found = {
        state_of(standing(status, end=end, plan=plan, at_stripe=at_stripe), NOW)
        for status, end, plan, at_stripe in product(STATUSES, ENDS.values(), PLANS, (True, False))
    }
    assert found | {"none"} == set(get_args(State)) == set(TRANSITIONS)


def test_every_event_changes_something_somewhere() -> None:
    used = {event for row in TRANSITIONS.values() for event in row}
    assert used == set(get_args(Event))
    assert {state for row in TRANSITIONS.values() for state in row.values()} <= set(TRANSITIONS)


def test_each_status_at_stripe_is_an_event_whose_state_says_the_same() -> None:
    states = {"trialing": {"bought_trial"}, "active": {"active"}}
    for theirs, ours in LOCAL_STATUS.items():
        reached = {to for row in TRANSITIONS.values() for event, to in row.items() if event == f"stripe_{theirs}"}
        assert reached == states.get(ours, {ours})


LOCKED: set[State] = {"none", "trial_ended", "bought_trial_ended", "incomplete", "canceled"}


def reachable(start: State) -> set[State]:
    found, left = {start}, [start]
    while left:
        new = set(TRANSITIONS[left.pop()].values()) - found
        found |= new
        left += new
    return found


@pytest.mark.parametrize("state", get_args(State))
def test_no_state_is_a_dead_end(state: State) -> None:
    """From each, a person can come to use the product again, by paying, and to leave for good."""
    reached = reachable(state)
    assert {"active", "past_due", "bought_trial", "canceled"} <= reached
    if state in LOCKED:
        assert any(TRANSITIONS[state][event] == "active" for event in TRANSITIONS[state] if event == "stripe_active")


@pytest.mark.parametrize("state", sorted(LOCKED - {"bought_trial_ended", "incomplete"}))
def test_before_the_wall_free_is_always_on_offer_unless_stripe_still_has_a_subscription(state: State) -> None:
    assert TRANSITIONS[state]["free_chosen"] == "free"


@pytest.mark.parametrize("state", ["trial", "free", "complimentary", "none", "trial_ended", "canceled"])
def test_a_subscription_that_was_never_paid_takes_nothing_away(state: State) -> None:
    assert not {"stripe_incomplete", "stripe_incomplete_expired"} & TRANSITIONS[state].keys()


@given(
    start=st.sampled_from(get_args(State)),
    events=st.lists(st.sampled_from([event for event in get_args(Event) if event.startswith("stripe_")]), min_size=1),
)
def test_what_stripe_said_last_is_what_holds(start: State, events: list[Event]) -> None:
    """For a subscription that began to be paid: whatever was heard before, in any order and number."""
    state = TRANSITIONS[start].get("stripe_active", start)
    for event in events:
        state = TRANSITIONS[state].get(event, state)
    last = next((event for event in reversed(events) if event in TRANSITIONS["active"]), "stripe_active")
    ended = state == "canceled" and last in ("stripe_incomplete", "stripe_incomplete_expired")
    assert state == TRANSITIONS["active"][last] or ended
