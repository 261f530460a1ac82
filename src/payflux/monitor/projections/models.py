"""Stored reserve projections, and how good they were."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, DateTime, ForeignKeyConstraint, Index, Integer, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base


class ReserveProjectionRecord(Base):
    """One projection of a workspace, whole, as it was said; the newest one stands. Why it was made, and of which
    connection, stands with the surface it was made from."""

    __tablename__ = "reserve_projections"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "workspace_id"], ["workspaces.account_id", "workspaces.id"], ondelete="CASCADE"
        ),
        Index("ix_reserve_projections_newest", "account_id", "workspace_id", "as_of"),
        Index("uq_reserve_projections_pull", "account_id", "pull_id", unique=True),
        ForeignKeyConstraint(
            ["account_id", "surface_id"], ["risk_surfaces.account_id", "risk_surfaces.id"], ondelete="CASCADE"
        ),
        Index("uq_reserve_projections_surface", "account_id", "surface_id", unique=True),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID]
    surface_id: Mapped[UUID]
    pull_id: Mapped[UUID | None]
    as_of: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    currency: Mapped[str] = mapped_column(String(3))
    model_version: Mapped[str] = mapped_column(String(40))
    inputs_hash: Mapped[str] = mapped_column(String(64))
    projection: Mapped[dict[str, object]] = mapped_column(JSONB)


class WorkspaceReading(Base):
    """When a workspace was last read, and what stands in the way of reading it again.

    `as_of` is how far that reading knew, also where it brought nothing new. `due_at` is set while newer figures wait
    for their turn, `failed_at` and `failure` while the last attempt has failed.
    """

    __tablename__ = "workspace_readings"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "workspace_id"], ["workspaces.account_id", "workspaces.id"], ondelete="CASCADE"
        ),
        Index("ix_workspace_readings_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    connection_id: Mapped[UUID | None]
    read_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    as_of: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    due_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    failed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    failure: Mapped[str] = mapped_column(Text, server_default="", default="")


class ProjectionTerms(Base):
    """What a workspace has told of its reserve: the share of sales that is held, in [0, 1], for how many days, and
    further days to look ahead to. What is None is left to the data."""

    __tablename__ = "projection_terms"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "workspace_id"], ["workspaces.account_id", "workspaces.id"], ondelete="CASCADE"
        ),
        CheckConstraint("rate BETWEEN 0 AND 1", name="rate"),
        CheckConstraint("hold_days BETWEEN 1 AND 365", name="hold_days"),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    rate: Mapped[float | None]
    hold_days: Mapped[int | None]
    horizons: Mapped[list[int]] = mapped_column(ARRAY(Integer))


class ProjectionScoreRecord(Base):
    """One horizon of a stored projection: when it is over, and, once that is known, how good the projection was.

    The row is made with the projection. Until it is scored, `why_not` says what was missing at `checked_at`; a score
    is final.
    """

    __tablename__ = "projection_scores"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "projection_id"],
            ["reserve_projections.account_id", "reserve_projections.id"],
            ondelete="CASCADE",
        ),
        CheckConstraint("(scored_at IS NULL) = (score IS NULL)", name="scored"),
        Index("ix_projection_scores_due", "due_at", postgresql_where=text("scored_at IS NULL")),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    projection_id: Mapped[UUID] = mapped_column(primary_key=True)
    horizon_days: Mapped[int] = mapped_column(primary_key=True)
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    checked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    scored_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    why_not: Mapped[str | None] = mapped_column(Text)
    score: Mapped[dict[str, object] | None] = mapped_column(JSONB(none_as_null=True))
