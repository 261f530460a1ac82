"""The alert rules of a workspace, the alerts they raised with their history, and where and how those were told."""

from __future__ import annotations

from datetime import datetime, time
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base
from payflux.monitor.alerts.rules import Trigger


class AlertState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"  # somebody looks after it
    SNOOZED = "snoozed"  # nothing is told until an instant
    RESOLVED = "resolved"


class Happening(StrEnum):
    """What happens to an alert. The first three a reading does, the others members do, but for WOKEN and for RESOLVED
    where what its rule goes by has changed."""

    RAISED = "raised"
    WORSENED = "worsened"
    CLEARED = "cleared"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    WOKEN = "woken"
    RESOLVED = "resolved"


class DeliveryState(StrEnum):
    HELD = "held"  # a mail that waits for the end of quiet hours, or for the others of its day
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"  # given up after the last try
    DROPPED = "dropped"  # whom it was for has left, or takes nothing more


def _one_of(column: str, values: type[StrEnum]) -> str:
    quoted = ", ".join(f"'{value}'" for value in values)
    return f"{column} in ({quoted})"


def _of_a_workspace() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["account_id", "workspace_id"], ["workspaces.account_id", "workspaces.id"], ondelete="CASCADE"
    )


class AlertRule(Base):
    """One rule: what triggers it, past which threshold, and where it is told.

    `metric` and `comparison` are those of a custom rule. `level`, `base`, `calm_since` and `read_at` are what it
    remembers between readings, see `rules.Watch`; `level` is None before the first one. `told_to` are the members whom
    it mails; None: everybody who looks after alerts. `posted_to` are the channels; None: all that there are.
    """

    __tablename__ = "alert_rules"
    __table_args__ = (
        _of_a_workspace(),
        CheckConstraint(_one_of("trigger", Trigger), name="trigger"),
        Index(
            "uq_alert_rules_default",
            "account_id",
            "workspace_id",
            "trigger",
            unique=True,
            postgresql_where=text("trigger <> 'custom'"),
        ),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    workspace_id: Mapped[UUID]
    trigger: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(100))
    threshold: Mapped[float]
    channels: Mapped[list[str]] = mapped_column(ARRAY(String(20)))
    armed: Mapped[bool]
    armed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    last_triggered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    metric: Mapped[str] = mapped_column(String(60), server_default="")
    comparison: Mapped[str] = mapped_column(String(10), server_default="above")
    told_to: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))
    posted_to: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))
    level: Mapped[dict[str, float] | None] = mapped_column(JSONB(none_as_null=True))
    base: Mapped[dict[str, float] | None] = mapped_column(JSONB(none_as_null=True))
    calm_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    read_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Alert(Base):
    """What a rule has raised: one that is not resolved for each rule. `facts` is what was last told of it, see
    `facts.Facts`; `rule_id` names a rule that may be gone."""

    __tablename__ = "alerts"
    __table_args__ = (
        _of_a_workspace(),
        CheckConstraint(_one_of("state", AlertState), name="state"),
        CheckConstraint("(state = 'snoozed') = (snoozed_until IS NOT NULL)", name="snoozed"),
        CheckConstraint("(state = 'resolved') = (resolved_at IS NOT NULL)", name="resolved"),
        Index("ix_alerts_workspace", "account_id", "workspace_id", "raised_at"),
        Index(
            "uq_alerts_unresolved", "account_id", "rule_id", unique=True, postgresql_where=text("state <> 'resolved'")
        ),
        Index("ix_alerts_snoozed", "snoozed_until", postgresql_where=text("state = 'snoozed'")),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID]
    rule_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(20))
    raised_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    snoozed_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    resolved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    facts: Mapped[dict[str, object]] = mapped_column(JSONB)


class AlertEvent(Base):
    """One thing that happened to an alert, with what was told then. Append-only but for `told_at`, which says that
    whoever is told has been found; None with `tells`: they are still to be."""

    __tablename__ = "alert_events"
    __table_args__ = (
        ForeignKeyConstraint(["account_id", "alert_id"], ["alerts.account_id", "alerts.id"], ondelete="CASCADE"),
        CheckConstraint(_one_of("kind", Happening), name="kind"),
        Index("ix_alert_events_alert", "account_id", "alert_id", "at"),
        Index("ix_alert_events_untold", "at", postgresql_where=text("tells AND told_at IS NULL")),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    alert_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    actor_id: Mapped[UUID | None]
    tells: Mapped[bool]
    told_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    facts: Mapped[dict[str, object]] = mapped_column(JSONB)


class AlertChannel(Base):
    """Where alerts are posted to: an endpoint of the customer's own, Slack, PagerDuty, or a service that Apprise knows.

    `address` is the URL or the routing key and `secret` signs what is posted; both are encrypted. `shown` is what a
    page may show of the address. A channel that was disabled says since when and why.
    """

    __tablename__ = "alert_channels"
    __table_args__ = (
        _of_a_workspace(),
        CheckConstraint("kind in ('webhook', 'slack', 'pagerduty', 'apprise')", name="kind"),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(100))
    shown: Mapped[str] = mapped_column(String(300))
    address: Mapped[bytes] = mapped_column(LargeBinary)
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    disabled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    disabled_because: Mapped[str] = mapped_column(Text, server_default="")


class AlertDelivery(Base):
    """One event of an alert on its way to one `target`: a member for `email`, else a channel. `event_id` is None for a
    test. `due_at` is when it is tried next."""

    __tablename__ = "alert_deliveries"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "event_id"], ["alert_events.account_id", "alert_events.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["account_id"], ["accounts.id"], ondelete="CASCADE"),
        CheckConstraint(_one_of("state", DeliveryState), name="state"),
        CheckConstraint("kind in ('email', 'webhook', 'slack', 'pagerduty', 'apprise')", name="kind"),
        UniqueConstraint("account_id", "event_id", "target"),
        Index("ix_alert_deliveries_target", "account_id", "target", "created_at"),
        Index("ix_alert_deliveries_due", "due_at", postgresql_where=text("state = 'waiting'")),
        Index("ix_alert_deliveries_held", "due_at", postgresql_where=text("state = 'held'")),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(String(20))
    target: Mapped[UUID]
    state: Mapped[str] = mapped_column(String(20))
    attempts: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    delivered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class AlertAttempt(Base):
    """One try at a delivery: `status` is that of an HTTP answer, `outcome` says in words what became of it.
    Append-only."""

    __tablename__ = "alert_attempts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "delivery_id"], ["alert_deliveries.account_id", "alert_deliveries.id"], ondelete="CASCADE"
        ),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    delivery_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    succeeded: Mapped[bool]
    status: Mapped[int | None]
    outcome: Mapped[str] = mapped_column(Text)
    milliseconds: Mapped[int]


class AlertMailTimes(Base):
    """When a workspace's mails about alerts go out; see `timing.MailTimes`. Without a row, at once."""

    __tablename__ = "alert_mail_times"
    __table_args__ = (_of_a_workspace(),)

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    quiet_from: Mapped[time | None]
    quiet_until: Mapped[time | None]
    digest_at: Mapped[time | None]
    time_zone: Mapped[str] = mapped_column(String(60))
