"""Catching up: reading again, now and then, what may have changed without anybody telling us."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.jobs import Payload, enqueue
from payflux.monitor.processors.account_state import AccountState, read_state
from payflux.monitor.processors.backfill.rules import BACKGROUND
from payflux.monitor.processors.backfill.service import resume_backfill
from payflux.monitor.processors.credentials import auth_of
from payflux.monitor.processors.live.ending import ended_by
from payflux.monitor.processors.live.queries import payments_lately, unsettled_objects
from payflux.monitor.processors.live.rereading import Readings, read_lists, reread
from payflux.monitor.processors.live.storing import store_readings
from payflux.monitor.processors.live.subjects import ObjectKey
from payflux.monitor.processors.live.timing import catch_up_every, is_due, recent
from payflux.monitor.processors.models import Connection, ConnectionStatus, HistoryPull, PullPurpose
from payflux.monitor.processors.pull import run_pull, start_pull
from payflux.monitor.processors.queries import get_connection
from payflux.monitor.processors.reading import PullTakenOver
from payflux.monitor.processors.reconciling.service import enqueue_reconciliation
from payflux.monitor.processors.resources import RESOURCES
from payflux.world.bootstrap import World
from payflux.world.stripe import ProcessorUnavailable, StripeFailure, StripeGateway

RECENT_PAYOUTS = timedelta(days=10)
"""A payout that was paid may still come back from the bank (docs.stripe.com/payouts, failed payouts)."""

LONGEST_LIST = timedelta(days=1)
"""After a longer silence the stretch is pulled like history, which resumes wherever it stops."""

log = structlog.get_logger(__name__)


async def catch_up(world: World, payload: Payload) -> None:
    """Job: read again what was created lately and what is not settled, and the account's state, if it is time to.
    Everything created before is stored then. Where Stripe does not answer, the next time reads further back."""
    account_id, connection_id = UUID(payload["account_id"]), UUID(payload["connection_id"])
    now = world.clock.now()
    async with world.database.tenant(account_id) as session:
        connection = await get_connection(session, account_id=account_id, connection_id=connection_id)
        if not may_catch_up(connection):
            return
        await resume_backfill(session, connection)
        payments = await payments_lately(session, connection, now)
        if not is_due(connection.synced_through, catch_up_every(payments), now):
            return
        if connection.synced_through is not None and now - connection.synced_through > LONGEST_LIST:
            await _pull_gap(session, connection, connection.synced_through, now)
            return
        unsettled = await unsettled_objects(session, connection, now)
    try:
        readings, state = await _read(world, connection, unsettled, now - recent(payments), now)
    except StripeFailure as failure:
        if not await ended_by(world, connection, failure):
            log.warning("not caught up", connection_id=str(connection_id), failure=str(failure))
        return
    async with world.database.tenant(account_id) as session:
        changed = await store_readings(session, connection, readings, state, now=world.clock.now())
        await session.execute(
            update(Connection)
            .where(Connection.account_id == account_id, Connection.id == connection_id)
            .values(synced_through=func.greatest(Connection.synced_through, now))
        )
        await enqueue_reconciliation(session, connection)
    log.info("caught up", connection_id=str(connection_id), read=len(readings), changed=changed)


def may_catch_up(connection: Connection) -> bool:
    """Whether a connection's first pull is done, and it has not ended."""
    return connection.status != ConnectionStatus.DISCONNECTED and connection.synced_through is not None


async def read_gap(world: World, payload: Payload) -> None:
    """Job: read on in the pull of a gap, a slice at a time."""
    account_id, pull_id = UUID(payload["account_id"]), UUID(payload["pull_id"])
    try:
        if await run_pull(world, account_id, pull_id, BACKGROUND):
            return
    except PullTakenOver:
        return
    except ProcessorUnavailable as failure:
        log.warning("gap not read on", pull_id=str(pull_id), failure=str(failure))
        return
    async with world.database.tenant(account_id) as session:
        await enqueue(session, "read_gap", payload)


async def _pull_gap(session: AsyncSession, connection: Connection, since: datetime, now: datetime) -> None:
    """Have the stretch since the last sync pulled, by the pull that is already at it where there is one."""
    unfinished = (
        select(HistoryPull)
        .where(
            HistoryPull.account_id == connection.account_id,
            HistoryPull.connection_id == connection.id,
            HistoryPull.purpose == PullPurpose.GAP,
            HistoryPull.finished_at.is_(None),
            HistoryPull.from_at <= since,
        )
        .order_by(HistoryPull.started_at.desc())
        .limit(1)
    )
    pull = (await session.execute(unfinished)).scalar_one_or_none()
    if pull is None:
        pull = await start_pull(session, connection, now, since=since, until=now, purpose=PullPurpose.GAP)
    payload = {"account_id": str(connection.account_id), "pull_id": str(pull.id)}
    await enqueue(session, "read_gap", payload, dedupe_key=f"read_gap {connection.id}")


async def _read(
    world: World, connection: Connection, unsettled: dict[ObjectKey, int], since: datetime, now: datetime
) -> tuple[Readings, AccountState]:
    """Raises StripeFailure."""
    reader = StripeGateway(world.settings, world.http).reader(await auth_of(world, connection))
    state = await read_state(reader, now=world.clock.now(), livemode=connection.livemode)
    since = min(connection.synced_through or now, since)
    stretches = dict.fromkeys(RESOURCES, since) | {"payouts": min(since, now - RECENT_PAYOUTS)}
    lists = await read_lists(reader, world.clock, stretches, now)
    seen = {event.source_id for event, _ in lists}
    left = {key: created for key, created in unsettled.items() if key[1] not in seen}
    again = await reread(reader, world.clock, left)
    return [*lists, *again.readings], state
