"""From live to fully configured: when an advanced feature is set up."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.models import Workspace
from payflux.activation.service import change_state, get_workspace
from payflux.activation.states import ActivationState, Cause
from payflux.frontdoor.accounts.keys.models import ApiKey
from payflux.monitor.alerts.models import AlertChannel, AlertRule
from payflux.monitor.alerts.rules import Trigger


async def advance(session: AsyncSession, *, account_id: UUID, now: datetime, actor_id: UUID | None) -> None:
    """Call after an advanced feature was set up: a workspace that is live is fully configured from then on, also where
    the feature is taken away again. One that is not live yet becomes it once it is."""
    workspace = await get_workspace(session, account_id=account_id, lock=True)
    await advance_workspace(session, workspace, now=now, actor_id=actor_id)


async def advance_workspace(
    session: AsyncSession, workspace: Workspace, *, now: datetime, actor_id: UUID | None
) -> None:
    """The same for a workspace that is locked already; nothing changes where nothing advanced is set up."""
    if workspace.activation_state != ActivationState.LIVE_MONITORED or not await _has_advanced(session, workspace):
        return
    workspace.fully_configured_at = now
    await change_state(session, workspace, Cause.ADVANCED, now=now, actor_id=actor_id)


async def _has_advanced(session: AsyncSession, workspace: Workspace) -> bool:
    """Whether there is a rule of one's own, a channel that alerts are posted to or a key."""
    rule = select(AlertRule.id).where(
        AlertRule.account_id == workspace.account_id,
        AlertRule.workspace_id == workspace.id,
        AlertRule.trigger == Trigger.CUSTOM,
    )
    channel = select(AlertChannel.id).where(
        AlertChannel.account_id == workspace.account_id, AlertChannel.workspace_id == workspace.id
    )
    key = select(ApiKey.id).where(ApiKey.account_id == workspace.account_id)
    found = await session.execute(select(or_(rule.exists(), channel.exists(), key.exists())))
    return bool(found.scalar_one())
