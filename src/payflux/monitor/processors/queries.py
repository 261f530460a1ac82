"""Reads on connections, pulls and payment events."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

import msgspec
import numpy as np
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.database import driver_connection
from payflux.kit.errors import NotFound
from payflux.monitor.processors.account_state import stored_state
from payflux.monitor.processors.codes import Kind
from payflux.monitor.processors.copybinary import decode_copy
from payflux.monitor.processors.events import EVENT_DTYPE, sort_events
from payflux.monitor.processors.models import Connection, ConnectionMethod, ConnectionStatus, HistoryPull, StoredEvent
from payflux.monitor.processors.planning import HISTORY
from payflux.monitor.processors.snapshots import AccountSnapshot, BalanceSnapshot

_IS_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

# a connection of none is every connection of the workspace that has not been ended
_READ = f"""
    SELECT {", ".join(EVENT_DTYPE.names or ())} FROM payment_events
    WHERE account_id = $1 AND workspace_id = $2 AND at BETWEEN $3 AND $4
    AND (connection_id = $5 OR $5 IS NULL AND connection_id IN (
        SELECT id FROM processor_connections
        WHERE account_id = $1 AND workspace_id = $2 AND status <> 'disconnected'
    ))
"""  # noqa: S608 -- our own column names


class History(msgspec.Struct, frozen=True):
    """What is known as of one instant. `events` is an array of `EVENT_DTYPE` in canonical order; without
    `reads_declines`, attempts that were declined are missing."""

    events: np.ndarray
    as_of: datetime
    connection_id: UUID
    account: AccountSnapshot | None
    balance: BalanceSnapshot | None
    reads_declines: bool


async def get_connection(session: AsyncSession, *, account_id: UUID, connection_id: UUID) -> Connection:
    """Raises NotFound."""
    connection = await session.get(Connection, (account_id, connection_id))
    if connection is None:
        raise NotFound("This connection does not exist.", way_out="Go to Connection to see what is connected.")
    return connection


async def connection_named(
    session: AsyncSession, *, account_id: UUID, workspace_id: UUID, name: str
) -> Connection | None:
    """The connection of the workspace that `name` is the id of, ours or the processor's; None where there is none."""
    if not name.isprintable():
        return None
    ours = Connection.id == UUID(name) if _IS_UUID.fullmatch(name) else Connection.external_account_id == name
    query = (
        select(Connection)
        .where(Connection.account_id == account_id, Connection.workspace_id == workspace_id, ours)
        .order_by(Connection.connected_at.desc())
        .limit(1)
    )
    return (await session.execute(query)).scalar_one_or_none()


async def another_active(
    session: AsyncSession, *, account_id: UUID, workspace_id: UUID, but: UUID | None
) -> Connection | None:
    """A connection of the workspace that has not been ended, other than `but`; the newest where there are several."""
    query = (
        select(Connection)
        .where(
            Connection.account_id == account_id,
            Connection.workspace_id == workspace_id,
            Connection.status != ConnectionStatus.DISCONNECTED,
        )
        .order_by(Connection.connected_at.desc())
        .limit(1)
    )
    return (await session.execute(query if but is None else query.where(Connection.id != but))).scalar_one_or_none()


async def count_connected(session: AsyncSession, *, account_id: UUID) -> int:
    """How many connections of the account have not been ended."""
    query = select(func.count()).where(
        Connection.account_id == account_id, Connection.status != ConnectionStatus.DISCONNECTED
    )
    return (await session.execute(query)).scalar_one()


async def get_pull(session: AsyncSession, *, account_id: UUID, pull_id: UUID, lock: bool = False) -> HistoryPull:
    """Raises NotFound."""
    pull = await session.get(HistoryPull, (account_id, pull_id), with_for_update=lock or None)
    if pull is None:
        raise NotFound("This reading of history does not exist.")
    return pull


async def last_pulled_at(session: AsyncSession, *, account_id: UUID, connection_id: UUID) -> datetime | None:
    """Until when the history of a connection has been read whole."""
    query = select(func.max(HistoryPull.to_at)).where(
        HistoryPull.account_id == account_id,
        HistoryPull.connection_id == connection_id,
        HistoryPull.finished_at.is_not(None),
    )
    return (await session.execute(query)).scalar_one()


async def count_events(session: AsyncSession, *, account_id: UUID, connection_id: UUID) -> dict[Kind, int]:
    """How many events of each kind a connection has brought."""
    query = (
        select(StoredEvent.kind, func.count())
        .where(StoredEvent.account_id == account_id, StoredEvent.connection_id == connection_id)
        .group_by(StoredEvent.kind)
    )
    return {Kind(kind): count for kind, count in (await session.execute(query))}


async def holds_seen(session: AsyncSession, connection: Connection) -> bool:
    """Whether what the processor puts aside would be seen: a processor that posts to us may leave it out."""
    if connection.method != ConnectionMethod.WEBHOOK:
        return connection.capabilities.get("balance_transactions") != "forbidden"
    query = select(StoredEvent.kind).where(
        StoredEvent.account_id == connection.account_id,
        StoredEvent.connection_id == connection.id,
        StoredEvent.kind.in_((Kind.RESERVE_HOLD, Kind.RESERVE_RELEASE)),
    )
    return (await session.execute(query.limit(1))).first() is not None


def reads_declines(connection: Connection) -> bool:
    """Whether declined attempts are read; an account that is too large for lists is read from reports without them."""
    return connection.capabilities.get("declines") != "unknown"


async def read_events(
    session: AsyncSession,
    *,
    account_id: UUID,
    workspace_id: UUID,
    since: datetime,
    until: datetime,
    connection_id: UUID | None = None,
) -> np.ndarray:
    """The events of a workspace from `since` to `until`, both included, as an array of `EVENT_DTYPE` in canonical
    order; those of one connection, or of all that have not been ended."""
    data = bytearray()

    async def collect(chunk: bytes) -> None:
        data.extend(chunk)

    connection = await driver_connection(session)
    await connection.copy_from_query(
        _READ,
        account_id,
        workspace_id,
        int(since.timestamp()),
        int(until.timestamp()),
        connection_id,
        output=collect,
        format="binary",
    )
    return sort_events(decode_copy(bytes(data)))


async def history_of_pull(session: AsyncSession, *, account_id: UUID, pull_id: UUID) -> History:
    """What a pull's connection knows as of the instant the pull was taken. Raises NotFound."""
    pull = await get_pull(session, account_id=account_id, pull_id=pull_id)
    connection = await get_connection(session, account_id=account_id, connection_id=pull.connection_id)
    return await history_at(session, connection, as_of=pull.to_at)


async def history_at(session: AsyncSession, connection: Connection, *, as_of: datetime) -> History:
    """What is stored of a connection as of an instant: its events up to then, and its state as it was last read."""
    events = await read_events(
        session,
        account_id=connection.account_id,
        workspace_id=connection.workspace_id,
        connection_id=connection.id,
        since=as_of - HISTORY,
        until=as_of,
    )
    state = stored_state(connection.snapshot)
    return History(events, as_of, connection.id, state.account, state.balance, reads_declines(connection))
