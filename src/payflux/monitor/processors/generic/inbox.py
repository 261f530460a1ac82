"""Deliveries: each is stored once, in one transaction with the job that applies it, and only then answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.ids import new_id
from payflux.kit.jobs import enqueue
from payflux.monitor.processors.generic.connecting import active_secrets
from payflux.monitor.processors.generic.models import DeliveryState, EventDelivery
from payflux.monitor.processors.generic.reading import Fault, Posted, Told, read_posted
from payflux.monitor.processors.generic.signatures import sign, verify
from payflux.monitor.processors.models import Connection
from payflux.world.bootstrap import World

RETENTION = timedelta(days=30)
"""How long deliveries are kept, and their ids known."""

_events = msgspec.json.Decoder(list[Told])


async def receive_delivery(
    session: AsyncSession, connection: Connection, *, message_id: str, posted: Posted, now: datetime
) -> bool:
    """Store a delivery that is not there yet, with the job that applies it; whether it was new. One that had been
    refused is taken when it comes again and is right."""
    new = await _write(
        session,
        connection,
        message_id,
        now,
        state=DeliveryState.WAITING if posted.events else DeliveryState.APPLIED,
        types=posted.types,
        events=len(posted.events),
        faults=[],
        body=msgspec.json.encode(posted.events) if posted.events else b"",
    )
    if new and posted.events:
        await enqueue_applying(session, account_id=connection.account_id, connection_id=connection.id)
    return new


async def keep_refused(
    session: AsyncSession, connection: Connection, *, message_id: str, faults: Sequence[Fault], now: datetime
) -> None:
    """Keep why a delivery was refused, for whoever looks. What was accepted under the same id before stays."""
    refused = [msgspec.to_builtins(fault) for fault in faults]
    await _write(
        session, connection, message_id, now, state=DeliveryState.REFUSED, types="", events=0, faults=refused, body=b""
    )


async def send_test(session: AsyncSession, world: World, connection: Connection) -> None:
    """Deliver a test event to a connection as its sender would, signed with its newest secret."""
    now, message_id, body = world.clock.now(), f"test_{new_id()}", b'{"type": "test"}'
    secrets = active_secrets(world, connection, now)
    verify(
        body,
        message_id=message_id,
        timestamp=str(int(now.timestamp())),
        signatures=sign(message_id, body, secrets[-1:], now),
        secrets=secrets,
        now=now,
    )
    await receive_delivery(session, connection, message_id=message_id, posted=read_posted(body, now), now=now)


async def _write(
    session: AsyncSession, connection: Connection, message_id: str, now: datetime, **values: object
) -> bool:
    row = insert(EventDelivery).values(
        account_id=connection.account_id,
        connection_id=connection.id,
        message_id=message_id,
        received_at=now,
        **values,
    )
    row = row.on_conflict_do_update(
        index_elements=[EventDelivery.account_id, EventDelivery.connection_id, EventDelivery.message_id],
        set_={"received_at": now, **values},
        where=EventDelivery.state == DeliveryState.REFUSED,
    )
    return (await session.execute(row.returning(EventDelivery.message_id))).scalar_one_or_none() is not None


async def enqueue_applying(session: AsyncSession, *, account_id: UUID, connection_id: UUID) -> None:
    """A job that applies whatever waits then. Each delivery has its own, which may find nothing left: one that skipped
    its job because another was just ending would wait."""
    payload = {"account_id": str(account_id), "connection_id": str(connection_id)}
    await enqueue(session, "apply_posted_events", payload)


def kept_events(delivery: EventDelivery) -> list[Told]:
    return _events.decode(delivery.body)


async def recent_deliveries(session: AsyncSession, connection: Connection, limit: int = 20) -> list[EventDelivery]:
    """The last deliveries of a connection, the newest first."""
    query = (
        select(EventDelivery)
        .where(EventDelivery.account_id == connection.account_id, EventDelivery.connection_id == connection.id)
        .order_by(EventDelivery.received_at.desc(), EventDelivery.message_id)
        .limit(limit)
    )
    return list((await session.execute(query)).scalars())


async def delete_old_deliveries(session: AsyncSession, *, now: datetime) -> None:
    """Remove what is done and older than :data:`RETENTION`; what waits stays."""
    old = EventDelivery.received_at <= now - RETENTION
    await session.execute(delete(EventDelivery).where(old, EventDelivery.state != DeliveryState.WAITING))
