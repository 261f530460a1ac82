"""The inbox: an event is stored once, in one transaction with the job that applies it, and only then answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.database import driver_connection
from payflux.kit.jobs import enqueue, release_key
from payflux.kit.pools import COMMON, served_by
from payflux.monitor.processors.live.envelopes import Envelope
from payflux.monitor.processors.live.models import IS_WAITING, EventState, WebhookEvent
from payflux.monitor.processors.live.subjects import reason_to_ignore
from payflux.monitor.processors.models import Connection, ConnectionMethod
from payflux.world.bootstrap import World

RETENTION = timedelta(days=30)
"""How long what is done stays in the inbox; as long as Stripe lists an event."""

_CONNECT = (ConnectionMethod.CONNECT_OAUTH, ConnectionMethod.STRIPE_APP)
_NO_CONNECTION = "stripe"

_SETTLE = """
    UPDATE webhook_events AS event
    SET state = new.state, outcome = new.outcome, due_at = new.due_at, attempts = event.attempts + 1,
        applied_at = CASE WHEN new.state = $4::text THEN $3::timestamptz END
    FROM unnest($5::text[], $6::text[], $7::text[], $8::timestamptz[]) AS new (event_id, state, outcome, due_at)
    WHERE event.account_id = $1 AND event.source = $2 AND event.event_id = new.event_id AND event.state = 'waiting'
"""

_INSERT = """
    INSERT INTO webhook_events (source, event_id, account_id, connection_id, external_account_id, type, livemode,
        created_at, received_at, body, state, outcome, due_at)
    SELECT source, event_id, account_id, connection_id, external_account_id, type, livemode, created_at, $1, body,
        state, outcome, $1
    FROM unnest($2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::boolean[],
        $9::timestamptz[], $10::bytea[], $11::text[], $12::text[]) AS new (source, event_id, account_id,
        connection_id, external_account_id, type, livemode, created_at, body, state, outcome)
    ON CONFLICT (source, event_id) DO NOTHING
    RETURNING account_id, connection_id, state
"""

_SHARE = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:key, 0))")
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


class Waiting(NamedTuple):
    """An event to apply, and how often that has been tried."""

    event_id: str
    attempts: int
    body: bytes


class Settled(NamedTuple):
    """What became of an event. One that goes on waiting is due at `due_at`."""

    event_id: str
    state: EventState
    outcome: str
    due_at: datetime


async def connection_at(session: AsyncSession, world: World, token: str) -> Connection | None:
    """The connection whose own webhook address ends in `token`."""
    query = select(Connection).where(Connection.hook_digest == world.tokens.digest(token))
    return (await session.execute(query)).scalar_one_or_none()


async def connections_of(session: AsyncSession, external_account_id: str) -> Sequence[Connection]:
    """The connections whose events come to the platform's endpoint for connected accounts."""
    query = select(Connection).where(
        Connection.external_account_id == external_account_id, Connection.method.in_(_CONNECT)
    )
    return (await session.execute(query)).scalars().all()


async def receive(session: AsyncSession, events: Iterable[tuple[Envelope, Connection | None]], *, now: datetime) -> int:
    """Store each event that is not there yet, with the job that applies it; how many were new.

    An event of no connection, or that its connection must not apply, is kept with the reason and never applied.
    """
    rows = []
    for envelope, connection in events:
        if connection is None:
            reason = "no connection has this account" if envelope.account else "names no account"
        else:
            reason = reason_to_ignore(
                envelope,
                external_account_id=connection.external_account_id,
                livemode=connection.livemode,
                status=connection.status,
            )
        rows.append(
            (
                source_of(connection.id) if connection else _NO_CONNECTION,
                envelope.id,
                connection.account_id if connection else None,
                connection.id if connection else None,
                envelope.account or (connection.external_account_id if connection else ""),
                envelope.type,
                envelope.livemode,
                envelope.created,
                envelope.kept(),
                EventState.IGNORED if reason else EventState.WAITING,
                reason,
            )
        )
    if not rows:
        return 0
    driver = await driver_connection(session)
    stored = await driver.fetch(_INSERT, now, *zip(*rows, strict=True))
    waiting = {(row["account_id"], row["connection_id"]) for row in stored if row["state"] == EventState.WAITING}
    for account_id, connection_id in sorted(waiting):
        await enqueue_applying(session, account_id=account_id, connection_id=connection_id)
    return len(stored)


