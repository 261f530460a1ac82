"""Read stored risk surfaces."""

from __future__ import annotations

from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.risk.models import RiskSurfaceRecord
from payflux.monitor.risk.surface import RiskSurface


async def surface_of_pull(session: AsyncSession, *, account_id: UUID, pull_id: UUID) -> RiskSurface | None:
    """What was said of the history that a pull brought, or None before that."""
    query = select(RiskSurfaceRecord.surface).where(
        RiskSurfaceRecord.account_id == account_id, RiskSurfaceRecord.pull_id == pull_id
    )
    stored = (await session.execute(query)).scalar_one_or_none()
    return None if stored is None else msgspec.convert(stored, RiskSurface)
