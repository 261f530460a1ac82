"""A merchant whose processor posts to us: an account with such a connection, and deliveries as it sends them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from uuid import UUID

import httpx
import msgspec
from fastapi import FastAPI
from sqlalchemy import text

from payflux.activation import service as activation
from payflux.frontdoor.accounts.registering import register
from payflux.frontdoor.billing.trials import start_trial
from payflux.monitor.processors.generic.connecting import connect_source, source_url
from payflux.monitor.processors.generic.signatures import sign
from payflux.monitor.processors.models import Connection
from payflux.monitor.processors.queries import get_connection
from payflux.world.bootstrap import World


class Source(msgspec.Struct, frozen=True):
    """A connection that is posted to, and what a sender knows of it."""

    account_id: UUID
    workspace_id: UUID
    user_id: UUID
    connection_id: UUID
    path: str
    secret: str


async def source_of(world: World, name: str) -> Source:
    """A new account in its trial, with a connection of another processor."""
    now = world.clock.now()
    async with world.database.system() as session:
        user, account = await register(
            session, name=name, email=f"{name.lower()}@shop.example", password="quiet harbour lantern", now=now
        )
        await start_trial(session, account_id=account.id, now=now)
        workspace = await activation.create_workspace(session, account_id=account.id, name="Shop", now=now)
    async with world.database.tenant(account.id) as session:
        connection, secret = await connect_source(
            session, world, account_id=account.id, workspace_id=workspace.id, name="Adyen", actor_id=user.id
        )
        path = source_url(world, connection).removeprefix(world.settings.url)
    return Source(account.id, workspace.id, user.id, connection.id, path, secret)


def charge(number: int, at: datetime, **changes: object) -> dict[str, object]:
    return {
        "type": "charge.succeeded",
        "id": f"pay_{number}",
        "created": at.isoformat(),
        "amount": 2000 + number,
        "currency": "usd",
        "network": "visa",
        "country": "US",
    } | changes


def merchant_history(now: datetime, count: int) -> list[dict[str, object]]:
    """So many events over the last 80 days: payments, and now and then a decline, a refund or a dispute."""
    events: list[dict[str, object]] = []
    for number in range(count):
        at = now - timedelta(days=80) * (1 - number / count)
        later = (at + timedelta(hours=1)).isoformat()
        about = {"charge_id": f"pay_{number - 1}", "charge_created": at.isoformat()}
        if number % 20 == 7:
            events.append(charge(number, at, type="charge.failed", reason="insufficient_funds"))
        elif number % 20 == 13:
            events.append(charge(number, at, type="refund.created", id=f"re_{number}", **about))
        elif number % 100 == 51:
            events.append(
                charge(
                    number,
                    at,
                    type="dispute.closed",
                    id=f"dp_{number}",
                    status="lost",
                    updated=later,
                    reason="fraudulent",
                    **about,
                )
            )
        else:
            events.append(charge(number, at))
    return events


async def send(
    app: FastAPI,
    source: Source,
    events: object,
    at: datetime,
    *,
    message_id: str = "msg_1",
    secret: str = "",
    path: str = "",
) -> httpx.Response:
    """Post `events` as a sender does that has read the documentation."""
    body = events if isinstance(events, bytes) else json.dumps(events).encode()
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": sign(message_id, body, [secret or source.secret], at),
        "content-type": "application/json",
    }
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8000") as http:
        return await http.post(path or source.path, content=body, headers=headers)


async def stored(world: World, source: Source) -> list[tuple]:
    """The stored events that this account sees, without when they were read."""
    async with world.database.tenant(source.account_id) as session:
        rows = await session.execute(
            text("SELECT kind, source_id, at, status, amount, settled, charge_id FROM payment_events ORDER BY 1, 2")
        )
        return [tuple(row) for row in rows]


async def deliveries(world: World, source: Source) -> dict[str, str]:
    """The state of each delivery that the account sees, by its id."""
    async with world.database.tenant(source.account_id) as session:
        rows = await session.execute(text("SELECT message_id, state FROM event_deliveries ORDER BY 1"))
        return {row.message_id: row.state for row in rows}


async def connection_of(world: World, source: Source) -> Connection:
    async with world.database.tenant(source.account_id) as session:
        return await get_connection(session, account_id=source.account_id, connection_id=source.connection_id)
