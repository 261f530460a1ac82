"""Read stored reserve projections and their scores."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.processors.models import Connection
from payflux.monitor.processors.news import ReadingReason
from payflux.monitor.processors.queries import HISTORY
from payflux.monitor.projections.models import ProjectionScoreRecord, ReserveProjectionRecord
from payflux.monitor.projections.projection import ReserveProjection
from payflux.monitor.projections.scorebook import Outcome, ProjectionScore, Scorebook
from payflux.monitor.risk.models import RiskSurfaceRecord
from payflux.monitor.risk.surface import RiskSurface

CHECK_AGAIN = timedelta(days=1)
"""How long a horizon that could not be scored is left alone."""


_READOUTS = (
    select(RiskSurfaceRecord.surface, ReserveProjectionRecord.projection)
    .join(
        RiskSurfaceRecord,
        (RiskSurfaceRecord.account_id == ReserveProjectionRecord.account_id)
        & (RiskSurfaceRecord.id == ReserveProjectionRecord.surface_id),
    )
    .order_by(ReserveProjectionRecord.as_of.desc(), ReserveProjectionRecord.id.desc())
)


class StoredReadout(NamedTuple):
    """A surface with the projection made from it, why they were made, and the hash of what they rest on to the day,
    empty where it was not taken."""

    reason: ReadingReason
    surface: RiskSurface
    projection: ReserveProjection
    basis_hash: str = ""


async def projection_of_pull(session: AsyncSession, *, account_id: UUID, pull_id: UUID) -> ReserveProjection | None:
    """What was said of the history that a pull brought, or None before that."""
    query = select(ReserveProjectionRecord.projection).where(
        ReserveProjectionRecord.account_id == account_id, ReserveProjectionRecord.pull_id == pull_id
    )
    stored = (await session.execute(query)).scalar_one_or_none()
    return None if stored is None else msgspec.convert(stored, ReserveProjection)


async def told_currency(session: AsyncSession, *, account_id: UUID) -> str:
    """The currency, in lower case, that amounts of money are told in: that of the newest projection, USD before it."""
    newest = await latest_readouts(session, account_id=account_id, limit=1)
    return newest[0][1].currency if newest else "usd"


async def newest_readout(session: AsyncSession, connection: Connection) -> StoredReadout | None:
    """What was last said of a connection, or None before its first readout."""
    return await readout_at(session, connection, None)


async def readout_at(session: AsyncSession, connection: Connection, at: datetime | None) -> StoredReadout | None:
    """What stood of a connection at `at`, None for now; None where nothing had been said by then."""
    query = (
        _READOUTS.add_columns(RiskSurfaceRecord.reason, RiskSurfaceRecord.basis_hash)
        .where(
            ReserveProjectionRecord.account_id == connection.account_id,
            ReserveProjectionRecord.workspace_id == connection.workspace_id,
            RiskSurfaceRecord.connection_id == connection.id,
            *([] if at is None else [ReserveProjectionRecord.as_of <= at]),
        )
        .limit(1)
    )
    said = (await session.execute(query)).one_or_none()
    if said is None:
        return None
    return StoredReadout(ReadingReason(said.reason), *_readout(said.surface, said.projection), said.basis_hash)


async def scored_of_day(
    session: AsyncSession, *, account_id: UUID, connection_id: UUID, horizon_days: int, ends: datetime
) -> tuple[int, ReserveProjection] | None:
    """The tier and the projection, of those of a connection whose horizon of `horizon_days` `ends` then, that were last
    said."""
    score, projection, surface = ProjectionScoreRecord, ReserveProjectionRecord, RiskSurfaceRecord
    query = (
        select(surface.risk_tier, projection.projection)
        .join(projection, (projection.account_id == surface.account_id) & (projection.surface_id == surface.id))
        .join(score, (score.account_id == projection.account_id) & (score.projection_id == projection.id))
        .where(
            surface.account_id == account_id,
            surface.connection_id == connection_id,
            score.horizon_days == horizon_days,
            score.due_at == ends,
        )
        .order_by(projection.as_of.desc(), projection.id.desc())
        .limit(1)
    )
    found = (await session.execute(query)).one_or_none()
    return None if found is None else (found[0], msgspec.convert(found[1], ReserveProjection))


async def latest_readouts(
    session: AsyncSession, *, account_id: UUID, limit: int
) -> list[tuple[RiskSurface, ReserveProjection]]:
    """The account's last `limit` readouts, the newest first."""
    query = _READOUTS.where(ReserveProjectionRecord.account_id == account_id).limit(limit)
    return [_readout(surface, projection) for surface, projection in await session.execute(query)]


