"""The one way by which what was read after the first pull is stored: events, rollups, the account's state and the
connection's marks, in one transaction. Whatever has to follow new figures begins here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.processors.account_state import AccountState
from payflux.monitor.processors.events import moment
from payflux.monitor.processors.live.rereading import Readings
from payflux.monitor.processors.models import Connection
from payflux.monitor.processors.news import ReadingReason, enqueue_reading, is_urgent
from payflux.monitor.processors.state_history import StateChange, record_state
from payflux.monitor.processors.store import apply_to_rollups, upsert_events


async def store_readings(
    session: AsyncSession, connection: Connection, readings: Readings, state: AccountState | None, *, now: datetime
) -> int:
    """Store `readings` and, where it was read, the account's `state`; how many events are new or not as they were.

    Where that changes anything and the first history is in, the workspace is read again.
    """
    changes = await upsert_events(session, connection, readings)
    await apply_to_rollups(session, connection, changes.removed, changes.added, now)
    moved = StateChange(False, False) if state is None else await record_state(session, connection, state)
    if len(changes.added):
        newest = moment(int(changes.added["at"].max()))
        await session.execute(
            update(Connection)
            .where(Connection.account_id == connection.account_id, Connection.id == connection.id)
            .values(
                last_event_at=func.greatest(Connection.last_event_at, newest),
                event_count=Connection.event_count + len(changes.added) - len(changes.removed),
            )
        )
    if connection.history_from is not None and (len(changes.added) or any(moved)):
        await enqueue_reading(
            session,
            account_id=connection.account_id,
            workspace_id=connection.workspace_id,
            reason=ReadingReason.EVENT,
            urgent=moved.account or is_urgent(changes.added),
        )
    return len(changes.added)
