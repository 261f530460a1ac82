"""What the readings of a connection have said over time, without what each said in full."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.processors.models import Connection
from payflux.monitor.processors.news import ReadingReason
from payflux.monitor.projections.models import ReserveProjectionRecord
from payflux.monitor.projections.projection import ProjectedWindow
from payflux.monitor.risk.models import RiskSurfaceRecord
from payflux.monitor.risk.surface import BANDS, Band

_SECOND = timedelta(seconds=1)


class ReadingPoint(NamedTuple):
    """One reading; amounts of `windows` are minor units of `currency`."""

    as_of: datetime
    reason: ReadingReason
    risk_tier: int
    stability_score: int
    currency: str
    windows: tuple[ProjectedWindow, ...]

    @property
    def band(self) -> Band:
        return BANDS[self.risk_tier]

    def window(self, horizon_days: int) -> ProjectedWindow:
        """What the reading said of that horizon, which every projection has: see STANDARD_HORIZONS."""
        return next(one for one in self.windows if one.horizon_days == horizon_days)


async def newest_points(session: AsyncSession, connection: Connection, *, limit: int) -> list[ReadingPoint]:
    """The last `limit` readings, the newest first."""
    query = _points(connection).order_by(RiskSurfaceRecord.as_of.desc(), RiskSurfaceRecord.id.desc())
    return [_point(*row) for row in await session.execute(query.limit(limit))]


class PlacedPoint(NamedTuple):
    """A reading with the id that, after its instant, places it among the others."""

    id: UUID
    point: ReadingPoint


async def points_before(
    session: AsyncSession, connection: Connection, *, before: Sequence[object] | None, limit: int
) -> list[PlacedPoint]:
    """The last `limit` readings before the place (instant, id), or of all, the newest first."""
    surface = RiskSurfaceRecord
    query = _points(connection).add_columns(surface.id).order_by(surface.as_of.desc(), surface.id.desc())
    if before is not None:
        query = query.where(tuple_(surface.as_of, surface.id) < tuple_(*before))
    return [PlacedPoint(row[-1], _point(*row[:-1])) for row in await session.execute(query.limit(limit))]


async def points_over_time(
    session: AsyncSession, connection: Connection, *, since: datetime, at_most: int
) -> list[ReadingPoint]:
    """The readings after `since`, the oldest first; of more than `at_most` the last one of each equal stretch."""
    surface = RiskSurfaceRecord
    ends = select(func.min(surface.as_of), func.max(surface.as_of)).where(*_of(connection), surface.as_of > since)
    first, last = (await session.execute(ends)).one()
    if first is None:
        return []
    stretch = max((last - first) / max(1, at_most - 1), _SECOND).total_seconds()
    # counted back from the newest one, so that it is shown itself
    place = func.floor(func.extract("epoch", last - surface.as_of) / stretch)
    placed = (
        select(surface.id, surface.as_of, place.label("place"))
        .where(*_of(connection), surface.as_of > since)
        .subquery()
    )
    shown = (
        select(placed.c.id)
        .ext(distinct_on(placed.c.place))
        .order_by(placed.c.place, placed.c.as_of.desc(), placed.c.id.desc())
    )
    query = _points(connection).where(surface.id.in_(shown)).order_by(surface.as_of, surface.id)
    return [_point(*row) for row in await session.execute(query)]


def _points(connection: Connection) -> Select[datetime, str, int, int, str, Any]:
    surface, projection = RiskSurfaceRecord, ReserveProjectionRecord
    return (
        select(
            surface.as_of,
            surface.reason,
            surface.risk_tier,
            surface.stability_score,
            projection.currency,
            projection.projection["windows"].label("windows"),
        )
        .join(projection, (projection.account_id == surface.account_id) & (projection.surface_id == surface.id))
        .where(*_of(connection))
    )


def _of(connection: Connection) -> tuple[Any, ...]:
    surface = RiskSurfaceRecord
    return (
        surface.account_id == connection.account_id,
        surface.workspace_id == connection.workspace_id,
        surface.connection_id == connection.id,
    )


def _point(as_of: datetime, reason: str, tier: int, stability: int, currency: str, windows: object) -> ReadingPoint:
    said = msgspec.convert(windows, tuple[ProjectedWindow, ...])
    return ReadingPoint(as_of, ReadingReason(reason), tier, stability, currency, said)
