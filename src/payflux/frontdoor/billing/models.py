"""The catalogue as rows, and each account's subscription."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, String, func, text
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base


class PlanLimits(Base):
    """What a plan allows, by number. None is unlimited."""

    __tablename__ = "plan_limits"

    plan: Mapped[str] = mapped_column(String(50), primary_key=True)
    seats: Mapped[int | None]
    processors: Mapped[int | None]
    scans_per_month: Mapped[int | None]
    projections_per_day: Mapped[int | None]
    api_calls_per_day: Mapped[int | None]
    retention_days: Mapped[int | None]


class PlanBilling(Base):
    """How a plan is sold: its public words and its prices in US cents."""

    __tablename__ = "plan_billing"

    plan: Mapped[str] = mapped_column(ForeignKey("plan_limits.plan"), primary_key=True)
    display_name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None]
    monthly_price_cents: Mapped[int | None]
    annual_price_cents: Mapped[int | None]
    stripe_product_id: Mapped[str | None] = mapped_column(String(255))
    stripe_monthly_price_id: Mapped[str | None] = mapped_column(String(255))
    stripe_annual_price_id: Mapped[str | None] = mapped_column(String(255))
    is_public: Mapped[bool] = mapped_column(server_default=text("true"))
    is_archived: Mapped[bool] = mapped_column(server_default=text("false"))
    sort_order: Mapped[int] = mapped_column(server_default=text("0"))


class FeatureFlag(Base):
    __tablename__ = "feature_flags"

    key: Mapped[str] = mapped_column(String(50), primary_key=True)
    description: Mapped[str]


class PlanFeatureDefault(Base):
    """Whether a plan has a feature."""

    __tablename__ = "plan_feature_defaults"

    plan: Mapped[str] = mapped_column(ForeignKey("plan_limits.plan"), primary_key=True)
    feature: Mapped[str] = mapped_column(ForeignKey("feature_flags.key"), primary_key=True)
    enabled: Mapped[bool]


class Subscription(Base):
    """What an account has bought, or tries. A trial past `current_period_end` has ended; nothing is written then."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        CheckConstraint(
            "status in ('active', 'trialing', 'past_due', 'canceled', 'incomplete', 'complimentary')", name="status"
        ),
        Index("uq_subscriptions_live", "account_id", unique=True, postgresql_where=text("status <> 'canceled'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    plan: Mapped[str] = mapped_column(ForeignKey("plan_limits.plan"))
    status: Mapped[str] = mapped_column(String(50))
    current_period_start: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    current_period_end: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
