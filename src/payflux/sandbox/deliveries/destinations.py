"""Who hears of which event: the webhook endpoints, their secrets, and the accounts that somebody listens to."""

from __future__ import annotations

import secrets
from typing import Literal

import msgspec

from payflux.sandbox.app_grants import APP_CLIENT_ID
from payflux.sandbox.errors import no_such
from payflux.sandbox.merchants.archetypes import APP, PLATFORM
from payflux.sandbox.state import SandboxState
from payflux.sandbox.store import Json, Store
from payflux.sandbox.work import Work

LONGEST_OVERLAP = 86_400
"""Seconds for which a secret that was rolled may go on signing."""

Payload = Literal["snapshot", "thin"]
_TYPE, _MARK = "_destination", "heard_through/"
_OF_THE_APPLICATION = frozenset({"account.application.authorized", "account.application.deauthorized"})


class Secret(msgspec.Struct):
    value: str
    until: int | None = None  # unix seconds of the sandbox


class Destination(msgspec.Struct):
    """What the sandbox knows of a webhook endpoint beside what the API shows of it. `id` is the endpoint's."""

    id: str
    owner: str  # the account that made it
    connect: bool
    secrets: list[Secret]
    payload: Payload = "snapshot"

    def active(self, now: int) -> list[str]:
        """The secrets that sign at `now`, the newest first."""
        return [secret.value for secret in self.secrets if secret.until is None or secret.until > now]


def save(store: Store, destination: Destination) -> None:
    kept = msgspec.to_builtins(destination)
    store.put(destination.owner, {"object": _TYPE, **kept, "id": f"{_TYPE}/{destination.id}", "endpoint": kept["id"]})


def destination_of(store: Store, owner: str, endpoint_id: str) -> Destination | None:
    found = store.get(owner, f"{_TYPE}/{endpoint_id}")
    return _read(found) if found else None


def _read(document: Json) -> Destination:
    return msgspec.convert({**document, "id": document["endpoint"]}, Destination)


def destinations(store: Store) -> list[Destination]:
    """Every destination of every account, each account's oldest first."""
    return [
        _read(found) for account in store.accounts(_TYPE) for found in store.find(account, _TYPE, oldest_first=True)
    ]


def require_destination(store: Store, endpoint_id: str) -> Destination:
    """Raises a 404 StripeError where no account has the endpoint."""
    for destination in destinations(store):
        if destination.id == endpoint_id:
            return destination
    raise no_such("webhook_endpoint", endpoint_id)


def register(work: Work, endpoint_id: str, *, connect: bool) -> str:
    """The signing secret of a new endpoint."""
    secret = _new_secret()
    save(work.store, Destination(endpoint_id, work.account_id, connect, [Secret(secret)]))
    if not connect and heard_through(work.store, work.account_id) is None:
        hear_through(work.store, work.account_id, work.now)
    return secret


def forget(work: Work, endpoint_id: str) -> None:
    work.store.delete(work.account_id, f"{_TYPE}/{endpoint_id}")


def roll(store: Store, destination: Destination, now: int, expire_in: int) -> str:
    """A new secret; the one before goes on signing for `expire_in` seconds, at most :data:`LONGEST_OVERLAP`."""
    until = now + min(max(expire_in, 0), LONGEST_OVERLAP)
    before = [
        msgspec.structs.replace(secret, until=min(secret.until or until, until))
        for secret in destination.secrets
        if secret.until is None or secret.until > now
    ]
    secret = _new_secret()
    save(store, msgspec.structs.replace(destination, secrets=[Secret(secret), *before]))
    return secret


def _new_secret() -> str:
    return f"whsec_{secrets.token_hex(16)}"


def hearing(state: SandboxState, account_id: str, event: Json) -> list[Destination]:
    """The destinations that an event of an account goes to.

    An account's own endpoints hear of it, and the platform's Connect endpoints of each connected account; that an
    application was let in or out is told to that application alone.
    """
    if event["type"] in _OF_THE_APPLICATION:
        told = APP if event["data"]["object"]["id"] == APP_CLIENT_ID else PLATFORM
        own, platform = [], _of(state.store, told.account_id, connect=True)
    else:
        own = _of(state.store, account_id, connect=False)
        platform = _of(state.store, PLATFORM.account_id, connect=True) if account_id in state.connected else []
    return [
        destination
        for destination in (*own, *platform)
        if _wants(state.store.get(destination.owner, destination.id), event)
    ]


def _of(store: Store, owner: str, *, connect: bool) -> list[Destination]:
    return [_read(found) for found in store.find(owner, _TYPE, {"connect": int(connect)}, oldest_first=True)]


def _wants(endpoint: Json | None, event: Json) -> bool:
    if endpoint is None or endpoint["status"] != "enabled" or event["created"] < endpoint["created"]:
        return False
    return "*" in endpoint["enabled_events"] or event["type"] in endpoint["enabled_events"]


def heard_through(store: Store, account_id: str) -> int | None:
    """The second up to which the events of an account's books have gone out; None while nobody listens."""
    mark = store.setting(_MARK + account_id)
    return int(mark) if mark else None


def hear_through(store: Store, account_id: str, until: int | None) -> None:
    store.set(_MARK + account_id, "" if until is None else str(until))


def listened(state: SandboxState) -> set[str]:
    """The accounts of which an enabled endpoint would hear."""
    found: set[str] = set()
    for destination in destinations(state.store):
        endpoint = state.store.get(destination.owner, destination.id)
        if endpoint is not None and endpoint["status"] == "enabled":
            found |= set(state.connected) if destination.connect else {destination.owner}
    return found
