"""Read stored risk surfaces."""

from __future__ import annotations

from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.risk.models import RiskSurfaceRecord
from payflux.monitor.risk.surface import RiskSurface


async def newest_surface(session: AsyncSession, *, account_id: UUID, workspace_id: UUID) -> RiskSurface | None:
    """The workspace's newest risk surface, or None before the first scoring."""
    stored = (
        await session.execute(
            select(RiskSurfaceRecord.surface)
            .where(RiskSurfaceRecord.account_id == account_id, RiskSurfaceRecord.workspace_id == workspace_id)
            .order_by(RiskSurfaceRecord.as_of.desc())
            .limit(1)
        )
    ).scalar_one_or_none()
    return None if stored is None else msgspec.convert(stored, RiskSurface)
