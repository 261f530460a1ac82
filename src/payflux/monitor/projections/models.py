"""Stored reserve projections."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKeyConstraint, Index, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base


class ReserveProjectionRecord(Base):
    """One projection of a workspace, whole, as it was said; the newest one stands."""

    __tablename__ = "reserve_projections"
    __table_args__ = (
        ForeignKeyConstraint(["account_id", "workspace_id"], ["workspaces.account_id", "workspaces.id"]),
        Index("ix_reserve_projections_newest", "account_id", "workspace_id", "as_of"),
        Index("uq_reserve_projections_pull", "account_id", "pull_id", unique=True),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID]
    pull_id: Mapped[UUID]
    as_of: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    currency: Mapped[str] = mapped_column(String(3))
    model_version: Mapped[str] = mapped_column(String(40))
    inputs_hash: Mapped[str] = mapped_column(String(64))
    projection: Mapped[dict[str, object]] = mapped_column(JSONB)