def _job_key(connection_id: UUID) -> str:
    return f"apply_webhook_events {connection_id}"


def source_of(connection_id: UUID) -> str:
    """The inbox of a connection, whatever way its events come."""
    return f"stripe/{connection_id}"


async def enqueue_applying(session: AsyncSession, *, account_id: UUID, connection_id: UUID) -> None:
    """One job for however many events wait; a job that is at work takes what comes in meanwhile, see
    :func:`leave_inbox`."""
    key = _job_key(connection_id)
    await session.execute(_SHARE, {"key": key})
    await enqueue(
        session,
        "apply_webhook_events",
        {"account_id": str(account_id), "connection_id": str(connection_id)},
        dedupe_key=key,
    )


async def leave_inbox(session: AsyncSession, *, account_id: UUID, connection_id: UUID, now: datetime) -> bool:
    """Whether the job that applies a connection's events may end: none is due, and whoever stores the next one adds
    a job again. Waits for those who are storing events just now and rely on this job."""
    key = _job_key(connection_id)
    await session.execute(_ALONE, {"key": key})
    if await waiting_events(session, account_id=account_id, connection_id=connection_id, now=now, limit=1):
        return False
    await release_key(session, key)
    return True


async def enqueue_due(session: AsyncSession, *, pool: str = COMMON, now: datetime) -> int:
    """A job for each connection of the pool's accounts with events that are due: those tried before, and those whose
    job was given up. How many."""
    due = (
        select(WebhookEvent.account_id, WebhookEvent.connection_id)
        .where(IS_WAITING, WebhookEvent.due_at <= now)
        .distinct()
    )
    ours = await served_by(session, pool)
    waiting = 0
    for account_id, connection_id in (await session.execute(due)).all():
        if account_id is None or connection_id is None:
            continue  # an event of no connection never waits
        if ours(account_id):
            await enqueue_applying(session, account_id=account_id, connection_id=connection_id)
            waiting += 1
    return waiting


async def waiting_events(
    session: AsyncSession, *, account_id: UUID, connection_id: UUID, now: datetime, limit: int
) -> list[Waiting]:
    """Events of a connection that are due, those that were never tried and the oldest first."""
    query = (
        select(WebhookEvent.event_id, WebhookEvent.attempts, WebhookEvent.body)
        .where(*_of(account_id, connection_id), IS_WAITING, WebhookEvent.due_at <= now)
        .order_by(WebhookEvent.due_at, WebhookEvent.received_at, WebhookEvent.event_id)
        .limit(limit)
    )
    return [Waiting._make(row) for row in await session.execute(query)]


async def settle(
    session: AsyncSession, *, account_id: UUID, connection_id: UUID, settled: Iterable[Settled], now: datetime
) -> None:
    """Write what became of waiting events; one that another worker has settled meanwhile stays as it is."""
    driver = await driver_connection(session)
    columns = zip(*settled, strict=True)
    await driver.execute(_SETTLE, account_id, source_of(connection_id), now, EventState.APPLIED, *columns)


async def delete_old_events(session: AsyncSession, *, now: datetime) -> None:
    """Remove what is done and older than :data:`RETENTION`; what waits or failed stays."""
    done = WebhookEvent.state.in_((EventState.APPLIED, EventState.IGNORED))
    await session.execute(delete(WebhookEvent).where(done, WebhookEvent.received_at <= now - RETENTION))


def _of(account_id: UUID, connection_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return WebhookEvent.account_id == account_id, WebhookEvent.connection_id == connection_id
