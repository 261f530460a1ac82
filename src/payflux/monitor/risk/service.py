"""Score a workspace and keep what was said."""

from __future__ import annotations

from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.ids import new_id
from payflux.monitor.processors.queries import history_of_pull
from payflux.monitor.risk.models import RiskSurfaceRecord
from payflux.monitor.risk.queries import earlier_readouts
from payflux.monitor.risk.rules import prepare, score
from payflux.monitor.risk.surface import RiskSurface


async def score_workspace(session: AsyncSession, *, account_id: UUID, workspace_id: UUID, pull_id: UUID) -> RiskSurface:
    """Score the history that a pull brought, as of the instant it was taken, and store the surface."""
    known = await history_of_pull(session, account_id=account_id, pull_id=pull_id)
    earlier = await earlier_readouts(
        session, account_id=account_id, connection_id=known.connection_id, before=known.as_of
    )
    surface = score(
        prepare(
            known.events,
            as_of=known.as_of,
            account=known.account,
            balance=known.balance,
            earlier=earlier,
            reads_declines=known.reads_declines,
        )
    )
    session.add(
        RiskSurfaceRecord(
            account_id=account_id,
            id=new_id(),
            workspace_id=workspace_id,
            pull_id=pull_id,
            as_of=surface.as_of,
            risk_tier=surface.risk_tier,
            stability_score=surface.stability_score,
            model_version=surface.model_version,
            inputs_hash=surface.inputs_hash,
            surface=msgspec.to_builtins(surface),
        )
    )
    await session.flush()
    return surface
