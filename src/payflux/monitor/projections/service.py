"""Project a workspace's reserves, keep what was said, and score it when its horizons are over."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.errors import Conflict
from payflux.kit.ids import new_id
from payflux.monitor.ledger.artifacts import Draft
from payflux.monitor.ledger.recording import record_artifacts
from payflux.monitor.processors.account_state import stored_state
from payflux.monitor.processors.models import Connection, ConnectionStatus, HistoryPull
from payflux.monitor.processors.queries import (
    HISTORY,
    get_connection,
    history_of_pull,
    holds_seen,
    read_events,
    reads_declines,
)
from payflux.monitor.projections.evidence import score_draft
from payflux.monitor.projections.models import ProjectionScoreRecord, ReserveProjectionRecord
from payflux.monitor.projections.projection import ReserveProjection
from payflux.monitor.projections.queries import scored_of_day
from payflux.monitor.projections.rules import project
from payflux.monitor.projections.rules.pacing import is_scored_too
from payflux.monitor.projections.rules.scoring import INSTANT, due_at, score_projection, unread_from
from payflux.monitor.projections.terms import settings_of
from payflux.monitor.risk.models import RiskSurfaceRecord
from payflux.monitor.risk.queries import stored_surface_of_pull
from payflux.monitor.risk.rules import History, prepare
from payflux.world.bootstrap import World

SNAPSHOT_LIFETIME = timedelta(days=7)
"""How late the account's state and balance may have been read to speak for the end of a horizon."""


async def project_workspace(
    session: AsyncSession, *, account_id: UUID, workspace_id: UUID, pull_id: UUID
) -> ReserveProjection:
    """Project from the history that a pull brought and the risk surface scored from it, and store the projection with
    the horizons that it will be scored at.

    Raises Conflict when the workspace has not been scored yet.
    """
    stored = await stored_surface_of_pull(session, account_id=account_id, pull_id=pull_id)
    if stored is None:
        raise Conflict("There is no risk surface to project from yet.")
    known = await history_of_pull(session, account_id=account_id, pull_id=pull_id)
    projection = project(
        prepare(
            known.events,
            as_of=known.as_of,
            account=known.account,
            balance=known.balance,
            reads_declines=known.reads_declines,
        ),
        stored.surface,
        await settings_of(session, account_id=account_id, workspace_id=workspace_id),
    )
    await store_projection(
        session, projection, account_id=account_id, workspace_id=workspace_id, surface_id=stored.id, pull_id=pull_id
    )
    return projection


async def store_projection(
    session: AsyncSession,
    projection: ReserveProjection,
    *,
    account_id: UUID,
    workspace_id: UUID,
    surface_id: UUID,
    pull_id: UUID | None = None,
) -> None:
    """Keep a projection made from the surface `surface_id`, with the horizons that it will be scored at; of one day's
    readings only of those that say something else."""
    record = ReserveProjectionRecord(
        account_id=account_id,
        id=new_id(),
        workspace_id=workspace_id,
        surface_id=surface_id,
        pull_id=pull_id,
        as_of=projection.as_of,
        currency=projection.currency,
        model_version=projection.model_version,
        inputs_hash=projection.inputs_hash,
        projection=msgspec.to_builtins(projection),
    )
    session.add(record)
    await session.flush()
    surface = await session.get_one(RiskSurfaceRecord, (account_id, surface_id))
    first = projection.windows[0].horizon_days
    earlier = await scored_of_day(
        session,
        account_id=account_id,
        connection_id=surface.connection_id,
        horizon_days=first,
        ends=due_at(projection.as_of, first),
    )
    tier, scored = earlier or (surface.risk_tier, None)
    if not is_scored_too(projection, scored, same_tier=tier == surface.risk_tier):
        return
    session.add_all(
        ProjectionScoreRecord(
            account_id=account_id,
            projection_id=record.id,
            horizon_days=window.horizon_days,
            due_at=due_at(projection.as_of, window.horizon_days),
        )
        for window in projection.windows
    )
    await session.flush()


async def score_due_projections(
    world: World, session: AsyncSession, *, account_id: UUID, projection_id: UUID, now: datetime
) -> int:
    """Score those horizons of a projection that are over at `now` and not scored, and record each score in the ledger;
    returns how many were scored.

    Where the stored history does not reach to the end of a horizon, its row says why. A horizon that another worker is
    at is left to it.
    """
    record = await session.get(ReserveProjectionRecord, (account_id, projection_id))
    if record is None:
        return 0
    waiting = (
        select(ProjectionScoreRecord)
        .where(
            ProjectionScoreRecord.account_id == account_id,
            ProjectionScoreRecord.projection_id == projection_id,
            ProjectionScoreRecord.scored_at.is_(None),
            ProjectionScoreRecord.due_at <= now,
        )
        .order_by(ProjectionScoreRecord.horizon_days)
        .with_for_update(skip_locked=True)
    )
    rows = (await session.execute(waiting)).scalars().all()
    surface = await session.get_one(RiskSurfaceRecord, (account_id, record.surface_id))
    connection = await get_connection(session, account_id=account_id, connection_id=surface.connection_id)
    projection = msgspec.convert(record.projection, ReserveProjection)
    scored: list[Draft] = []
    for row in rows:
        row.checked_at = now
        row.why_not = await _why_not(session, connection, record.as_of, row.due_at)
        if row.why_not is None:
            history = await _history_until(session, connection, row.due_at)
            score = score_projection(
                projection,
                row.horizon_days,
                history,
                tier_said=surface.risk_tier,
                holds_seen=await holds_seen(session, connection),
            )
            row.score, row.scored_at = msgspec.to_builtins(score), now
            scored.append(score_draft(score, projection, horizon_days=row.horizon_days, due_at=row.due_at))
    await session.flush()
    await record_artifacts(world, session, account_id=account_id, workspace_id=record.workspace_id, drafts=scored)
    return len(scored)


async def _why_not(session: AsyncSession, connection: Connection, start: datetime, end: datetime) -> str | None:
    """Why what happened from `start` to `end` is not known; None when all of it has been read."""
    pulls = select(HistoryPull.from_at, HistoryPull.to_at).where(
        HistoryPull.account_id == connection.account_id,
        HistoryPull.connection_id == connection.id,
        HistoryPull.finished_at.is_not(None),
    )
    stretches = [(first, last) for first, last in await session.execute(pulls)]
    if connection.history_from is not None and connection.synced_through is not None:
        stretches.append((connection.history_from, connection.synced_through))
    unread = unread_from(stretches, start, end)
    if unread is None:
        return None
    if connection.status == ConnectionStatus.DISCONNECTED:
        return f"The connection ended; its history is known until {unread:%-d %b %Y}."
    return f"The history is known without a gap until {unread:%-d %b %Y} only."


async def _history_until(session: AsyncSession, connection: Connection, end: datetime) -> History:
    """What the connection knows as of the last second before `end`."""
    as_of = end - INSTANT
    events = await read_events(
        session,
        account_id=connection.account_id,
        workspace_id=connection.workspace_id,
        connection_id=connection.id,
        since=as_of - HISTORY,
        until=as_of,
    )
    state = stored_state(connection.snapshot)
    account, balance = state.account, state.balance
    return prepare(
        events,
        as_of=as_of,
        account=account if account and account.taken_at - end <= SNAPSHOT_LIFETIME else None,
        balance=balance if balance and balance.taken_at - end <= SNAPSHOT_LIFETIME else None,
        reads_declines=reads_declines(connection),
    )
