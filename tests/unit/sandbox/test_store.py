"""What the sandbox keeps, in the order it was made, whole or not at all."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.sandbox.clock import run_due
from payflux.sandbox.listing import list_page
from payflux.sandbox.merchants.archetypes import ARCHETYPES
from payflux.sandbox.query import FOREVER, Query
from payflux.sandbox.state import SandboxState
from payflux.sandbox.store import Json, Store
from payflux.sandbox.work import Work
from tests.unit.sandbox.conftest import NOON

ACCOUNT = ARCHETYPES["low-activity"].account_id
NOW = int(NOON.timestamp())


def charge(number: int, created: int) -> Json:
    return {"id": f"ch_{number}", "object": "charge", "created": created, "customer": f"cus_{number % 2}"}


def query(limit: int = 10, **more: str) -> Query:
    return Query(limit, more.get("starting_after"), more.get("ending_before"), (0, FOREVER), (0, FOREVER), {})


def test_a_transaction_that_fails_leaves_nothing() -> None:
    store = Store(None)

    def fail() -> None:
        with store.transaction():
            store.put(ACCOUNT, charge(1, NOW))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert store.get(ACCOUNT, "ch_1") is None


def test_what_is_kept_survives_a_restart(tmp_path: Path) -> None:
    state = SandboxState(now=lambda: NOON, state_dir=tmp_path)
    Work(state, ACCOUNT, NOW).create(charge(1, NOW))
    state.advance(3600)
    state.store.close()

    again = SandboxState(now=lambda: NOON, state_dir=tmp_path)
    assert again.store.get(ACCOUNT, "ch_1") == charge(1, NOW)
    assert again.now() == NOON + timedelta(hours=1)


def test_documents_are_found_by_their_fields_in_order_of_creation() -> None:
    store = Store(None)
    for number, created in enumerate((30, 10, 20, 20)):
        store.put(ACCOUNT, charge(number, created))
    assert [found["id"] for found in store.find(ACCOUNT, "charge")] == ["ch_0", "ch_3", "ch_2", "ch_1"]
    assert [found["id"] for found in store.find(ACCOUNT, "charge", {"customer": "cus_1"})] == ["ch_3", "ch_1"]
    assert [found["id"] for found in store.find(ACCOUNT, "charge", {"id": ["ch_1", "ch_2"]})] == ["ch_2", "ch_1"]
    assert [found["id"] for found in store.find(ACCOUNT, "charge", created=(20, 20))] == ["ch_3", "ch_2"]
    assert store.find("acct_other", "charge") == []


@given(
    moments=st.lists(st.integers(0, 90 * 86_400), max_size=12),
    limit=st.integers(1, 7),
)
def test_a_list_of_books_and_documents_pages_without_gap_or_repetition(moments: list[int], limit: int) -> None:
    state = SandboxState(now=lambda: NOON)
    work = Work(state, ACCOUNT, NOW)
    for number, ago in enumerate(moments):
        work.create(charge(number, NOW - ago))
    whole = [found["id"] for found in list_page(work, "charge", "/v1/charges", query(100))["data"]]
    assert {f"ch_{number}" for number in range(len(moments))} <= set(whole)

    forward: list[str] = []
    while True:
        page = list_page(work, "charge", "/v1/charges", query(limit, **after(forward)))
        forward += [found["id"] for found in page["data"]]
        if not page["has_more"] or len(forward) >= len(whole):
            break
    assert forward[: len(whole)] == whole
    backward: list[str] = [whole[-1]]
    while True:
        page = list_page(work, "charge", "/v1/charges", query(limit, ending_before=backward[0]))
        backward = [found["id"] for found in page["data"]] + backward
        if not page["has_more"]:
            break
    assert backward == whole


def after(read: list[str]) -> dict[str, str]:
    return {"starting_after": read[-1]} if read else {}


def test_each_change_is_one_event_and_no_change_is_none() -> None:
    state = SandboxState(now=lambda: NOON)
    work = Work(state, ACCOUNT, NOW, "req_1", "key_1")
    made = work.create({"id": "cus_1", "object": "customer", "created": NOW, "name": "Alice"}, "customer.created")
    work.change(made, {"name": "Alice"}, "customer.updated")
    work.change(made, {"name": "Bob"}, "customer.updated")
    work.remove(made, "customer.deleted")

    told = state.store.find(ACCOUNT, "event", oldest_first=True)
    assert [event["type"] for event in told] == ["customer.created", "customer.updated", "customer.deleted"]
    assert told == work.events
    assert told[0]["data"]["object"]["name"] == "Alice"
    assert told[1]["data"]["previous_attributes"] == {"name": "Alice"}
    assert told[1]["request"] == {"id": "req_1", "idempotency_key": "key_1"}


def test_what_is_due_runs_in_order_at_its_own_moment_and_may_make_more_due() -> None:
    state = SandboxState(now=lambda: NOON)
    work = Work(state, ACCOUNT, NOW)
    work.later(NOW + 50, "note", "second")
    work.later(NOW + 10, "note", "first")
    work.later(NOW + 500, "note", "never")
    work.never("note", "never")
    ran: list[tuple[str, int]] = []

    def note(unit: Work, subject: str) -> None:
        ran.append((subject, unit.now - NOW))
        if subject == "first":
            unit.later(unit.now + 5, "note", "again")

    assert run_due(state, {"note": note}) == 0
    state.advance(3600)
    assert run_due(state, {"note": note}) == 3
    assert ran == [("first", 10), ("again", 15), ("second", 50)]
    with pytest.raises(ValueError, match="only goes forward"):
        state.advance(-1)
