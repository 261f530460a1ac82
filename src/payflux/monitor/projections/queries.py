"""Read stored reserve projections."""

from __future__ import annotations

from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.projections.models import ReserveProjectionRecord
from payflux.monitor.projections.projection import ReserveProjection


async def newest_projection(session: AsyncSession, *, account_id: UUID, workspace_id: UUID) -> ReserveProjection | None:
    """The workspace's newest reserve projection, or None before the first."""
    stored = (
        await session.execute(
            select(ReserveProjectionRecord.projection)
            .where(
                ReserveProjectionRecord.account_id == account_id,
                ReserveProjectionRecord.workspace_id == workspace_id,
            )
            .order_by(ReserveProjectionRecord.as_of.desc())
            .limit(1)
        )
    ).scalar_one_or_none()
    return None if stored is None else msgspec.convert(stored, ReserveProjection)
