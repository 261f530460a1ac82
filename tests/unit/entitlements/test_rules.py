"""What an account may do at an instant, and whether what is said about it is so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.frontdoor.billing.rules import HISTORY, Standing, Status
from payflux.frontdoor.entitlements import rules
from payflux.frontdoor.entitlements.resolving import LONGEST_KEPT, resolve_all
from payflux.frontdoor.entitlements.rules import Grounds, Override, PlanHeld, Source

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FREE = PlanHeld("free", None, frozenset(), {"seats": 1, "scans_per_month": 3})
STARTER = PlanHeld("starter", 2, frozenset({"reserve_projection"}), {"seats": 2, "scans_per_month": 10})
PRO = PlanHeld("pro", None, frozenset({"reserve_projection", "audit_log"}), {"seats": 10, "scans_per_month": None})
FEATURES = ("audit_log", "reserve_projection", "sso", rules.WORKSPACES)
LIMITS = ("scans_per_month", "seats")

instants = st.integers(-20, 20).map(lambda hours: NOON + hours * HOUR)


def standing(status: Status = "active", **more: Any) -> Standing:
    pro = Standing("pro", None, status, NOON - 24 * HOUR, NOON + 8 * HOUR)
    return replace(pro, **more)


def grounds(now: Standing | None, *overrides: Override, own: PlanHeld = PRO) -> Grounds:
    return Grounds(NOON, now, own if now else FREE, PRO, FREE, overrides, FEATURES, LIMITS)


def override(key: str, value: int | None, starts: int = -1, ends: int | None = None) -> Override:
    return Override(
        key,
        value,
        "agreed with sales",
        "sam@payflux.example",
        NOON + starts * HOUR,
        NOON + ends * HOUR if ends else None,
    )


@st.composite
def standings(draw: st.DrawFn) -> Standing | None:
    status = draw(st.sampled_from([None, *get_args(Status)]))
    if status is None:
        return None
    end = draw(instants)
    return standing(
        status,
        current_period_end=end,
        cancel_at=draw(st.none() | instants),
        seat_limit=draw(st.none() | st.integers(1, 30)),
        ended_at=end if status in ("canceled", "trialing") else None,
    )


@st.composite
def overrides(draw: st.DrawFn) -> Override:
    key = draw(st.sampled_from(FEATURES + LIMITS))
    value = draw(st.booleans() if key in FEATURES else st.none() | st.integers(0, 50))
    starts = draw(instants)
    later = st.none() | st.integers(1, 20).map(lambda hours: starts + hours * HOUR)
    return Override(key, value, "why", "who", starts, draw(later), draw(later))


everything = st.builds(
    lambda now, own, found, further: replace(grounds(now, *found, own=own), is_further=further),
    standings(),
    st.sampled_from([STARTER, PRO, FREE]),
    st.lists(overrides(), max_size=5),
    st.booleans(),
)
keys = st.sampled_from(FEATURES + LIMITS)


def test_an_override_comes_before_the_plan_and_the_plan_before_nothing() -> None:
    held = grounds(standing(), override("sso", True), override("audit_log", False))
    assert [bool(rules.resolve(held, key, NOON)) for key in FEATURES] == [False, True, True, False]
    winner, losers = rules.claims(held, "audit_log", NOON)
    assert (winner.source, winner.value) == (Source.OVERRIDE, False)
    assert [(claim.source, claim.value, claim.lost_because) for claim in losers] == [
        (Source.PLAN, True, "outranked by the override"),
        (Source.DEFAULT, False, "outranked by the override"),
    ]


@pytest.mark.parametrize(
    ("now", "own", "overrides", "seats", "source"),
    [
        (standing(), PRO, (), 10, Source.PLAN),
        (standing(seat_limit=4), PRO, (), 4, Source.SEATS_BOUGHT),
        (standing(seat_limit=4), PRO, (override("seats", None),), None, Source.OVERRIDE),
        (standing(plan="starter"), STARTER, (), 2, Source.PLAN),
        (standing("canceled", plan="starter", seat_limit=4), STARTER, (), 1, Source.PLAN),
        (None, FREE, (), 1, Source.PLAN),
    ],
    ids=["plan", "bought", "override", "another plan", "canceled", "no subscription"],
)
def test_seats_that_were_bought_stand_between_override_and_plan(
    now: Standing | None, own: PlanHeld, overrides: tuple[Override, ...], seats: int | None, source: Source
) -> None:
    winner, _ = rules.claims(grounds(now, *overrides, own=own), "seats", NOON)
    assert (winner.value, winner.source) == (seats, source)


def test_a_running_trial_holds_pro_whatever_plan_it_goes_on_with() -> None:
    trial = grounds(standing("trialing", plan="starter", plan_version=2), own=STARTER)
    assert rules.resolve(trial, "audit_log", NOON)
    change = rules.next_change(trial, "audit_log", NOON)
    assert change is not None
    assert (change.at, change.value) == (NOON + 8 * HOUR, False)
    assert rules.plan_at(trial, NOON + 9 * HOUR) is STARTER


@pytest.mark.parametrize("status", get_args(Status))
def test_behind_the_wall_every_feature_is_off_and_the_limits_stay(status: Status) -> None:
    held = resolve_all(grounds(standing(status, current_period_end=NOON - HOUR), override("sso", True)), NOON)
    assert held.live == (status in ("active", "past_due", "complimentary"))
    assert any(held.features.values()) == held.live
    assert held.granted["sso"]
    assert held.limits["seats"] == (1 if status == "canceled" else 10)


def test_a_further_workspace_stands_where_its_account_does_and_is_paused_where_the_plan_holds_one() -> None:
    first = grounds(standing(), override("sso", True), override(rules.WORKSPACES, True, starts=2, ends=4))
    further = replace(first, is_further=True)
    assert resolve_all(first, NOON).live
    paused = resolve_all(further, NOON)
    assert (paused.live, paused.paused, paused.may_read_history) == (False, True, True)
    assert not any(paused.features.values())
    assert (paused.granted["sso"], paused.limits["seats"], paused.good_until) == (True, 10, NOON + LONGEST_KEPT)
    winner, losers = rules.claims(further, "sso", NOON)
    assert (winner.source, winner.value) == (Source.WORKSPACES, False)
    assert losers[0].lost_because == "the plan holds one workspace"
    assert rules.next_change(further, "sso", NOON) == rules.Change(NOON + 2 * HOUR, True)
    assert resolve_all(further, NOON + 3 * HOUR) == resolve_all(first, NOON + 3 * HOUR)
    # behind the wall it is the wall, and no pause
    walled = resolve_all(replace(further, standing=standing("canceled")), NOON)
    assert (walled.live, walled.paused) == (False, False)


def test_a_subscription_that_is_set_to_end_has_ended_then_and_stripes_word_is_waited_for_afterwards() -> None:
    ahead = grounds(standing(cancel_at=NOON + HOUR))
    change = rules.next_change(ahead, "audit_log", NOON)
    assert change is not None
    assert (change.at, change.value) == (NOON + HOUR, False)
    assert rules.resolve(replace(ahead, known_at=NOON + 2 * HOUR), "audit_log", NOON + 2 * HOUR)


def test_what_was_found_out_is_kept_for_five_minutes_and_never_past_the_next_boundary() -> None:
    assert resolve_all(grounds(standing()), NOON).good_until == NOON + LONGEST_KEPT
    soon = timedelta(minutes=2)
    ends = standing("trialing", current_period_end=NOON + soon)
    assert resolve_all(grounds(ends), NOON).good_until == NOON + soon
    begins = replace(override("sso", True), starts_at=NOON + soon)
    assert resolve_all(grounds(standing(), begins), NOON).good_until == NOON + soon
    over = NOON - HISTORY + soon
    closes = standing("trialing", current_period_end=over, ended_at=over)
    assert resolve_all(grounds(closes), NOON).good_until == NOON + soon


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        rules.resolve(grounds(None), "time_travel", NOON)


@given(everything, keys, instants)
def test_what_is_explained_is_what_is_resolved(held: Grounds, key: str, at: datetime) -> None:
    winner, losers = rules.claims(held, key, at)
    assert winner.value == rules.resolve(held, key, at)
    assert not winner.lost_because
    assert all(claim.lost_because for claim in losers)
    assert all(
        list(Source).index(winner.source) <= list(Source).index(claim.source)
        for claim in losers
        if claim.lost_because.startswith("outranked")
    )


@given(everything, keys, instants)
def test_nothing_changes_before_the_next_change_and_then_it_does(held: Grounds, key: str, at: datetime) -> None:
    now, change = rules.resolve(held, key, at), rules.next_change(held, key, at)
    until = change.at if change else at + 60 * HOUR
    half_hours = int((until - at) / (HOUR / 2))
    assert all(rules.resolve(held, key, at + step * (HOUR / 2)) == now for step in range(half_hours))
    if change is not None:
        assert change.value == rules.resolve(held, key, change.at) != now


@given(everything, keys)
def test_what_is_kept_says_what_is_found_out_anew_until_it_is_no_longer_good(held: Grounds, key: str) -> None:
    kept = resolve_all(held, NOON)
    last = kept.good_until - timedelta(microseconds=1)
    values = kept.features if key in FEATURES else kept.limits
    assert values[key] == rules.resolve(replace(held, known_at=last), key, last)


@given(everything, keys, st.sampled_from([FREE, STARTER, PRO]))
def test_more_never_gives_less(held: Grounds, key: str, own: PlanHeld) -> None:
    """A larger plan, and an override that allows more than there is, take nothing away."""
    before = rules.resolve(held, key, NOON)
    larger = replace(held, own=PlanHeld("x", 1, held.own.features | own.features, dict.fromkeys(LIMITS)))
    assert rules.at_least(rules.resolve(larger, key, NOON), before)
    allows = replace(held, overrides=(*held.overrides, override("sso", True, starts=30)))
    assert rules.resolve(allows, key, NOON) == before
    most = Override(key, True if key in FEATURES else None, "why", "who", NOON)
    without = tuple(each for each in held.overrides if each.key != key)
    assert rules.at_least(rules.resolve(replace(held, overrides=(*without, most)), key, NOON), before)


@given(everything, keys, instants)
def test_a_longer_trial_never_gives_less(held: Grounds, key: str, at: datetime) -> None:
    trial = standing("trialing")
    short, long = (replace(held, standing=replace(trial, current_period_end=NOON + hours * HOUR)) for hours in (1, 12))
    if key in FEATURES:
        assert rules.at_least(rules.resolve(long, key, at), rules.resolve(short, key, at))
