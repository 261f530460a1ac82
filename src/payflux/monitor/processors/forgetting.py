"""Let payment events go that an account keeps no longer."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.database import Database
from payflux.monitor.processors.models import Connection, StoredEvent
from payflux.monitor.processors.store import lock_workspace

AT_ONCE = 10_000
"""Events of one transaction, so that nobody who writes events waits for long."""

_FORGET = text(
    "DELETE FROM payment_events WHERE ctid = ANY(ARRAY("
    "SELECT ctid FROM payment_events WHERE account_id = :account_id AND at < :before LIMIT :most)) RETURNING 1"
)


async def count_events_before(session: AsyncSession, *, account_id: UUID, before: datetime) -> int:
    """How many payment events of an account are dated before `before`."""
    old = (StoredEvent.account_id == account_id, StoredEvent.at < _second(before))
    return (await session.execute(select(func.count()).where(*old))).scalar_one()


async def forget_events_before(database: Database, *, account_id: UUID, before: datetime) -> int:
    """Delete an account's payment events dated before `before`, and say so of its connections; how many. No figure
    changes where `before` is as long ago as history is read back."""
    forgotten = 0
    while True:
        async with database.tenant(account_id) as session:
            workspaces = select(Connection.workspace_id).where(Connection.account_id == account_id).distinct()
            for workspace_id in sorted((await session.execute(workspaces)).scalars()):
                await lock_workspace(session, workspace_id)
            asked = {"account_id": account_id, "before": _second(before), "most": AT_ONCE}
            number = len((await session.execute(_FORGET, asked)).all())
            await session.execute(
                update(Connection)
                .where(Connection.account_id == account_id, Connection.history_from < before)
                .values(history_from=before)
            )
        forgotten += number
        if number < AT_ONCE:
            return forgotten


def _second(before: datetime) -> int:
    return int(before.timestamp())
