"""Pulling a connection's history: planned as windows, read by as many workers as die on it, finished once.

A pull that dies at any point goes on from the stored cursors: pages that were read but not stored are read again, and
storing an event twice changes nothing.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.ids import new_id
from payflux.monitor.processors.account_state import AccountState
from payflux.monitor.processors.credentials import auth_of
from payflux.monitor.processors.events import moment
from payflux.monitor.processors.models import Connection, ConnectionStatus, HistoryPull, PullWindow, StoredEvent
from payflux.monitor.processors.queries import HISTORY, get_connection, get_pull, read_events
from payflux.monitor.processors.reading import Reading, window_row
from payflux.monitor.processors.resources import RESOURCES
from payflux.monitor.processors.store import replace_rollups
from payflux.monitor.processors.windows import Window, cut
from payflux.world.bootstrap import World
from payflux.world.stripe import Disconnected, KeyRefused, StripeGateway


async def start_pull(session: AsyncSession, connection: Connection, now: datetime, days: int = 90) -> HistoryPull:
    """Plan the reading of the last `days` days up to `now`, in whole seconds; nothing is read yet."""
    end = int(now.timestamp())
    pull = HistoryPull(
        account_id=connection.account_id,
        id=new_id(),
        workspace_id=connection.workspace_id,
        connection_id=connection.id,
        from_at=moment(end - days * 86_400),
        to_at=moment(end),
        started_at=now,
    )
    session.add(pull)
    await session.flush()
    for name, resource in RESOURCES.items():
        stretches = cut(end - max(days, resource.days) * 86_400, end, resource.windows)
        planned = [(kind, stretch) for kind in resource.types for stretch in stretches]
        session.add_all(
            window_row(pull, Window(resource=name, number=number, filter=kind, start=start, end=last))
            for number, (kind, (start, last)) in enumerate(planned)
        )
    await session.flush()
    return pull


async def run_pull(world: World, account_id: UUID, pull_id: UUID) -> None:
    """Read what the pull still lacks, then renew the account's state and the rollups. A finished pull does nothing.

    Raises KeyRefused or Disconnected, after which the connection is disconnected; PermissionMissing for an essential
    resource; ProcessorUnavailable; PullTakenOver when another worker reads the same pull; NotFound.
    """
    async with world.database.tenant(account_id) as session:
        pull = await get_pull(session, account_id=account_id, pull_id=pull_id)
        if pull.finished_at is not None:
            return
        connection = await get_connection(session, account_id=account_id, connection_id=pull.connection_id)
        rows = (await session.execute(select(PullWindow).where(*_windows_of(pull)))).scalars().all()
    try:
        reader = StripeGateway(world.settings, world.http).reader(await auth_of(world, connection))
        reading = Reading(world, reader, connection, pull, Counter(row.resource for row in rows))
        state = await reading.run(_window(row) for row in rows if not row.done)
    except (KeyRefused, Disconnected):
        async with world.database.tenant(account_id) as session:
            await session.execute(
                update(Connection)
                .where(Connection.account_id == account_id, Connection.id == connection.id)
                .values(status=ConnectionStatus.DISCONNECTED, disconnected_at=world.clock.now())
            )
        raise
    async with world.database.tenant(account_id) as session:
        await _finish(session, pull_id=pull_id, account_id=account_id, state=state, now=world.clock.now())


async def pull_progress(session: AsyncSession, pull_id: UUID) -> dict[str, int]:
    """How many objects of each resource have been stored so far."""
    query = (
        select(PullWindow.resource, func.sum(PullWindow.objects))
        .where(PullWindow.pull_id == pull_id)
        .group_by(PullWindow.resource)
    )
    counted = {resource: int(objects) for resource, objects in (await session.execute(query))}
    return {resource: counted[resource] for resource in RESOURCES if resource in counted}


async def _finish(
    session: AsyncSession, *, account_id: UUID, pull_id: UUID, state: AccountState, now: datetime
) -> None:
    pull = await get_pull(session, account_id=account_id, pull_id=pull_id, lock=True)
    if pull.finished_at is not None:
        return
    connection = await get_connection(session, account_id=account_id, connection_id=pull.connection_id)
    connection.snapshot = state.stored()
    counted = select(func.count(), func.max(StoredEvent.at)).where(
        StoredEvent.account_id == account_id, StoredEvent.connection_id == connection.id
    )
    connection.event_count, last = (await session.execute(counted)).one()
    connection.last_event_at = None if last is None else moment(last)
    events = await read_events(
        session,
        account_id=account_id,
        workspace_id=pull.workspace_id,
        since=pull.to_at - HISTORY,
        until=pull.to_at,
    )
    await replace_rollups(session, account_id=account_id, workspace_id=pull.workspace_id, events=events, now=now)
    objects = select(func.coalesce(func.sum(PullWindow.objects), 0)).where(*_windows_of(pull))
    pull.objects = int((await session.execute(objects)).scalar_one())
    pull.finished_at = now


def _windows_of(pull: HistoryPull) -> tuple[ColumnElement[bool], ...]:
    return PullWindow.account_id == pull.account_id, PullWindow.pull_id == pull.id


def _window(row: PullWindow) -> Window:
    return Window(
        resource=row.resource,
        number=row.number,
        filter=row.filter,
        start=int(row.from_at.timestamp()),
        end=int(row.to_at.timestamp()),
        cursor=row.cursor,
    )
