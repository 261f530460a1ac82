"""Reads on leads, as the system role."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.sales.models import SalesLead, SalesLeadChange

SHOWN = 200
"""Leads on one page, the newest first."""


async def get_lead(session: AsyncSession, lead_id: UUID) -> SalesLead | None:
    return await session.get(SalesLead, lead_id)


async def newest_leads(session: AsyncSession, *, status: str = "") -> list[SalesLead]:
    """The newest :data:`SHOWN` leads, of one status where it is named."""
    query = select(SalesLead).order_by(SalesLead.created_at.desc(), SalesLead.id).limit(SHOWN)
    if status:
        query = query.where(SalesLead.status == status)
    return list((await session.execute(query)).scalars())


async def leads_by_status(session: AsyncSession) -> dict[str, int]:
    """How many leads have each status that any has."""
    counted = select(SalesLead.status, func.count()).group_by(SalesLead.status)
    return {row[0]: row[1] for row in await session.execute(counted)}


async def changes_of(session: AsyncSession, lead_ids: list[UUID]) -> dict[UUID, list[SalesLeadChange]]:
    """What the staff did with each of these leads, the first change first."""
    query = select(SalesLeadChange).where(SalesLeadChange.lead_id.in_(lead_ids)).order_by(SalesLeadChange.at)
    changes: dict[UUID, list[SalesLeadChange]] = {}
    for change in (await session.execute(query)).scalars():
        changes.setdefault(change.lead_id, []).append(change)
    return changes
