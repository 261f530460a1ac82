"""The job that applies what was posted, and what runs by the clock for connections that post to us."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import Text, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.jobs import Payload, enqueue
from payflux.kit.pools import served_by
from payflux.monitor.processors.generic.inbox import delete_old_deliveries, enqueue_applying, kept_events
from payflux.monitor.processors.generic.models import DeliveryState, EventDelivery
from payflux.monitor.processors.generic.reading import Told
from payflux.monitor.processors.live.storing import store_readings
from payflux.monitor.processors.models import Connection, ConnectionMethod, ConnectionStatus
from payflux.monitor.processors.queries import get_connection
from payflux.monitor.processors.store import lock_workspace
from payflux.world.bootstrap import World

BATCH = 20
"""Deliveries that are applied in one transaction."""

HISTORY_IS_IN = "start_from_events"
"""The job that tells the rest of the product, with the account's and the connection's id, that first events are in."""

QUIET = timedelta(minutes=1)
"""After so long without a delivery the first events are taken to be in."""

# in the statement itself, not as a parameter: a plan for any state could not use the index of those that wait
_IS_WAITING = EventDelivery.state == literal(DeliveryState.WAITING.value, Text, literal_execute=True)

log = structlog.get_logger(__name__)


async def apply_posted_events(world: World, payload: Payload) -> None:
    """Job: apply what waits of a connection, the oldest first."""
    await apply_waiting(world, account_id=UUID(payload["account_id"]), connection_id=UUID(payload["connection_id"]))


async def apply_waiting(world: World, *, account_id: UUID, connection_id: UUID) -> None:
    """Apply every delivery that waits now. Raises NotFound."""
    while True:
        async with world.database.tenant(account_id) as session:
            connection = await get_connection(session, account_id=account_id, connection_id=connection_id)
            await lock_workspace(session, connection.workspace_id)
            waiting = (
                select(EventDelivery)
                .where(
                    EventDelivery.account_id == account_id, EventDelivery.connection_id == connection_id, _IS_WAITING
                )
                .order_by(EventDelivery.received_at, EventDelivery.message_id)
                .limit(BATCH)
            )
            deliveries = (await session.execute(waiting)).scalars().all()
            if not deliveries:
                return
            now = world.clock.now()
            told = [event for delivery in deliveries for event in kept_events(delivery)]
            changed = await store_told(session, connection, told, now=now)
            for delivery in deliveries:
                delivery.state, delivery.applied_at, delivery.body = DeliveryState.APPLIED, now, b""
        log.info("posted events applied", connection_id=str(connection_id), events=len(told), changed=changed)


async def store_told(session: AsyncSession, connection: Connection, told: list[Told], *, now: datetime) -> int:
    """Store events and move "showing data through" on to the newest; how many are new or not as they were."""
    if not told:
        return 0
    changed = await store_readings(session, connection, told, None, now=now)
    newest = min(max(said_at for _, said_at in told), now)
    await session.execute(
        update(Connection)
        .where(Connection.account_id == connection.account_id, Connection.id == connection.id)
        .values(synced_through=func.greatest(Connection.synced_through, newest))
    )
    return changed


async def keep_sources_going(world: World) -> None:
    """Every minute: a job for each connection whose deliveries wait, and for each whose first events are in and whose
    workspace may not know it."""
    now = world.clock.now()
    async with world.database.system() as session:
        waiting = select(EventDelivery.account_id, EventDelivery.connection_id).where(_IS_WAITING).distinct()
        ours = await served_by(session, world.settings.worker_pool)
        for account_id, connection_id in (await session.execute(waiting)).all():
            if ours(account_id):
                await enqueue_applying(session, account_id=account_id, connection_id=connection_id)
        last = (
            select(func.max(EventDelivery.received_at))
            .where(EventDelivery.account_id == Connection.account_id, EventDelivery.connection_id == Connection.id)
            .scalar_subquery()
        )
        quiet = select(Connection.account_id, Connection.id).where(
            Connection.method == ConnectionMethod.WEBHOOK,
            Connection.status != ConnectionStatus.DISCONNECTED,
            Connection.history_from.is_(None),
            Connection.synced_through.is_not(None),
            func.coalesce(last, Connection.connected_at) <= now - QUIET,
        )
        for account_id, connection_id in (await session.execute(quiet)).all():
            if ours(account_id):
                await enqueue_history_is_in(session, account_id=account_id, connection_id=connection_id)


async def enqueue_history_is_in(session: AsyncSession, *, account_id: UUID, connection_id: UUID) -> None:
    payload = {"account_id": str(account_id), "connection_id": str(connection_id)}
    await enqueue(session, HISTORY_IS_IN, payload, dedupe_key=f"{HISTORY_IS_IN} {connection_id}")


async def clean_deliveries(world: World) -> None:
    """Every day: what was dealt with long ago is deleted."""
    async with world.database.system() as session:
        await delete_old_deliveries(session, now=world.clock.now())
