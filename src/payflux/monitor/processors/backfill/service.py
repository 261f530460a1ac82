"""Planning the reading of older history."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.jobs import enqueue, is_pending
from payflux.monitor.processors.backfill.queries import newest_backfill
from payflux.monitor.processors.backfill.rules import INTERRUPTED
from payflux.monitor.processors.models import Connection, HistoryPull, PullPurpose, PullWindow
from payflux.monitor.processors.planning import HISTORY, REPORT
from payflux.monitor.processors.pull import start_pull
from payflux.monitor.processors.queries import get_pull

log = structlog.get_logger(__name__)

_HEAD_START = timedelta(seconds=2)
"""What the first projection has of the processor and of this machine for itself."""


async def start_backfill(
    session: AsyncSession, connection: Connection, first: HistoryPull, now: datetime
) -> HistoryPull | None:
    """Have everything read that is older than the pull `first`, back to 13 months before its end. None when it is
    there already."""
    since = first.to_at - HISTORY
    until = (connection.history_from or first.from_at) - timedelta(seconds=1)
    if until <= since:
        return None
    reports = select(PullWindow.number).where(
        PullWindow.account_id == first.account_id, PullWindow.pull_id == first.id, PullWindow.resource == REPORT
    )
    reported = (await session.execute(reports.limit(1))).scalar_one_or_none() is not None
    pull = await start_pull(
        session, connection, now, since=since, until=until, purpose=PullPurpose.BACKFILL, reported=reported
    )
    await enqueue_slice(session, pull, 1, delay=_HEAD_START)
    return pull


async def interrupted(session: AsyncSession, *, account_id: UUID, pull_id: UUID) -> None:
    """The job that reads `pull_id` on has been given up. What Stripe refused stays the problem."""
    pull = await get_pull(session, account_id=account_id, pull_id=pull_id, lock=True)
    if pull.finished_at is None and not pull.problem:
        pull.problem = INTERRUPTED
        log.error("older history is not read on until the next catch-up", pull_id=str(pull_id))


async def resume_backfill(session: AsyncSession, connection: Connection) -> None:
    """Have older history of `connection` read on whose job was given up, or lost."""
    pull = await newest_backfill(session, account_id=connection.account_id, connection_id=connection.id)
    if pull is None or pull.finished_at is not None or pull.problem not in ("", INTERRUPTED):
        return
    if not await is_pending(session, "backfill_history", {"pull_id": str(pull.id)}):
        log.info("older history is read on", pull_id=str(pull.id))
        await enqueue_slice(session, pull, 1)


async def enqueue_slice(
    session: AsyncSession, pull: HistoryPull, number: int, *, delay: timedelta | None = None
) -> None:
    """Enqueue the job that reads the next stretch of `pull`; each slice is a job of its own."""
    payload = {
        "account_id": str(pull.account_id),
        "workspace_id": str(pull.workspace_id),
        "pull_id": str(pull.id),
        "slice": str(number),
    }
    key = f"backfill_history:{pull.id}:{number}"
    await enqueue(session, "backfill_history", payload, dedupe_key=key, delay=delay)