async def count_projections(session: AsyncSession, *, account_id: UUID, since: datetime) -> int:
    """How many projections were made for the account at `since` or after."""
    query = select(func.count()).where(
        ReserveProjectionRecord.account_id == account_id, ReserveProjectionRecord.as_of >= since
    )
    return (await session.execute(query)).scalar_one()


async def due_projections(session: AsyncSession, *, now: datetime) -> list[tuple[UUID, UUID]]:
    """(account, projection) of every projection with a horizon to score at `now`, of all accounts: for the system role.

    A horizon that could not be scored comes back after a day, until its history is no longer read.
    """
    row = ProjectionScoreRecord
    query = (
        select(row.account_id, row.projection_id)
        .distinct()
        .where(
            row.scored_at.is_(None),
            row.due_at <= now,
            row.due_at > now - HISTORY,
            or_(row.checked_at.is_(None), row.checked_at <= now - CHECK_AGAIN),
        )
        .order_by(row.account_id, row.projection_id)
    )
    return [(account_id, projection_id) for account_id, projection_id in await session.execute(query)]


async def scores_of_workspace(
    session: AsyncSession, *, account_id: UUID, connection_id: UUID, now: datetime, limit: int = 12
) -> Scorebook:
    """How good the projections of a workspace's connection were: the last `limit` horizons that are over at `now`."""
    score, projection, surface = ProjectionScoreRecord, ReserveProjectionRecord, RiskSurfaceRecord
    of_connection = (
        select(score.projection_id, score.horizon_days)
        .join(projection, (projection.account_id == score.account_id) & (projection.id == score.projection_id))
        .join(surface, (surface.account_id == score.account_id) & (surface.id == projection.surface_id))
        .where(score.account_id == account_id, surface.connection_id == connection_id)
        # of the readings of one day, all of which end on the same day, the last
        .ext(distinct_on(score.due_at, score.horizon_days))
        .order_by(score.due_at.desc(), score.horizon_days, projection.as_of.desc(), projection.id.desc())
        .subquery()
    )
    told = (
        select(projection.as_of, score)
        .join(projection, (projection.account_id == score.account_id) & (projection.id == score.projection_id))
        .join(
            of_connection,
            (of_connection.c.projection_id == score.projection_id)
            & (of_connection.c.horizon_days == score.horizon_days),
        )
        .where(score.account_id == account_id)
    )
    due = told.where(score.due_at <= now).order_by(score.due_at.desc(), score.projection_id).limit(limit)
    coming = told.where(score.due_at > now).order_by(score.due_at, score.projection_id).limit(1)
    following = [_outcome(as_of, row) for as_of, row in await session.execute(coming)]
    return Scorebook(
        due=tuple(_outcome(as_of, row) for as_of, row in await session.execute(due)),
        next=following[0] if following else None,
    )


def _readout(surface: dict[str, object], projection: dict[str, object]) -> tuple[RiskSurface, ReserveProjection]:
    return msgspec.convert(surface, RiskSurface), msgspec.convert(projection, ReserveProjection)


def _outcome(as_of: datetime, row: ProjectionScoreRecord) -> Outcome:
    return Outcome(
        as_of=as_of,
        horizon_days=row.horizon_days,
        due_at=row.due_at,
        score=None if row.score is None else msgspec.convert(row.score, ProjectionScore),
        why_not=row.why_not,
    )
