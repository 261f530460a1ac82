"""Arm the default alert policy."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.audit import record_change
from payflux.kit.ids import new_id
from payflux.kit.messages import mark
from payflux.monitor.alerts.evaluating import end_alert
from payflux.monitor.alerts.models import Alert, AlertRule, AlertState, Happening


class DefaultRule(NamedTuple):
    name: str
    trigger: str
    threshold: float
    channels: tuple[str, ...]


DEFAULT_RULES = (
    DefaultRule(mark("Tier escalation"), "tier_escalation", 1, ("email", "dashboard")),
    DefaultRule(mark("Reserve spike"), "reserve_spike", 0.25, ("email", "dashboard")),
    DefaultRule(mark("Trend degradation"), "trend_degradation", 1, ("dashboard",)),
    DefaultRule(mark("Projection breach"), "projection_breach", 1, ("email", "dashboard")),
)
"""Tier up by at least 1; T+90 trapped capital up by more than 25 %; trend turned to DEGRADING; any window past its
previous worst case."""


async def arm_default_rules(session: AsyncSession, *, account_id: UUID, workspace_id: UUID, now: datetime) -> None:
    """Arm the four default rules; rules that are there already keep their thresholds and channels. Every rule starts
    from the next reading anew, and what was open is over: it was of another history."""
    await _start_anew(session, account_id=account_id, workspace_id=workspace_id, now=now)
    added = await session.execute(
        insert(AlertRule)
        .values(
            [
                {
                    "account_id": account_id,
                    "id": new_id(),
                    "workspace_id": workspace_id,
                    "trigger": rule.trigger,
                    "name": rule.name,
                    "threshold": rule.threshold,
                    "channels": list(rule.channels),
                    "armed": True,
                    "armed_at": now,
                }
                for rule in DEFAULT_RULES
            ]
        )
        .on_conflict_do_nothing()
        .returning(AlertRule.trigger)
    )
    if triggers := sorted(added.scalars()):
        await record_change(
            session,
            account_id=account_id,
            action="alert_policy.armed",
            subject=str(workspace_id),
            at=now,
            after={"triggers": triggers},
        )


async def _start_anew(session: AsyncSession, *, account_id: UUID, workspace_id: UUID, now: datetime) -> None:
    await session.execute(
        update(AlertRule)
        .where(AlertRule.account_id == account_id, AlertRule.workspace_id == workspace_id)
        .values(level=None, base=None, calm_since=None, read_at=None)
    )
    unresolved = select(Alert).where(
        Alert.account_id == account_id, Alert.workspace_id == workspace_id, Alert.state != AlertState.RESOLVED
    )
    for alert in (await session.execute(unresolved.with_for_update())).scalars().all():
        await end_alert(session, alert, Happening.RESOLVED, now=now)
