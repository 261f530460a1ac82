"""Score a workspace and keep what was said."""

from __future__ import annotations

from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.ids import new_id
from payflux.monitor.processors.models import Connection
from payflux.monitor.processors.news import ReadingReason
from payflux.monitor.processors.queries import get_connection, history_of_pull
from payflux.monitor.risk.models import RiskSurfaceRecord
from payflux.monitor.risk.queries import earlier_readouts
from payflux.monitor.risk.rules import basis_hash, prepare, score
from payflux.monitor.risk.surface import RiskSurface


async def score_workspace(session: AsyncSession, *, account_id: UUID, workspace_id: UUID, pull_id: UUID) -> RiskSurface:
    """Score the history that a pull brought, as of the instant it was taken, and store the surface."""
    known = await history_of_pull(session, account_id=account_id, pull_id=pull_id)
    connection = await get_connection(session, account_id=account_id, connection_id=known.connection_id)
    history = prepare(
        known.events,
        as_of=known.as_of,
        account=known.account,
        balance=known.balance,
        earlier=await earlier_readouts(session, connection, before=known.as_of),
        reads_declines=known.reads_declines,
    )
    surface = score(history)
    await store_surface(session, connection, surface, basis_hash(history), reason=ReadingReason.FIRST, pull_id=pull_id)
    return surface


async def store_surface(
    session: AsyncSession,
    connection: Connection,
    surface: RiskSurface,
    basis: str,
    *,
    reason: ReadingReason,
    pull_id: UUID | None = None,
) -> UUID:
    """Keep a surface of what `connection` knows; its id."""
    record = RiskSurfaceRecord(
        account_id=connection.account_id,
        id=new_id(),
        workspace_id=connection.workspace_id,
        connection_id=connection.id,
        pull_id=pull_id,
        reason=reason,
        as_of=surface.as_of,
        risk_tier=surface.risk_tier,
        asked_tier=surface.asked_tier,
        payout_delay_days=surface.payout_delay_days,
        stability_score=surface.stability_score,
        model_version=surface.model_version,
        inputs_hash=surface.inputs_hash,
        basis_hash=basis,
        surface=msgspec.to_builtins(surface),
    )
    session.add(record)
    await session.flush()
    return record.id
