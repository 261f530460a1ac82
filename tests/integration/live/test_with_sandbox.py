"""Against the sandbox over HTTP: what its events tell after a pull equals what a later pull reads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select

from payflux.kit.clock import SystemClock
from payflux.monitor.processors.codes import Kind
from payflux.monitor.processors.connecting.keys import authorize_with_key
from payflux.monitor.processors.connecting.storing import store_connection
from payflux.monitor.processors.live.applying import apply_webhook_events
from payflux.monitor.processors.live.polling import poll_events
from payflux.monitor.processors.models import Connection, StoredEvent
from payflux.monitor.processors.pull import run_pull, start_pull
from payflux.world.bootstrap import World
from tests.integration.live.stripe_events import inbox_of
from tests.sandbox_server import running_sandbox

NOT_COMPARED = ("account_id", "connection_id", "workspace_id", "read_at")


@pytest.fixture
async def connected_world(world: World) -> AsyncIterator[World]:
    with running_sandbox() as base:
        settings = world.settings.model_copy(update={"stripe_api_base": base, "stripe_test_rate": 100.0})
        async with httpx.AsyncClient() as http:
            yield replace(world, settings=settings, http=http, clock=SystemClock())


async def pulled(world: World, since: datetime, until: datetime) -> Connection:
    """A workspace of its own that has read the sandbox's first merchant from `since` to `until`."""
    account_id = uuid4()
    authorized = await authorize_with_key(world, key="rk_test_sandbox_default")
    async with world.database.tenant(account_id) as session:
        connection = await store_connection(session, world, authorized, account_id=account_id, workspace_id=uuid4())
        pull = await start_pull(session, connection, world.clock.now(), since=since, until=until)
    await run_pull(world, account_id, pull.id)
    return connection


async def stored(world: World, connection: Connection, since: datetime) -> list[tuple[Any, ...]]:
    columns = [column for column in StoredEvent.__table__.columns if column.name not in NOT_COMPARED]
    async with world.database.tenant(connection.account_id) as session:
        # events also name older objects, which no pull of these days reads
        lately = StoredEvent.at >= int(since.timestamp())
        # nor can a pull read a review that was closed: Stripe lists the open ones alone
        pulled_kinds = StoredEvent.kind.not_in((Kind.ACCOUNT_CHANGE, Kind.REVIEW))
        query = select(*columns).where(pulled_kinds, lately)
        rows = await session.execute(query.order_by(StoredEvent.kind, StoredEvent.source_id))
        return [tuple(row) for row in rows]


async def test_events_polled_after_a_pull_end_in_what_a_later_pull_reads(connected_world: World) -> None:
    world, now = connected_world, connected_world.clock.now()
    since = now - timedelta(days=3)
    alice, bob = await pulled(world, since, now - timedelta(days=1)), await pulled(world, since, now)
    before = await stored(world, alice, since)
    ids = {"account_id": str(alice.account_id), "connection_id": str(alice.id)}
    await poll_events(world, ids)
    await apply_webhook_events(world, ids)
    assert {state for state, _ in (await inbox_of(world, alice.account_id)).values()} == {"applied"}
    after = await stored(world, alice, since)
    assert len(after) > len(before) > 0
    assert after == await stored(world, bob, since)
