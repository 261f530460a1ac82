"""Webhooks: verified and decoded, against Stripe's own client; and applied exactly once, on PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import httpx
import stripe
from sqlalchemy import func, select

from payflux.monitor.processors.live.envelopes import Envelope, read_envelope
from payflux.monitor.processors.live.inbox import Settled, receive, settle, waiting_events
from payflux.monitor.processors.live.models import EventState, WebhookEvent
from payflux.monitor.processors.live.rereading import Readings
from payflux.monitor.processors.live.signatures import sign, verify
from payflux.monitor.processors.live.storing import store_readings
from payflux.monitor.processors.models import Connection, ConnectionMethod, ConnectionStatus, StoredEvent
from payflux.monitor.processors.resources import OBJECTS
from payflux.world.bootstrap import World, build_world
from tests.bench.database import bench_settings, migrated, postgresql
from tests.bench.measuring import Row, compare
from tests.sandbox_server import running_sandbox

SECRET = "whsec_of_the_endpoint"
BATCH = 100
NOW = datetime.now(UTC).replace(microsecond=0)


def verified(rounds: int = 20, runs: int = 200) -> Row:
    """One event of a charge, from raw bytes to what is kept of it."""
    body = _event(0, _charge())
    now = datetime.now(UTC)  # Stripe's own client looks at the clock
    header = sign(body, [SECRET], now)

    def ours() -> Envelope:
        verify(body, header, [SECRET], now)
        return read_envelope(body)

    def theirs() -> Any:
        return stripe.Webhook.construct_event(body, header, SECRET)

    if (ours().id, ours().object_id) != (theirs().id, theirs().data.object.id):
        raise AssertionError("the two read different events")
    name = f"webhook of {len(body):,} bytes verified and decoded"
    return compare(name, "stripe.Webhook.construct_event", 1 / 50, ours, theirs, rounds=rounds, runs=runs)


def applied(batches: int = 40, singles: int = 300) -> list[Row]:
    """From verified events to stored state, in batches and one by one. What Stripe takes to answer is left out: each
    object is there as Stripe would give it."""
    with postgresql() as server, TemporaryDirectory() as folder:
        settings = bench_settings(Path(folder))

        async def measured() -> list[Row]:
            urls = await migrated(server, settings)
            world = build_world(settings, database_url=urls.owner)
            try:
                return await _applied(world, _charge(), batches, singles)
            finally:
                await world.close()

        return asyncio.run(measured())


async def _applied(world: World, charge: dict[str, Any], batches: int, singles: int) -> list[Row]:
    connection = await _connected(world)
    numbers = range(batches * BATCH + singles)
    events = [
        _Prepared(number, charge | {"id": f"ch_{number}", "created": charge["created"] - number}) for number in numbers
    ]
    in_batches = [await _taken(world, connection, events[n * BATCH : (n + 1) * BATCH]) for n in range(batches)]
    one_by_one = [await _taken(world, connection, [event]) for event in events[batches * BATCH :]]
    for event in (events[0], events[-1]):
        await _taken(world, connection, [event, event])
    async with world.database.tenant(connection.account_id) as session:
        stored = (await session.execute(select(func.count()).select_from(StoredEvent))).scalar_one()
        done = select(func.count()).where(WebhookEvent.state == EventState.APPLIED, WebhookEvent.attempts == 1)
        applied_once = (await session.execute(done)).scalar_one()
    if not stored == applied_once == len(numbers):
        raise AssertionError(f"{stored} events stored and {applied_once} applied once, of {len(numbers)}")
    return [
        Row(f"{BATCH} webhooks applied exactly once", "50,000 a second", median(in_batches), BATCH / 50_000, 1.0),
        Row("one webhook applied exactly once, 99th percentile", "1 ms", quantiles(one_by_one, n=100)[-1], 0.001, 1.0),
    ]


class _Prepared:
    """An event as it comes in, and what Stripe answers when its object is read again."""

    def __init__(self, number: int, charge: dict[str, Any]) -> None:
        self.envelope = read_envelope(_event(number, charge))
        self.readings: Readings = [(event, NOW) for event in OBJECTS["charge"].read(json.dumps(charge).encode())]


async def _taken(world: World, connection: Connection, events: Sequence[_Prepared]) -> float:
    """The seconds from receiving `events` to their being applied."""
    mine = {"account_id": connection.account_id, "connection_id": connection.id}
    begun = time.perf_counter()
    async with world.database.system() as session:
        await receive(session, [(event.envelope, connection) for event in events], now=NOW)
    async with world.database.tenant(connection.account_id) as session:
        waiting = await waiting_events(session, **mine, now=NOW, limit=BATCH)
        if waiting:
            await store_readings(
                session, connection, [reading for event in events for reading in event.readings], None, now=NOW
            )
            settled = [Settled(event.event_id, EventState.APPLIED, "", NOW) for event in waiting]
            await settle(session, **mine, settled=settled, now=NOW)
    return time.perf_counter() - begun


async def _connected(world: World) -> Connection:
    connection = Connection(
        account_id=uuid4(),
        id=uuid4(),
        workspace_id=uuid4(),
        method=ConnectionMethod.RESTRICTED_KEY,
        external_account_id="acct_bench",
        livemode=False,
        status=ConnectionStatus.ACTIVE,
        connected_at=NOW,
        capabilities={},
        snapshot={},
    )
    async with world.database.tenant(connection.account_id) as session:
        session.add(connection)
    return connection


def _charge() -> dict[str, Any]:
    """A charge with every key that Stripe gives."""
    with running_sandbox() as base:
        query, headers = {"limit": 1}, {"Authorization": "Bearer rk_test_sandbox_default"}
        return httpx.get(f"{base}/v1/charges", params=query, headers=headers).raise_for_status().json()["data"][0]


def _event(number: int, charge: dict[str, Any]) -> bytes:
    body = {
        "id": f"evt_{number}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(NOW.timestamp()),
        "data": {"object": charge},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "charge.succeeded",
    }
    return json.dumps(body, indent=2).encode()
