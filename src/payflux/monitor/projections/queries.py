"""Read stored reserve projections."""

from __future__ import annotations

from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.projections.models import ReserveProjectionRecord
from payflux.monitor.projections.projection import ReserveProjection


async def projection_of_pull(session: AsyncSession, *, account_id: UUID, pull_id: UUID) -> ReserveProjection | None:
    """What was said of the history that a pull brought, or None before that."""
    query = select(ReserveProjectionRecord.projection).where(
        ReserveProjectionRecord.account_id == account_id, ReserveProjectionRecord.pull_id == pull_id
    )
    stored = (await session.execute(query)).scalar_one_or_none()
    return None if stored is None else msgspec.convert(stored, ReserveProjection)
