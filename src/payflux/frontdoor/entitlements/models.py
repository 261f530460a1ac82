"""Exceptions that an account was granted, and what it has used of its limits."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, ForeignKeyConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base


class AccountFeatureOverride(Base):
    """That an account has a feature, or has it not, whatever its plan says: why, who decided, and until when. One that
    is taken back or replaced keeps its row, with `revoked_at`."""

    __tablename__ = "account_feature_overrides"
    __table_args__ = (
        Index(
            "uq_account_feature_overrides_open",
            "account_id",
            "feature",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    feature: Mapped[str] = mapped_column(ForeignKey("feature_flags.key"))
    enabled: Mapped[bool]
    reason: Mapped[str] = mapped_column(String(500))
    author: Mapped[str] = mapped_column(String(320))
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class AccountLimitOverride(Base):
    """The same for a limit: `value` in the limit's own unit, None is unlimited."""

    __tablename__ = "account_limit_overrides"
    __table_args__ = (
        Index(
            "uq_account_limit_overrides_open",
            "account_id",
            "limit_key",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    limit_key: Mapped[str] = mapped_column(String(50))
    value: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(500))
    author: Mapped[str] = mapped_column(String(320))
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class UsageCounter(Base):
    """How much of a limit an account has used in the day or month that begins at `window_start` (UTC)."""

    __tablename__ = "usage_counters"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    limit_key: Mapped[str] = mapped_column(String(50), primary_key=True)
    window_start: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    used: Mapped[int]


class DismissedNotice(Base):
    """That a member has seen and closed a notice, such as the one in the last days of a trial."""

    __tablename__ = "dismissed_notices"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "user_id"], ["memberships.account_id", "memberships.user_id"], ondelete="CASCADE"
        ),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    notice: Mapped[str] = mapped_column(String(50), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
