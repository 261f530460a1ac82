"""What is kept of each delivery: which event goes to which endpoint, and how every attempt went."""

from __future__ import annotations

from typing import Literal

import msgspec

from payflux.sandbox.store import Json, Store

Status = Literal["pending", "delivered", "failed", "lost", "canceled"]
"""`lost`: a fault swallowed it; `canceled`: the endpoint was deleted or disabled."""

_TYPE = "_delivery"


class Attempt(msgspec.Struct):
    at: int  # unix seconds of the sandbox
    status: int | None  # HTTP status; None without an answer
    milliseconds: int
    response: str  # what was answered, shortened, or why nothing was


class Delivery(msgspec.Struct):
    id: str
    owner: str  # the endpoint's account
    endpoint: str
    account: str  # the event's account
    event: str
    type: str
    created: int  # unix seconds of the sandbox
    status: Status = "pending"
    repeated: bool = False  # a duplicate that a fault made
    attempts: list[Attempt] = []


def save(store: Store, delivery: Delivery) -> None:
    store.put(delivery.owner, {"object": _TYPE, **msgspec.to_builtins(delivery)})


def delivery_of(store: Store, owner: str, delivery_id: str) -> Delivery | None:
    found = store.get(owner, delivery_id)
    return msgspec.convert(found, Delivery) if found is not None and found["object"] == _TYPE else None


def deliveries(
    store: Store, *, delivery: str = "", endpoint: str = "", status: str = "", event: str = "", limit: int = -1
) -> list[Delivery]:
    """Deliveries of every account that fit what is given, the newest first."""
    asked = {"id": delivery, "endpoint": endpoint, "status": status, "event": event}
    where: Json = {name: value for name, value in asked.items() if value}
    found = [found for account in store.accounts(_TYPE) for found in store.find(account, _TYPE, where, limit=limit)]
    found.sort(key=lambda document: document["created"], reverse=True)
    return [msgspec.convert(document, Delivery) for document in found[: limit if limit >= 0 else None]]
