"""One change of one account's books at one moment: what it writes, and the events that tell of it."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stripe import Event

from payflux.sandbox.amendments import amend
from payflux.sandbox.errors import no_such
from payflux.sandbox.objects.view import View
from payflux.sandbox.resources import find_in_books
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.store import Due, Json, Store

if TYPE_CHECKING:
    from payflux.sandbox.state import SandboxState

API_VERSION = "2026-10-28.endive"
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def new_id(prefix: str) -> str:
    """A fresh id, such as `cus_` and fourteen letters; `prefix` without the underscore."""
    return f"{prefix}_{''.join(secrets.choice(_LETTERS) for _ in range(24 if prefix in _LONG else 14))}"


_LONG = frozenset({"ch", "pi", "seti", "pm", "in", "sub", "price", "evt", "txn", "re", "po", "du", "we", "ii", "il"})


@dataclass
class Work:
    """A unit of work, within a transaction of the store. `now` is unix seconds.

    Every change is made through it, so that each is one event: `create`, `change` and `remove` take the event's type,
    "" where Stripe sends none.
    """

    state: SandboxState
    account_id: str
    now: int
    request_id: str | None = None
    idempotency_key: str | None = None
    events: list[Json] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return self.state.store

    @property
    def view(self) -> View:
        """The simulated merchant's books at this moment."""
        return self.state.view(self.account_id, self.now)

    def create(self, document: Json, event: str = "") -> Json:
        """Store a new document; `document` itself is returned."""
        self.store.put(self.account_id, document)
        self.tell(event, document)
        return document

    def change(self, document: Json, changes: Mapping[str, Any], event: str = "") -> Json:
        """Write `changes` into a stored document, or into what the merchant's books show of an object, and tell what it
        was before; no event where nothing changes. Raises StripeError 400 for a payment with a story of its own."""
        before = {
            name: copy.deepcopy(document.get(name)) for name, value in changes.items() if document.get(name) != value
        }
        document.update(changes)
        if self.store.place(self.account_id, document["id"]) or not find_in_books(self.view, document["id"]):
            self.store.put(self.account_id, document)
        elif before:
            amend(self.view, self.store, document["id"], {name: changes[name] for name in before})
        if before:
            self.tell(event, document, before)
        return document

    def remove(self, document: Json, event: str = "") -> Json:
        """Delete a document; the stub that Stripe answers."""
        self.store.delete(self.account_id, document["id"])
        self.tell(event, document)
        return {"id": document["id"], "object": document["object"], "deleted": True}

    def tell(self, event: str, about: Json, before: Json | None = None) -> None:
        """Store an event about an object as it is now."""
        if not event:
            return
        data: Json = {"object": copy.deepcopy(about)}
        if before is not None:
            data["previous_attributes"] = before
        told = complete(
            Event,
            {
                "id": new_id("evt"),
                "api_version": API_VERSION,
                "created": self.now,
                "data": data,
                "livemode": False,
                "pending_webhooks": 0,
                "request": {"id": self.request_id, "idempotency_key": self.idempotency_key},
                "type": event,
            },
        )
        self.store.put(self.account_id, told)
        self.events.append(told)

    def get(self, kind: str, object_id: str) -> Json | None:
        """A document of type `kind`, or the merchant's object, or None."""
        found = self.find_any(object_id)
        return found if found is not None and found["object"] == kind else None

    def require(self, kind: str, object_id: str, param: str = "id") -> Json:
        """As `get`; raises a 404 StripeError that names `param`."""
        found = self.get(kind, object_id)
        if found is None:
            raise no_such(kind, object_id, param)
        return found

    def find_any(self, object_id: str) -> Json | None:
        """Whatever object of this account has this id now: a document, or one of the merchant's books."""
        return self.store.get(self.account_id, object_id) or find_in_books(self.view, object_id)

    def find(self, kind: str, where: Mapping[str, Any] | None = None, **more: Any) -> list[Json]:
        """Documents of this account, the newest first; as `Store.find`."""
        return self.store.find(self.account_id, kind, where, **more)

    def later(self, at: int, task: str, subject: str) -> None:
        """Let `task` run on `subject` when the clock reaches `at`; one already waiting is moved."""
        self.store.schedule(Due(at, self.account_id, task, subject))

    def never(self, task: str, subject: str) -> None:
        """Let a task that waits not run."""
        self.store.unschedule(self.account_id, task, subject)
