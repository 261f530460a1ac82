"""What an account has bought or tries, its trips to Checkout, and what Stripe tells of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, String, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base


class Subscription(Base):
    """What an account has bought, or tries. A trial past `current_period_end` has ended; nothing is written then.

    `plan_version` is the published version of the plan that was bought; None follows the plan as it is sold now.
    `seat_limit` is how many seats were bought, None for what the plan has. `stripe_status` is Stripe's own word,
    `cancel_at` when a subscription that runs ends without a renewal, and `canceled_at` when it did, whenever that was
    asked for.
    """

    __tablename__ = "subscriptions"
    __table_args__ = (
        CheckConstraint(
            "status in ('active', 'trialing', 'past_due', 'canceled', 'incomplete', 'complimentary')", name="status"
        ),
        CheckConstraint("billing_interval in ('month', 'year')", name="billing_interval"),
        Index("uq_subscriptions_live", "account_id", unique=True, postgresql_where=text("status <> 'canceled'")),
        Index("uq_subscriptions_stripe", "stripe_subscription_id", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    plan: Mapped[str] = mapped_column(ForeignKey("plan_limits.plan"))
    plan_version: Mapped[int | None]
    status: Mapped[str] = mapped_column(String(50))
    current_period_start: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    current_period_end: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    seat_limit: Mapped[int | None]
    billing_interval: Mapped[str | None] = mapped_column(String(10))
    stripe_subscription_id: Mapped[str | None] = mapped_column(String(255))
    stripe_price_id: Mapped[str | None] = mapped_column(String(255))
    stripe_status: Mapped[str | None] = mapped_column(String(30))
    cancel_at_period_end: Mapped[bool] = mapped_column(server_default=text("false"))
    cancel_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    canceled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    next_payment_attempt_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class CheckoutAttempt(Base):
    """One trip to Stripe's Checkout. At most one of an account is open, so that nobody pays twice."""

    __tablename__ = "checkout_attempts"
    __table_args__ = (
        CheckConstraint("status in ('open', 'complete', 'expired')", name="status"),
        Index("uq_checkout_attempts_open", "account_id", unique=True, postgresql_where=text("status = 'open'")),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    plan: Mapped[str] = mapped_column(String(50))
    plan_version: Mapped[int]
    billing_interval: Mapped[str] = mapped_column(String(10))
    seats: Mapped[int]
    status: Mapped[str] = mapped_column(String(20))
    stripe_session_id: Mapped[str | None] = mapped_column(String(255))
    url: Mapped[str | None]
    created_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class StripeEvent(Base):
    """The inbox of our own billing: an event of Stripe's by its id, stored once and applied by a worker.
    `payload_excerpt` holds the ids of what it is about, and no personal datum."""

    __tablename__ = "stripe_events"
    __table_args__ = (
        CheckConstraint("state in ('waiting', 'applied', 'ignored', 'failed')", name="state"),
        Index("ix_stripe_events_event_type", "event_type"),
        Index("ix_stripe_events_waiting", "due_at", postgresql_where=text("state = 'waiting'")),
    )

    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    event_type: Mapped[str] = mapped_column(String(100))
    livemode: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    processed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    payload_excerpt: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(String(20))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    outcome: Mapped[str | None]


class BillingDifference(Base):
    """What differs between Stripe's subscriptions and ours, as the nightly reconciler found it; never mended silently.
    `kind` is one of :data:`payflux.frontdoor.billing.reconciling.KINDS`."""

    __tablename__ = "billing_differences"
    __table_args__ = (
        Index(
            "uq_billing_differences_open",
            "kind",
            "subject",
            unique=True,
            postgresql_where=text("resolved_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(255))
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)
    found_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    last_seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    resolved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class TrialGrant(Base):
    """That somebody had a trial: an HMAC of who, which outlives their account. Never changed, never deleted."""

    __tablename__ = "trial_grants"
    __table_args__ = (
        CheckConstraint("kind in ('email', 'domain', 'oauth')", name="kind"),
        Index("ix_trial_grants_kind_digest", "kind", "digest"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    granted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SentNotice(Base):
    """That a mail about a subscription, such as the one before a trial ends, was sent; none is sent twice."""

    __tablename__ = "sent_notices"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    subscription_id: Mapped[UUID] = mapped_column(primary_key=True)
    notice: Mapped[str] = mapped_column(String(50), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class LaunchState(Base):
    """One row: whether strangers may register by themselves; None is what the settings say."""

    __tablename__ = "launch_state"
    __table_args__ = (CheckConstraint("id", name="single"),)

    id: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    self_serve_enabled: Mapped[bool | None]
    changed_by: Mapped[str | None] = mapped_column(String(320))
    changed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SelfServeAllowed(Base):
    """An address that may register by itself before everybody may."""

    __tablename__ = "self_serve_allowed"

    email_normalized: Mapped[str] = mapped_column(String(320), primary_key=True)
    added_by: Mapped[str] = mapped_column(String(320))
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
