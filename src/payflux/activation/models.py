"""Workspaces and how far each has come from entitled to live, and what its members are mailed."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from payflux.activation.states import ActivationState
from payflux.kit.database import Base

_STATES = ", ".join(f"'{state}'" for state in ActivationState)


class Workspace(Base):
    """What is monitored, with its activation: the state, when each condition came true, and what is in the way.

    `pull_id` is the history pull the pipeline works from; jobs of an earlier one find themselves out of date.
    `summarized_at` is the Monday morning that the last weekly summary was for.
    `problem` is what is in the way, in words; `retry_at` when PayFlux looks at it again by itself, and None where only
    a person can help. `failures` counts how often in a row that has failed since `failing_since`.
    """

    __tablename__ = "workspaces"
    __table_args__ = (
        CheckConstraint(f"activation_state in ({_STATES})", name="activation_state"),
        Index("ix_workspaces_activation_state", "activation_state"),
        UniqueConstraint("account_id"),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    activation_state: Mapped[str] = mapped_column(String(40))
    connection_id: Mapped[UUID | None]
    pull_id: Mapped[UUID | None]
    entitled_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    connected_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    pulled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    baseline_generated_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    first_projection_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    alert_policy_armed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    live_monitored_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    fully_configured_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    first_seen_live_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    summarized_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    failing_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    retry_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    support_told_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class ActivationTransition(Base):
    """One change of a workspace's activation state. Append-only."""

    __tablename__ = "activation_transitions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "workspace_id"], ["workspaces.account_id", "workspaces.id"], ondelete="CASCADE"
        ),
        Index("ix_activation_transitions_workspace", "account_id", "workspace_id", "at"),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID]
    from_state: Mapped[str | None] = mapped_column(String(40))
    to_state: Mapped[str] = mapped_column(String(40))
    cause: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ConnectAttempt(Base):
    """A trip to the processor's OAuth page and back. Its state is good once, for the session that began it."""

    __tablename__ = "connect_attempts"
    __table_args__ = (UniqueConstraint("state_digest"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID]
    session_id: Mapped[UUID]
    state_digest: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ActivationMail(Base):
    """One mail about an activation or a live workspace, to a member or, without `user_id`, to support. `dedupe_key` is
    what it is sent once for; `outcome` is what the mail server said."""

    __tablename__ = "activation_mails"
    __table_args__ = (UniqueConstraint("account_id", "dedupe_key"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    mail: Mapped[str] = mapped_column(String(40))
    dedupe_key: Mapped[str] = mapped_column(String(200))
    user_id: Mapped[UUID | None]
    enqueued_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    delivered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    refused_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    outcome: Mapped[str] = mapped_column(Text, default="", server_default="")


class MailOptOut(Base):
    """A kind of mail that a member does without; see `mail_preferences.MailKind`."""

    __tablename__ = "mail_opt_outs"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "user_id"], ["memberships.account_id", "memberships.user_id"], ondelete="CASCADE"
        ),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    opted_out_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class MailSubscription(Base):
    """A kind of mail that comes to nobody who has not asked for it, and that a member has asked for."""

    __tablename__ = "mail_subscriptions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "user_id"], ["memberships.account_id", "memberships.user_id"], ondelete="CASCADE"
        ),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))
