"""Read stored risk surfaces."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import Integer, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.processors.models import HistoryPull
from payflux.monitor.risk.models import RiskSurfaceRecord
from payflux.monitor.risk.surface import Readout, RiskSurface

LOOK_BACK = timedelta(days=90)


async def surface_of_pull(session: AsyncSession, *, account_id: UUID, pull_id: UUID) -> RiskSurface | None:
    """What was said of the history that a pull brought, or None before that."""
    query = select(RiskSurfaceRecord.surface).where(
        RiskSurfaceRecord.account_id == account_id, RiskSurfaceRecord.pull_id == pull_id
    )
    stored = (await session.execute(query)).scalar_one_or_none()
    return None if stored is None else msgspec.convert(stored, RiskSurface)


async def earlier_readouts(
    session: AsyncSession, *, account_id: UUID, connection_id: UUID, before: datetime
) -> tuple[Readout, ...]:
    """What the readouts of a connection's last 90 days said, the oldest first."""
    said = RiskSurfaceRecord.surface
    query = (
        select(RiskSurfaceRecord.as_of, said["asked_tier"].as_integer(), said["payout_delay_days"].astext.cast(Integer))
        .join(
            HistoryPull,
            (HistoryPull.account_id == RiskSurfaceRecord.account_id) & (HistoryPull.id == RiskSurfaceRecord.pull_id),
        )
        .where(
            RiskSurfaceRecord.account_id == account_id,
            HistoryPull.connection_id == connection_id,
            RiskSurfaceRecord.as_of < before,
            RiskSurfaceRecord.as_of > before - LOOK_BACK,
        )
        .order_by(RiskSurfaceRecord.as_of)
    )
    return tuple(
        Readout(as_of=as_of, asked_tier=tier or 0, payout_delay_days=delay)
        for as_of, tier, delay in await session.execute(query)
    )
