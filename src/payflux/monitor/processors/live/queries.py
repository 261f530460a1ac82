"""Reads on what a connection has stored, for keeping it up to date."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.processors.backfill.rules import ALLOWANCE_PERIOD
from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.connecting.signing import reach_of
from payflux.monitor.processors.live.freshness import Freshness, Marks, freshness, freshness_of_posted
from payflux.monitor.processors.live.models import IS_WAITING, EventState, WebhookEvent
from payflux.monitor.processors.live.subjects import ObjectKey
from payflux.monitor.processors.models import Connection, ConnectionMethod, StoredEvent
from payflux.settings import Settings

UNSETTLED_FOR = timedelta(days=120)
"""Longer than that no event is expected to change: the window for disputes, in the networks' rules."""

_MOST_UNSETTLED = 1000

_UNSETTLED = {
    Kind.CHARGE: ("charge", (Status.PENDING,)),
    Kind.REFUND: ("refund", (Status.PENDING,)),
    Kind.DISPUTE: ("dispute", (Status.OPEN, Status.INQUIRY)),
    Kind.PAYOUT: ("payout", (Status.PENDING,)),
    Kind.EARLY_FRAUD_WARNING: ("radar.early_fraud_warning", (Status.ACTIONABLE,)),
    Kind.REVIEW: ("review", (Status.OPEN,)),
}
"""By kind, Stripe's word for the object and the statuses that are not the last one."""


async def unsettled_objects(session: AsyncSession, connection: Connection, now: datetime) -> dict[ObjectKey, int]:
    """The stored objects whose status is expected to change, with the instant each was created in unix seconds; of very
    many those read longest ago."""
    query = (
        select(StoredEvent.kind, StoredEvent.source_id, StoredEvent.at)
        .where(
            *_of(connection),
            StoredEvent.at >= int((now - UNSETTLED_FOR).timestamp()),
            or_(
                *(
                    and_(StoredEvent.kind == kind, StoredEvent.status.in_(statuses))
                    for kind, (_, statuses) in _UNSETTLED.items()
                )
            ),
        )
        .order_by(StoredEvent.read_at)
        .limit(_MOST_UNSETTLED)
    )
    return {(_UNSETTLED[Kind(kind)][0], source_id): at for kind, source_id, at in await session.execute(query)}


async def payments_lately(session: AsyncSession, connection: Connection, now: datetime) -> int:
    """How many payments of the last 30 days are stored: what Stripe's read allowance grows with."""
    since = int((now - ALLOWANCE_PERIOD).timestamp())
    query = select(func.count()).where(*_of(connection), StoredEvent.kind == Kind.CHARGE, StoredEvent.at >= since)
    return int((await session.execute(query)).scalar_one())


async def freshness_of(session: AsyncSession, settings: Settings, connection: Connection, now: datetime) -> Freshness:
    """How fresh what is stored of `connection` is."""
    if connection.method == ConnectionMethod.WEBHOOK:
        return freshness_of_posted(connection, now)
    mine = (WebhookEvent.account_id == connection.account_id, WebhookEvent.connection_id == connection.id)
    waiting = select(func.min(WebhookEvent.created_at)).where(*mine, IS_WAITING)
    applied = (
        select(WebhookEvent.created_at)
        .where(*mine, WebhookEvent.state == EventState.APPLIED)
        .order_by(WebhookEvent.received_at.desc())
        .limit(1)
    )
    oldest_waiting, newest_applied = (
        await session.execute(select(waiting.scalar_subquery(), applied.scalar_subquery()))
    ).one()
    marks = Marks(
        status=connection.status,
        disconnected_by=connection.disconnected_by,
        reach=reach_of(settings, connection),
        payments=await payments_lately(session, connection, now),
        synced_through=connection.synced_through,
        polled_through=connection.polled_through,
        oldest_waiting=oldest_waiting,
        newest_applied=newest_applied,
    )
    return freshness(marks, now)


async def latest_events(session: AsyncSession, connection: Connection, limit: int = 10) -> list[WebhookEvent]:
    """The events that came in last, the newest first."""
    mine = (WebhookEvent.account_id == connection.account_id, WebhookEvent.connection_id == connection.id)
    query = select(WebhookEvent).where(*mine).order_by(WebhookEvent.received_at.desc()).limit(limit)
    return list((await session.execute(query)).scalars())


def _of(connection: Connection) -> tuple[ColumnElement[bool], ...]:
    return (
        StoredEvent.account_id == connection.account_id,
        StoredEvent.workspace_id == connection.workspace_id,
        StoredEvent.connection_id == connection.id,
    )
