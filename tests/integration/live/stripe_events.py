"""Events as Stripe posts them: signed, with the object they are about, pretty-printed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID, uuid4

import httpx
import msgspec
from fastapi import FastAPI

from payflux.monitor.processors.connecting.signing import secrets_binding
from payflux.monitor.processors.live.signatures import sign
from payflux.monitor.processors.models import Connection, ConnectionMethod, ConnectionStatus
from payflux.world.bootstrap import World

SECRET = "whsec_of_this_endpoint"
TOKEN = "the-token-in-the-address"
ACCOUNT = "acct_alice"


def event_body(
    number: int | str,
    kind: str,
    changed: Mapping[str, object],
    at: datetime,
    *,
    account: str = "",
    livemode: bool = False,
) -> bytes:
    body = {
        "id": f"evt_{number}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(at.timestamp()),
        "data": {"object": changed},
        "livemode": livemode,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }
    return json.dumps(body | ({"account": account} if account else {}), indent=2).encode()


async def post(
    app: FastAPI, path: str, body: bytes, at: datetime, secrets: Sequence[str] = (SECRET,)
) -> httpx.Response:
    """Post `body` to `path` as Stripe does, signed with each of `secrets`."""
    headers = {"Stripe-Signature": sign(body, secrets, at), "Content-Type": "application/json; charset=utf-8"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8000") as http:
        return await http.post(path, content=body, headers=headers)


async def connected(
    world: World,
    *,
    method: ConnectionMethod = ConnectionMethod.RESTRICTED_KEY,
    token: str = TOKEN,
    account: str = ACCOUNT,
    livemode: bool = False,
    key: str = "rk_test_alice",
) -> Connection:
    """A connection of a new account, with its own webhook address where it is one by key."""
    account_id, workspace_id = uuid4(), uuid4()
    by_key = method == ConnectionMethod.RESTRICTED_KEY
    connection = Connection(
        account_id=account_id,
        id=uuid4(),
        workspace_id=workspace_id,
        method=method,
        external_account_id=account,
        livemode=livemode,
        status=ConnectionStatus.ACTIVE,
        connected_at=world.clock.now(),
        capabilities={},
        snapshot={},
    )
    if by_key:
        connection.secret = world.secrets.encrypt(
            key, bound_to=f"processor_connections/secret/{workspace_id}/{account}"
        )
    if by_key and token:
        connection.hook_digest = world.tokens.digest(token)
        connection.hook_secrets = world.secrets.encrypt(
            msgspec.json.encode([SECRET, "whsec_next"]).decode(), bound_to=secrets_binding(connection)
        )
    async with world.database.tenant(account_id) as session:
        session.add(connection)
    return connection


async def jobs_of(world: World, name: str) -> int:
    """How many jobs of that name wait."""
    async with world.database.system() as session:
        raw = await (await session.connection()).exec_driver_sql(
            "SELECT count(*) FROM pgqueuer WHERE entrypoint = $1 AND status = 'queued'", (name,)
        )
        return int(raw.scalar_one())


async def inbox_of(world: World, account_id: UUID) -> dict[str, tuple[str, str]]:
    """State and outcome of each event that the account sees, by the event's id."""
    async with world.database.tenant(account_id) as session:
        found = await (await session.connection()).exec_driver_sql(
            "SELECT event_id, state, outcome FROM webhook_events"
        )
        return {row.event_id: (row.state, row.outcome) for row in found}
