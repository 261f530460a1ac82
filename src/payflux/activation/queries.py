"""How far a workspace's activation has come."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.models import Workspace
from payflux.activation.progress import Progress, progress_of
from payflux.activation.service import get_workspace
from payflux.monitor.alerts.models import AlertRule
from payflux.monitor.processors.models import Connection, ConnectionMethod
from payflux.monitor.processors.pull import pull_progress
from payflux.monitor.projections.queries import projection_of_pull
from payflux.monitor.risk.queries import surface_of_pull


async def activation_progress(session: AsyncSession, *, account_id: UUID, now: datetime) -> Progress:
    """The four stages of the account's workspace, counted in what is stored."""
    workspace = await get_workspace(session, account_id=account_id)
    pulled: dict[str, int] = {}
    surface = projection = None
    if workspace.pull_id is not None:
        pulled = await pull_progress(session, workspace.pull_id)
        surface = await surface_of_pull(session, account_id=account_id, pull_id=workspace.pull_id)
        projection = await projection_of_pull(session, account_id=account_id, pull_id=workspace.pull_id)
    armed = 0
    if workspace.alert_policy_armed_at is not None:
        armed = (
            await session.execute(
                select(func.count()).where(
                    AlertRule.account_id == account_id, AlertRule.workspace_id == workspace.id, AlertRule.armed
                )
            )
        ).scalar_one()
    return progress_of(
        workspace,
        pulled,
        event_count=surface.event_count if surface else 0,
        windows=len(projection.windows) if projection else 0,
        alerts=armed,
        now=now,
        processor=await _processor(session, workspace),
    )


async def _processor(session: AsyncSession, workspace: Workspace) -> str:
    """What a person calls the processor that the workspace stands on."""
    query = select(Connection.name).where(
        Connection.account_id == workspace.account_id,
        Connection.id == workspace.connection_id,
        Connection.method == ConnectionMethod.WEBHOOK,
    )
    return (await session.execute(query)).scalar_one_or_none() or "Stripe"
