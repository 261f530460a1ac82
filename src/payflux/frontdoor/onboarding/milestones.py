"""What an account has reached, recorded by whatever brought it there. The front door knows it by its name alone."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.onboarding.models import Milestone


async def record_milestone(session: AsyncSession, *, account_id: UUID, milestone: str, now: datetime) -> None:
    """Remember that the account has reached `milestone`, a name of at most 50 characters; the first time counts."""
    row = {"account_id": account_id, "milestone": milestone, "at": now}
    await session.execute(insert(Milestone).values(row).on_conflict_do_nothing())


async def milestones_of(session: AsyncSession, *, account_id: UUID) -> frozenset[str]:
    """Everything that the account has reached."""
    reached = select(Milestone.milestone).where(Milestone.account_id == account_id)
    return frozenset((await session.execute(reached)).scalars())
