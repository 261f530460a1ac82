"""Reads on the reading of older history."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.processors.backfill.rules import ALLOWANCE_PERIOD, INTERRUPTED
from payflux.monitor.processors.codes import Kind
from payflux.monitor.processors.models import Connection, HistoryPull, PullPurpose, PullWindow, StoredEvent


class BackfillProgress(msgspec.Struct, frozen=True):
    """How far the reading of older history has come: everything back to `read_back_to` is there, and it goes on to
    `goal`. `problem` is empty, or the failure that ended it before."""

    read_back_to: datetime
    goal: datetime
    finished_at: datetime | None
    problem: str
    objects: int

    @property
    def interrupted(self) -> bool:
        """Whether it ended by an error of ours, and is tried again."""
        return self.problem == INTERRUPTED


async def newest_backfill(session: AsyncSession, *, account_id: UUID, connection_id: UUID) -> HistoryPull | None:
    query = (
        select(HistoryPull)
        .where(
            HistoryPull.account_id == account_id,
            HistoryPull.connection_id == connection_id,
            HistoryPull.purpose == PullPurpose.BACKFILL,
        )
        .order_by(HistoryPull.started_at.desc(), HistoryPull.id.desc())
        .limit(1)
    )
    return (await session.execute(query)).scalar_one_or_none()


async def backfill_progress(session: AsyncSession, *, account_id: UUID, connection_id: UUID) -> BackfillProgress | None:
    """None where there is no older history to read, or the first 90 days are not read yet."""
    pull = await newest_backfill(session, account_id=account_id, connection_id=connection_id)
    connection = await session.get(Connection, (account_id, connection_id))
    if pull is None or connection is None or connection.history_from is None:
        return None
    objects = select(func.coalesce(func.sum(PullWindow.objects), 0)).where(
        PullWindow.account_id == account_id, PullWindow.pull_id == pull.id
    )
    return BackfillProgress(
        read_back_to=connection.history_from,
        goal=pull.from_at,
        finished_at=pull.finished_at,
        problem=pull.problem,
        objects=int((await session.execute(objects)).scalar_one()),
    )


async def reads_and_transactions(session: AsyncSession, connection: Connection, now: datetime) -> tuple[int, int]:
    """How many pages have been read from a connection lately, and how many payments succeeded there."""
    since = now - ALLOWANCE_PERIOD
    reads = (
        select(func.coalesce(func.sum(PullWindow.pages), 0))
        .join(
            HistoryPull,
            (HistoryPull.account_id == PullWindow.account_id) & (HistoryPull.id == PullWindow.pull_id),
        )
        .where(
            PullWindow.account_id == connection.account_id,
            HistoryPull.connection_id == connection.id,
            HistoryPull.started_at >= since,
        )
    )
    payments = select(func.count()).where(
        StoredEvent.account_id == connection.account_id,
        StoredEvent.workspace_id == connection.workspace_id,
        StoredEvent.connection_id == connection.id,
        StoredEvent.kind == Kind.CHARGE,
        StoredEvent.at >= int(since.timestamp()),
    )
    return int((await session.execute(reads)).scalar_one()), (await session.execute(payments)).scalar_one()
