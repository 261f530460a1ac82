"""How far a workspace's activation has come."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.progress import Progress, progress_of
from payflux.activation.service import get_workspace
from payflux.monitor.alerts.models import AlertRule
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
    )
