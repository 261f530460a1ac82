"""What can be done to a sandbox and seen of it, for its pages and its JSON alike. What is wrong raises StripeError."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from payflux.sandbox.control.spans import read_moment, read_span
from payflux.sandbox.deliveries import destinations, records
from payflux.sandbox.deliveries.dispatcher import Dispatcher
from payflux.sandbox.errors import StripeError, no_such
from payflux.sandbox.events import list_events
from payflux.sandbox.faults import register
from payflux.sandbox.firing import FIRE
from payflux.sandbox.query import FOREVER, Query
from payflux.sandbox.state import SandboxState
from payflux.sandbox.store import Due, Json
from payflux.sandbox.work import Work

NEWEST_SHOWN = 100


@dataclass(frozen=True)
class Console:
    """A running sandbox. `turn` carries out what the clock has reached, and returns how many tasks that were."""

    state: SandboxState
    dispatcher: Dispatcher
    turn: Callable[[], int]

    @property
    def now(self) -> int:
        """Unix seconds of the sandbox."""
        return int(self.state.now().timestamp())


def clock(console: Console) -> Json:
    due = console.state.store.next_due(FOREVER)
    return {
        "now": console.now,
        "iso": iso(console.now),
        "ahead": console.state.ahead,
        "next_due": None if due is None else shown_due(due),
    }


def move_clock(console: Console, given: Mapping[str, Any]) -> Json:
    """Advance the clock: by a span `advance`, to a moment `to`, or to what is due next with `to` = "next"."""
    if ("advance" in given) == ("to" in given):
        raise StripeError(400, "Give either advance or to.", param="advance")
    name = "advance" if "advance" in given else "to"
    text, now = str(given[name]), console.state.now()
    try:
        if name == "advance":
            seconds = read_span(text, now)
        elif text == "next":
            due = console.state.store.next_due(FOREVER)
            seconds = 0.0 if due is None else max(due.at - now.timestamp(), 0)
        else:
            seconds = read_moment(text, now)
    except ValueError as error:
        raise StripeError(400, str(error), param=name) from None
    console.turn()  # what was due before goes before
    console.state.advance(seconds)
    return {**clock(console), "ran": console.turn()}


def due(console: Console) -> list[Json]:
    """What is due next, the earliest first."""
    return [shown_due(found) for found in console.state.store.coming(NEWEST_SHOWN)]


def shown_due(due: Due) -> Json:
    return {**due._asdict(), "iso": iso(due.at)}


def accounts(console: Console) -> list[Json]:
    state = console.state
    return [
        {
            "id": archetype.account_id,
            "name": archetype.name,
            "business": archetype.business,
            "connected": state.connected.get(archetype.account_id),
        }
        for archetype in state.archetypes.values()
    ]


def newest_events(console: Console, account_id: str, limit: int = 10) -> list[Json]:
    if account_id not in console.state.archetypes:
        raise no_such("account", account_id, "account")
    query = Query(min(max(limit, 1), NEWEST_SHOWN), None, None, (0, FOREVER), (0, FOREVER), {})
    return list_events(console.state, account_id, query, lambda _: True, connect=False)["data"]


def fires() -> list[Json]:
    """What can be let happen to an account, and the fields that each takes."""
    return [
        {
            "name": name,
            "label": fire.label,
            "fields": [{"name": f.name, "hint": f.hint, "choices": list(f.choices)} for f in fire.fields],
        }
        for name, fire in FIRE.items()
    ]


def fire(console: Console, account_id: str, name: str, given: Mapping[str, Any]) -> Json:
    """Let something happen to an account: the object that it is about."""
    if account_id not in console.state.archetypes:
        raise no_such("account", account_id, "account")
    if name not in FIRE:
        raise StripeError(404, f"Nothing is called {name!r} here. Choose from: {', '.join(FIRE)}.", param="name")
    work = Work(console.state, account_id, console.now)
    with console.state.store.transaction():
        about = FIRE[name](work, {field: str(value) for field, value in given.items()})
        console.state.announce(work)
    return about


def endpoints(console: Console) -> list[Json]:
    """The webhook endpoints of every account, without their secrets."""
    shown = []
    for destination in destinations.destinations(console.state.store):
        endpoint = console.state.store.get(destination.owner, destination.id)
        if endpoint is not None:
            told = {"account": destination.owner, "connect": destination.connect, "payload": destination.payload}
            shown.append({**endpoint, **told, "active_secrets": len(destination.active(console.now))})
    return shown


def roll_secret(console: Console, endpoint_id: str, expire_in: int) -> Json:
    """A new signing secret; the old one signs for `expire_in` seconds more, a day at most."""
    store = console.state.store
    destination = destinations.require_destination(store, endpoint_id)
    return {"id": endpoint_id, "secret": destinations.roll(store, destination, console.now, expire_in)}


def set_payload(console: Console, endpoint_id: str, payload: str) -> Json:
    """Send an endpoint whole events, or thin notifications of them."""
    if payload not in ("snapshot", "thin"):
        raise StripeError(400, "payload is snapshot or thin.", param="payload")
    store = console.state.store
    found = destinations.require_destination(store, endpoint_id)
    destinations.save(store, msgspec.structs.replace(found, payload=payload))
    return {"id": endpoint_id, "payload": payload}


def deliveries(console: Console, *, endpoint: str = "", status: str = "", event: str = "") -> list[Json]:
    found = records.deliveries(console.state.store, endpoint=endpoint, status=status, event=event, limit=NEWEST_SHOWN)
    return [msgspec.to_builtins(delivery) for delivery in found]


def redeliver(console: Console, given: Mapping[str, Any]) -> Json:
    """Send again the deliveries that `id`, `endpoint`, `event` and `status` choose; at least one of them is given."""
    asked = {name: str(given.get(name) or "") for name in ("id", "endpoint", "event", "status")}
    if not any(asked.values()):
        raise StripeError(400, "Say what to send again: id, endpoint, event or status.", param="id")
    store = console.state.store
    chosen = records.deliveries(
        store, delivery=asked["id"], endpoint=asked["endpoint"], event=asked["event"], status=asked["status"]
    )
    if asked["id"] and not chosen:
        raise no_such("delivery", asked["id"])
    for delivery in reversed(chosen):
        console.dispatcher.again(delivery)
    return {"sent_again": len(chosen)}


def faults(console: Console) -> list[Json]:
    return [msgspec.to_builtins(fault) for fault in register.faults(console.state)]


def add_fault(console: Console, given: Mapping[str, Any]) -> Json:
    try:
        return msgspec.to_builtins(register.add(console.state, given))
    except ValueError as error:
        raise StripeError(400, str(error), param=str(error).split(maxsplit=1)[0]) from None


def remove_faults(console: Console, fault_id: str = "") -> Json:
    """Switch one fault off, or all."""
    if not fault_id:
        every = [fault.id for fault in register.faults(console.state)]
        for found in every:
            register.remove(console.state, found)
        return {"removed": len(every)}
    if not register.remove(console.state, fault_id):
        raise no_such("fault", fault_id)
    return {"removed": 1}


def iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
