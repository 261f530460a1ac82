"""Every change of the books is one event, the same bytes whenever it is asked for."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payflux.sandbox import feed
from payflux.sandbox.merchants.archetypes import ARCHETYPES
from payflux.sandbox.resources import RESOURCES, find_in_books
from payflux.sandbox.state import SandboxState
from tests.unit.sandbox.conftest import ANCHOR, NOON

NOW = int(NOON.timestamp())
DAY = 86_400


@pytest.fixture(scope="module")
def state() -> SandboxState:
    return SandboxState(now=lambda: NOON, anchor=ANCHOR)


def events_of(state: SandboxState, name: str, days: float = 3) -> list[dict[str, Any]]:
    return feed.between(state, ARCHETYPES[name].account_id, NOW - int(days * DAY), NOW)


@pytest.mark.parametrize("name", ARCHETYPES)
def test_an_event_is_found_by_its_id_and_is_the_same_bytes_in_every_sandbox(state: SandboxState, name: str) -> None:
    account = ARCHETYPES[name].account_id
    later = SandboxState(now=lambda: NOON + timedelta(days=40), anchor=ANCHOR)
    told = events_of(state, name, 60 if name == "not-ready" else 8)[-60:]
    assert told
    for event in told:
        assert msgspec.json.encode(feed.find(state, account, event["id"])) == msgspec.json.encode(event)
        assert msgspec.json.encode(feed.find(later, account, event["id"])) == msgspec.json.encode(event)
    assert len({event["id"] for event in told}) == len(told)
    assert [event["created"] for event in told] == sorted(event["created"] for event in told)


def test_nothing_is_told_before_it_happens(state: SandboxState) -> None:
    account = ARCHETYPES["default"].account_id
    assert feed.between(state, account, NOW, NOW + 9 * DAY) == []
    ahead = SandboxState(now=lambda: NOON + timedelta(days=1), anchor=ANCHOR)
    coming = feed.between(ahead, account, NOW, NOW + DAY)[0]
    assert feed.find(state, account, coming["id"]) is None
    assert feed.find(state, account, "evt_none") is None
    assert feed.find(state, account, events_of(state, "default")[-1]["data"]["object"]["id"]) is None


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 2 * DAY), min_size=2, max_size=5).map(sorted))
def test_however_time_is_cut_each_event_comes_once(state: SandboxState, cuts: list[int]) -> None:
    account = ARCHETYPES["default"].account_id
    edges = [NOW - 2 * DAY, *(NOW - 2 * DAY + cut for cut in cuts), NOW]
    parts = [feed.between(state, account, *pair) for pair in itertools.pairwise(edges)]
    whole = feed.between(state, account, NOW - 2 * DAY, NOW)
    assert [event["id"] for part in parts for event in part] == [event["id"] for event in whole]


def test_each_change_is_told_once_with_the_object_as_it_was_then(state: SandboxState) -> None:
    told = events_of(state, "default", 90)
    view = state.view(ARCHETYPES["default"].account_id)
    since = NOW - 90 * DAY
    counts = Counter(event["type"] for event in told)
    for table, kind in (("refunds", "refund.created"), ("disputes", "charge.dispute.created")):
        created = view.merchant.tables[table].created
        assert counts[kind] == int(((created > since) & (created <= NOW)).sum())
    charges = view.merchant.charges
    recent = charges.data[(charges.created > since) & (charges.created <= NOW)]
    assert counts["charge.succeeded"] == counts["payment_intent.succeeded"] == int(recent["paid"].sum())
    assert counts["charge.failed"] == counts["payment_intent.payment_failed"] == int((recent["paid"] == 0).sum())
    assert counts["charge.refunded"] == counts["refund.created"]
    for event in told:
        shown, before = event["data"]["object"], event["data"].get("previous_attributes")
        match event["type"]:
            case "payment_intent.created":
                assert (shown["status"], shown["latest_charge"]) == ("requires_payment_method", None)
            case "charge.succeeded":
                assert (shown["amount_refunded"], shown["disputed"]) == (0, False)
            case "charge.refunded":
                assert before["amount_refunded"] < shown["amount_refunded"]
            case "charge.dispute.closed":
                assert shown["status"] in ("won", "lost", "warning_closed")
                assert before["status"] != shown["status"]
            case "charge.dispute.updated":
                assert shown["status"].endswith("under_review")
            case "payout.paid":
                assert (before["status"], shown["status"]) == ("in_transit", "paid")


def test_the_last_event_of_an_object_shows_it_as_it_is(state: SandboxState) -> None:
    view = state.view(ARCHETYPES["default"].account_id)
    kinds = {resource.kind for resource in RESOURCES} - {"payment_intent", "charge"}
    last = {
        event["data"]["object"]["id"]: event
        for event in events_of(state, "default", 60)
        if "id" in event["data"]["object"]
    }
    checked = 0
    for object_id, event in last.items():
        if event["data"]["object"]["object"] in kinds:
            checked += 1
            assert find_in_books(view, object_id) == event["data"]["object"]
    assert checked > 100


def test_the_unready_account_tells_when_it_was_closed(state: SandboxState) -> None:
    (closed,) = [event for event in events_of(state, "not-ready", 60) if event["type"] == "account.updated"]
    assert closed["data"]["previous_attributes"]["charges_enabled"] is True
    assert closed["data"]["object"]["charges_enabled"] is False
    assert closed["created"] == int((NOON - timedelta(days=44, hours=12)).timestamp())
