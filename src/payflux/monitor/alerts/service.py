"""Arm the default alert policy."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.audit import record_change
from payflux.monitor.alerts.models import AlertRule


class DefaultRule(NamedTuple):
    name: str
    trigger: str
    threshold: float
    channels: tuple[str, ...]


DEFAULT_RULES = (
    DefaultRule("Tier escalation", "tier_escalation", 1, ("email", "dashboard")),
    DefaultRule("Reserve spike", "reserve_spike", 0.25, ("email", "dashboard")),
    DefaultRule("Trend degradation", "trend_degradation", 1, ("dashboard",)),
    DefaultRule("Projection breach", "projection_breach", 1, ("email", "dashboard")),
)
"""Tier up by at least 1; T+90 trapped capital up by more than 25 %; trend turned to DEGRADING; any window past its
previous worst case."""


async def arm_default_rules(session: AsyncSession, *, account_id: UUID, workspace_id: UUID, now: datetime) -> None:
    """Arm the four default rules; rules that are there already stay as they are."""
    added = await session.execute(
        insert(AlertRule)
        .values(
            [
                {
                    "account_id": account_id,
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
