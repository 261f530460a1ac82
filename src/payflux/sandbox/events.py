"""The events of an account in one order: those that calls and the clock have stored, and those of the merchant's books.

What is shown of an event is what was delivered of it, byte for byte. `pending_webhooks` is the number of endpoints that
were told of it. docs.stripe.com/api/events
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from itertools import islice

from payflux.sandbox import feed
from payflux.sandbox.errors import no_such
from payflux.sandbox.query import Query
from payflux.sandbox.state import SandboxState
from payflux.sandbox.store import NEWEST, OLDEST, Json

KEPT = 30 * 86_400
"""Seconds for which events can be asked for."""

_TOLD = "_told"
_BATCH = 100
_FIRST_WINDOW, _WIDEST_WINDOW = 3_600, 86_400  # seconds of the books that are read at once
_Order = tuple[int, int]


def tell(state: SandboxState, account_id: str, event: Json, endpoints: int) -> None:
    """Note that `endpoints` endpoints are told of an event."""
    about: Json = {"id": f"{_TOLD}/{event['id']}", "object": _TOLD, "created": event["created"]}
    state.store.put(account_id, about | {"endpoints": endpoints, "open": endpoints})


def delivered(state: SandboxState, account_id: str, event_id: str) -> None:
    """Note that one of the endpoints took an event."""
    told = state.store.get(account_id, f"{_TOLD}/{event_id}")
    if told is not None:
        state.store.put(account_id, told | {"open": max(told["open"] - 1, 0)})


def find_event(state: SandboxState, account_id: str, event_id: str, *, connect: bool) -> Json | None:
    """An event; `connect` for one as the platform sees those of connected accounts."""
    found = state.store.get(account_id, event_id) or feed.find(state, account_id, event_id)
    if found is None or found["object"] != "event":
        return None
    return shown(state, account_id, found, connect=connect)


def is_kept(state: SandboxState, event: Json) -> bool:
    """Whether an event may still be asked for."""
    now = int(state.now().timestamp())
    return now - KEPT < event["created"] <= now


def shown(state: SandboxState, account_id: str, event: Json, *, connect: bool) -> Json:
    """An event as it is delivered and answered."""
    told = state.store.get(account_id, f"{_TOLD}/{event['id']}")
    about = {"account": account_id} if connect else {}
    return event | about | {"pending_webhooks": told["endpoints"] if told else 0}


def list_events(
    state: SandboxState,
    account_id: str,
    query: Query,
    wanted: Callable[[str], bool],
    *,
    taken: bool | None = None,
    connect: bool,
) -> Json:
    """A page of the events whose type is `wanted`, the newest first; with `taken`, those that every endpoint has taken,
    or not. Raises a 404 StripeError for an unknown cursor."""
    upward = query.ending_before is not None
    now = int(state.now().timestamp())
    low, high = max(query.created[0], now - KEPT + 1), min(query.created[1], now)
    found = (
        event
        for event in _merged(
            state, account_id, (low, high), query.ending_before or query.starting_after, wanted, upward=upward
        )
        if wanted(event["type"]) and (taken is None or _taken(state, account_id, event) == taken)
    )
    page = [shown(state, account_id, event, connect=connect) for event in islice(found, query.limit + 1)]
    data = page[: query.limit]
    return {
        "object": "list",
        "data": data[::-1] if upward else data,
        "has_more": len(page) > query.limit,
        "url": "/v1/events",
    }


def _taken(state: SandboxState, account_id: str, event: Json) -> bool:
    told = state.store.get(account_id, f"{_TOLD}/{event['id']}")
    return told is None or not told["open"]


def _merged(
    state: SandboxState,
    account_id: str,
    created: tuple[int, int],
    cursor: str | None,
    wanted: Callable[[str], bool],
    *,
    upward: bool,
) -> Iterator[Json]:
    """Events within `created` beyond the cursor, the newest first, or upward. Of one second, documents are newer than
    what is in the books, of which only those `wanted` are made."""
    place = state.store.place(account_id, cursor) if cursor else None
    in_books = feed.find(state, account_id, cursor) if cursor and place is None else None
    if cursor and place is None and in_books is None:
        raise no_such("event", cursor, "ending_before" if upward else "starting_after")
    low, high = created
    if in_books is not None:
        place = in_books["created"], -1
        low, high = (max(low, place[0]), high) if upward else (low, min(high, place[0]))
    elif place is not None:  # of the books, what is of the cursor's second is older than it
        low, high = (max(low, place[0] + 1), high) if upward else (low, min(high, place[0]))
    documents = _documents(state, account_id, created, place, upward=upward)
    books = _books(state, account_id, low, high, in_books, wanted, upward=upward)
    return (event for _, event in heapq.merge(documents, books, key=lambda entry: entry[0], reverse=not upward))


def _documents(
    state: SandboxState, account_id: str, created: tuple[int, int], place: _Order | None, *, upward: bool
) -> Iterator[tuple[_Order, Json]]:
    after, before = OLDEST, NEWEST
    while True:
        if place is not None:
            after, before = (place, NEWEST) if upward else (OLDEST, place)
        found = state.store.find(
            account_id, "event", created=created, after=after, before=before, limit=_BATCH, oldest_first=upward
        )
        yield from (((event["created"], 1), event) for event in found)
        if len(found) < _BATCH:
            return
        place = state.store.place(account_id, found[-1]["id"])


def _books(
    state: SandboxState,
    account_id: str,
    low: int,
    high: int,
    cursor: Json | None,
    wanted: Callable[[str], bool],
    *,
    upward: bool,
) -> Iterator[tuple[_Order, Json]]:
    """Events of the books from second `low` to `high`, both included, beyond the event `cursor` if there is one."""
    beyond, width = cursor is None, _FIRST_WINDOW

    def read(kind: str) -> bool:
        return wanted(kind) or (cursor is not None and kind == cursor["type"])

    while low <= high:
        first, last = (low, min(high, low + width)) if upward else (max(low, high - width), high)
        events = feed.between(state, account_id, first - 1, last, read)
        for event in events if upward else reversed(events):
            if beyond:
                yield (event["created"], 0), event
            beyond = beyond or (cursor is not None and event["id"] == cursor["id"])
        low, high = (last + 1, high) if upward else (low, first - 1)
        width = min(width * 2, _WIDEST_WINDOW)
