"""Let bodies go whose time is over. Their hashes, statements and signatures stay, so that the chain still verifies."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.ledger.models import LedgerArtifact, LedgerHead


async def expire_bodies(session: AsyncSession, *, account_id: UUID, before: datetime, now: datetime) -> int:
    """Drop the bodies of an account's artifacts recorded before `before`; how many. Takes the system's role."""
    old = update(LedgerArtifact).where(
        LedgerArtifact.account_id == account_id,
        LedgerArtifact.recorded_at < before,
        LedgerArtifact.body.is_not(None),
    )
    done = await session.execute(old.values(body=None, body_expired_at=now).returning(LedgerArtifact.sequence))
    return len(done.all())


async def count_bodies(session: AsyncSession, *, account_id: UUID, before: datetime) -> int:
    """How many artifacts of an account recorded before `before` still have their body."""
    old = (
        LedgerArtifact.account_id == account_id,
        LedgerArtifact.recorded_at < before,
        LedgerArtifact.body.is_not(None),
    )
    return (await session.execute(select(func.count()).where(*old))).scalar_one()


async def accounts_with_ledgers(session: AsyncSession) -> list[UUID]:
    """Every account that has a ledger: for the system's role."""
    query = select(LedgerHead.account_id).distinct().order_by(LedgerHead.account_id)
    return list((await session.execute(query)).scalars())
