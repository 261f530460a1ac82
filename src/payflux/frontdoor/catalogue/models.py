"""The catalogue as rows: the plans as they are sold now, and every version of them that was ever published."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, ForeignKeyConstraint, String, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base


class PlanLimits(Base):
    """What a plan allows as it is sold now, by number. None is unlimited. `version` is the newest published one."""

    __tablename__ = "plan_limits"

    plan: Mapped[str] = mapped_column(String(50), primary_key=True)
    version: Mapped[int] = mapped_column(server_default=text("1"))
    seats: Mapped[int | None]
    processors: Mapped[int | None]
    scans_per_month: Mapped[int | None]
    projections_per_day: Mapped[int | None]
    api_calls_per_day: Mapped[int | None]
    retention_days: Mapped[int | None]


class PlanBilling(Base):
    """How a plan is sold now: its public words and its prices in US cents. The ids are those of the products and prices
    at Stripe that this installation's key sees."""

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
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class FeatureFlag(Base):
    __tablename__ = "feature_flags"

    key: Mapped[str] = mapped_column(String(50), primary_key=True)
    description: Mapped[str]


class PlanFeatureDefault(Base):
    """Whether a plan, as it is sold now, has a feature."""

    __tablename__ = "plan_feature_defaults"

    plan: Mapped[str] = mapped_column(ForeignKey("plan_limits.plan"), primary_key=True)
    feature: Mapped[str] = mapped_column(ForeignKey("feature_flags.key"), primary_key=True)
    enabled: Mapped[bool]


class PlanVersion(Base):
    """A plan as it was once published; never changed after. `content` holds the `limits`, the `features` and the
    prices and words of :class:`PlanBilling`. `source` is who published it: the catalogue file or one of the staff."""

    __tablename__ = "plan_versions"
    __table_args__ = (CheckConstraint("source in ('catalogue', 'staff')", name="source"),)

    plan: Mapped[str] = mapped_column(ForeignKey("plan_limits.plan"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    source: Mapped[str] = mapped_column(String(20))
    published_by: Mapped[str | None] = mapped_column(String(320))
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class StripePrice(Base):
    """A price at Stripe, and which version of which plan it sells. Prices of older versions stay: subscriptions that
    were bought at them go on."""

    __tablename__ = "stripe_prices"
    __table_args__ = (
        ForeignKeyConstraint(["plan", "version"], ["plan_versions.plan", "plan_versions.version"]),
        CheckConstraint("billing_interval in ('month', 'year')", name="billing_interval"),
    )

    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    product_id: Mapped[str] = mapped_column(String(255))
    plan: Mapped[str] = mapped_column(String(50))
    version: Mapped[int]
    billing_interval: Mapped[str] = mapped_column(String(10))
    unit_amount_cents: Mapped[int]
    livemode: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class CatalogueChange(Base):
    """What one of the staff changed of the catalogue. Append-only; `after` is None where something was removed."""

    __tablename__ = "catalogue_changes"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    author: Mapped[str] = mapped_column(String(320))
    action: Mapped[str] = mapped_column(String(100))
    subject: Mapped[str] = mapped_column(String(200))
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class CatalogueState(Base):
    """One row: `version` grows with every change of the catalogue, in its transaction, so that nobody goes by an old
    one."""

    __tablename__ = "catalogue_state"
    __table_args__ = (CheckConstraint("id", name="single"),)

    id: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
