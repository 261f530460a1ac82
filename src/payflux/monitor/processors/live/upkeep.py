"""What runs by the clock for every connection: jobs for whoever is due, and the inbox kept small."""

from __future__ import annotations

import structlog
from sqlalchemy import or_, select

from payflux.kit.jobs import enqueue
from payflux.kit.pools import served_by
from payflux.monitor.processors.connecting.signing import Reach, reach_of
from payflux.monitor.processors.live.inbox import delete_old_events, enqueue_due
from payflux.monitor.processors.live.timing import SHORTEST_CATCH_UP, SHORTEST_POLL
from payflux.monitor.processors.models import Connection, ConnectionMethod, ConnectionStatus
from payflux.world.bootstrap import World

log = structlog.get_logger(__name__)


async def apply_due_events(world: World) -> None:
    """Every minute: a job for each connection with events that are due."""
    async with world.database.system() as session:
        await enqueue_due(session, pool=world.settings.worker_pool, now=world.clock.now())


async def keep_connections_up_to_date(world: World) -> None:
    """Every few minutes: jobs to poll and to catch up for each connection whose last time is long enough ago; the job
    itself knows whether that is long enough for an account of its size."""
    now = world.clock.now()
    async with world.database.system() as session:
        query = select(Connection).where(
            Connection.status != ConnectionStatus.DISCONNECTED,
            Connection.method != ConnectionMethod.WEBHOOK,
            Connection.synced_through.is_not(None),
            or_(
                Connection.synced_through <= now - SHORTEST_CATCH_UP,
                Connection.polled_through.is_(None),
                Connection.polled_through <= now - SHORTEST_POLL,
            ),
        )
        ours = await served_by(session, world.settings.worker_pool)
        for connection in (each for each in (await session.execute(query)).scalars() if ours(each.account_id)):
            payload = {"account_id": str(connection.account_id), "connection_id": str(connection.id)}
            if reach_of(world.settings, connection) == Reach.POLLING:
                await enqueue(session, "poll_events", payload, dedupe_key=f"poll_events {connection.id}")
            if connection.synced_through is not None and connection.synced_through <= now - SHORTEST_CATCH_UP:
                await enqueue(session, "catch_up", payload, dedupe_key=f"catch_up {connection.id}")


async def clean_inbox(world: World) -> None:
    """Every day: what was dealt with long ago is deleted."""
    async with world.database.system() as session:
        await delete_old_events(session, now=world.clock.now())
