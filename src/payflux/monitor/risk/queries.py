"""Read stored risk surfaces."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import DateTime, case, func, literal, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.processors.models import Connection
from payflux.monitor.risk.models import RiskSurfaceRecord
from payflux.monitor.risk.surface import Readout, RiskSurface

LOOK_BACK = timedelta(days=90)


class StoredSurface(NamedTuple):
    """A surface and the id under which it is kept."""

    id: UUID
    surface: RiskSurface


async def surface_of_pull(session: AsyncSession, *, account_id: UUID, pull_id: UUID) -> RiskSurface | None:
    """What was said of the history that a pull brought, or None before that."""
    stored = await stored_surface_of_pull(session, account_id=account_id, pull_id=pull_id)
    return stored.surface if stored else None


async def stored_surface_of_pull(session: AsyncSession, *, account_id: UUID, pull_id: UUID) -> StoredSurface | None:
    """The same with the id under which it is kept."""
    query = select(RiskSurfaceRecord.id, RiskSurfaceRecord.surface).where(
        RiskSurfaceRecord.account_id == account_id, RiskSurfaceRecord.pull_id == pull_id
    )
    stored = (await session.execute(query)).one_or_none()
    return None if stored is None else StoredSurface(stored.id, msgspec.convert(stored.surface, RiskSurface))


async def earlier_readouts(session: AsyncSession, connection: Connection, *, before: datetime) -> tuple[Readout, ...]:
    """What the readouts of a connection's last 90 days said, the oldest first: of each day back from `before` the last
    one, and of the day up to it the one that asked for the highest tier. Whoever looks back needs no more of them."""
    record = RiskSurfaceRecord
    age = func.floor(func.extract("epoch", literal(before, DateTime(timezone=True)) - record.as_of) / 86_400)
    said = (
        select(record.as_of, record.asked_tier, record.payout_delay_days, age.label("age"))
        .where(
            record.account_id == connection.account_id,
            record.workspace_id == connection.workspace_id,
            record.connection_id == connection.id,
            record.as_of < before,
            record.as_of > before - LOOK_BACK,
        )
        .subquery()
    )
    of_the_last_day = case((said.c.age == 0, said.c.asked_tier), else_=0)
    query = (
        select(said.c.as_of, said.c.asked_tier, said.c.payout_delay_days)
        .ext(distinct_on(said.c.age))
        .order_by(said.c.age, of_the_last_day.desc(), said.c.as_of.desc())
    )
    rows = (await session.execute(query)).all()
    return tuple(
        Readout(as_of=as_of, asked_tier=tier, payout_delay_days=delay) for as_of, tier, delay in reversed(rows)
    )
