"""The alert rules of a workspace."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKeyConstraint, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base


class AlertRule(Base):
    """One rule: what triggers it, past which threshold, and where it is told."""

    __tablename__ = "alert_rules"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "workspace_id"], ["workspaces.account_id", "workspaces.id"], ondelete="CASCADE"
        ),
        CheckConstraint(
            "trigger in ('tier_escalation', 'reserve_spike', 'trend_degradation', 'projection_breach')", name="trigger"
        ),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    trigger: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    threshold: Mapped[float]
    channels: Mapped[list[str]] = mapped_column(ARRAY(String(20)))
    armed: Mapped[bool]
    armed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    last_triggered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
