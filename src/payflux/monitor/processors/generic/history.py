"""What is stored of a connection that posts to us, taken as its history."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.ids import new_id
from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.events import moment
from payflux.monitor.processors.models import Connection, HistoryPull, StoredEvent
from payflux.monitor.processors.planning import HISTORY
from payflux.monitor.processors.store import renew_rollups

RECENT = timedelta(days=7)
"""What ends longer ago is judged as of the end of its last day: the days since are not known to be without sales."""


async def payments_stored(session: AsyncSession, connection: Connection, *, since: datetime | None = None) -> int:
    """How many payments that succeeded are stored of a connection, of those since an instant where one is given."""
    query = select(func.count()).where(
        StoredEvent.account_id == connection.account_id,
        StoredEvent.connection_id == connection.id,
        StoredEvent.kind == Kind.CHARGE,
        StoredEvent.status == Status.SUCCEEDED,
    )
    if since is not None:
        query = query.where(StoredEvent.at >= int(since.timestamp()))
    return int((await session.execute(query)).scalar_one())


async def take_stored_history(session: AsyncSession, connection: Connection, *, now: datetime) -> HistoryPull:
    """The stored events of a connection as a reading of its history that is finished; there must be some. Rollups are
    made anew, as after a pull: those of a connection that was taken up again lack what it had brought before."""
    query = select(func.count(), func.min(StoredEvent.at), func.max(StoredEvent.at)).where(
        StoredEvent.account_id == connection.account_id, StoredEvent.connection_id == connection.id
    )
    count, first, last = (await session.execute(query)).one()
    until = as_of(moment(last), now)
    connection.history_from = moment(first)
    pull = HistoryPull(
        account_id=connection.account_id,
        id=new_id(),
        workspace_id=connection.workspace_id,
        connection_id=connection.id,
        from_at=max(moment(first), until - HISTORY),
        to_at=until,
        started_at=now,
        finished_at=now,
        objects=count,
    )
    session.add(pull)
    await session.flush()
    await renew_rollups(session, account_id=connection.account_id, workspace_id=connection.workspace_id, now=now)
    return pull


def as_of(last: datetime, now: datetime) -> datetime:
    """The instant, in whole seconds, as of which a history is judged whose last event was at `last`."""
    if now - last <= RECENT:
        return moment(int(now.timestamp()))
    return last.replace(hour=23, minute=59, second=59, microsecond=0)
