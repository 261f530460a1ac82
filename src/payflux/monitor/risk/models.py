"""Stored risk surfaces."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKeyConstraint, Index, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base


class RiskSurfaceRecord(Base):
    """One scoring of a workspace, whole, as it was said; the newest one stands. `pull_id` is the history it scored."""

    __tablename__ = "risk_surfaces"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "workspace_id"], ["workspaces.account_id", "workspaces.id"], ondelete="CASCADE"
        ),
        CheckConstraint("risk_tier between 1 and 5", name="risk_tier"),
        Index("ix_risk_surfaces_newest", "account_id", "workspace_id", "as_of"),
        Index("uq_risk_surfaces_pull", "account_id", "pull_id", unique=True),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID]
    pull_id: Mapped[UUID]
    as_of: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    risk_tier: Mapped[int]
    stability_score: Mapped[int]
    model_version: Mapped[str] = mapped_column(String(40))
    inputs_hash: Mapped[str] = mapped_column(String(64))
    surface: Mapped[dict[str, object]] = mapped_column(JSONB)
