"""Stored risk surfaces."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKeyConstraint, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base
from payflux.monitor.processors.news import ReadingReason

_REASONS = ", ".join(f"'{reason}'" for reason in ReadingReason)


class RiskSurfaceRecord(Base):
    """One scoring of a workspace, whole, as it was said; the newest one stands. `pull_id` is the history it scored,
    None of one made from what was stored by then. `basis_hash` tells whether another rests on the same to the day."""

    __tablename__ = "risk_surfaces"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "workspace_id"], ["workspaces.account_id", "workspaces.id"], ondelete="CASCADE"
        ),
        CheckConstraint("risk_tier between 1 and 5", name="risk_tier"),
        Index("ix_risk_surfaces_newest", "account_id", "workspace_id", "as_of"),
        Index("uq_risk_surfaces_pull", "account_id", "pull_id", unique=True),
        CheckConstraint(f"reason in ({_REASONS})", name="reason"),
        Index(
            "uq_risk_surfaces_inputs",
            "account_id",
            "workspace_id",
            "as_of",
            "inputs_hash",
            unique=True,
            postgresql_where=text("pull_id IS NULL"),
        ),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID]
    connection_id: Mapped[UUID]
    pull_id: Mapped[UUID | None]
    reason: Mapped[str] = mapped_column(String(20), server_default=ReadingReason.FIRST)
    as_of: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    risk_tier: Mapped[int]
    asked_tier: Mapped[int] = mapped_column(server_default="0")
    payout_delay_days: Mapped[int | None]
    stability_score: Mapped[int]
    model_version: Mapped[str] = mapped_column(String(40))
    inputs_hash: Mapped[str] = mapped_column(String(64))
    basis_hash: Mapped[str] = mapped_column(String(64), server_default="", default="")
    surface: Mapped[dict[str, object]] = mapped_column(JSONB)
