"""The tables of the processors: connections, pulls of history, payment events, daily rollups and balances.

Every key starts with `account_id`, so that no foreign key can lead from one tenant to another.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base

Big = Annotated[int, mapped_column(BigInteger)]
Small = Annotated[int, mapped_column(SmallInteger)]
String = Annotated[str, mapped_column(Text, server_default="")]
Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
MaybeInstant = Annotated[datetime | None, mapped_column(DateTime(timezone=True))]


class ConnectionMethod(StrEnum):
    RESTRICTED_KEY = "restricted_key"
    CONNECT_OAUTH = "connect_oauth"
    STRIPE_APP = "stripe_app"
    WEBHOOK = "webhook"  # a processor that posts its events to us


class ConnectionStatus(StrEnum):
    ACTIVE = "active"
    DEGRADED = "degraded"  # works, but for the resources that its capabilities name as forbidden
    DISCONNECTED = "disconnected"


class Connection(Base):
    """One merchant account at one processor, as a workspace reads it; its test mode is another than its live mode.

    `capabilities` maps each resource to `ok` or `forbidden`. `snapshot` is the account and the balance as last read.
    `secret` is the encrypted restricted key, or the tokens of a Stripe App, which end at `secret_expires_at`; none for
    Connect OAuth. `hook_digest` is the digest of the token in the connection's own webhook address, `hook_secrets` its
    encrypted signing secrets; all but the newest end at `hook_secret_until`, where that is set. Everything the
    processor had created up to `synced_through` is stored, back to `history_from`; its list of events has been read up
    to `polled_through`.
    """

    __tablename__ = "processor_connections"
    __table_args__ = (
        Index(
            "uq_processor_connections_mode",
            "account_id",
            "workspace_id",
            "external_account_id",
            "livemode",
            unique=True,
        ),
        Index("ix_processor_connections_external", "external_account_id"),
        Index("uq_processor_connections_hook", "hook_digest", unique=True),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID]
    processor: Mapped[str] = mapped_column(Text, server_default="stripe", default="stripe")
    method: Mapped[str] = mapped_column(Text)
    external_account_id: Mapped[str] = mapped_column(Text)
    livemode: Mapped[bool] = mapped_column(Boolean)
    status: Mapped[str] = mapped_column(Text)
    name: Mapped[String]
    host: Mapped[String]
    country: Mapped[String]
    default_currency: Mapped[String]
    capabilities: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    secret_expires_at: Mapped[MaybeInstant]
    hook_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    hook_secrets: Mapped[bytes | None] = mapped_column(LargeBinary)
    hook_secret_until: Mapped[MaybeInstant]
    hook_endpoint_id: Mapped[str] = mapped_column(Text, server_default="", default="")
    snapshot: Mapped[dict] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    connected_at: Mapped[Instant]
    disconnected_at: Mapped[MaybeInstant]
    disconnected_by: Mapped[str] = mapped_column(Text, server_default="", default="")  # merchant or processor
    host_source: Mapped[str] = mapped_column(Text, server_default="", default="")  # account, scan or asked
    synced_through: Mapped[MaybeInstant]
    polled_through: Mapped[MaybeInstant]
    history_from: Mapped[MaybeInstant]
    last_event_at: Mapped[MaybeInstant]
    event_count: Mapped[int] = mapped_column(BigInteger, server_default="0", default=0)


class PullPurpose(StrEnum):
    FIRST = "first"  # the last 90 days, which the first projection waits for
    BACKFILL = "backfill"  # what is older, in the background
    GAP = "gap"  # a stretch that no webhook and no list of events covers


class HistoryPull(Base):
    """One reading of a connection's history, of everything created from `from_at` to `to_at`, both included.

    `problem` names the failure that ended it for good, or says that it was interrupted and is to be read on.
    """

    __tablename__ = "history_pulls"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "connection_id"],
            ["processor_connections.account_id", "processor_connections.id"],
            ondelete="CASCADE",
        ),
        Index("ix_history_pulls_connection", "account_id", "connection_id"),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID]
    connection_id: Mapped[UUID]
    purpose: Mapped[str] = mapped_column(Text, server_default=PullPurpose.FIRST, default=PullPurpose.FIRST)
    from_at: Mapped[Instant]
    to_at: Mapped[Instant]
    started_at: Mapped[Instant]
    finished_at: Mapped[MaybeInstant]
    problem: Mapped[str] = mapped_column(Text, server_default="", default="")
    objects: Mapped[int] = mapped_column(BigInteger, server_default="0", default=0)


class PullWindow(Base):
    """One stretch of one resource within a pull, and how far it has been read.

    `filter` is the value of the resource's own filter, empty where there is none. `cursor` is the id of the last object
    stored, newest first; empty before the first page. Of a report, `cursor` is the id of its run and `objects` the
    number of its rows that have been taken in.
    """

    __tablename__ = "pull_windows"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "pull_id"], ["history_pulls.account_id", "history_pulls.id"], ondelete="CASCADE"
        ),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    pull_id: Mapped[UUID] = mapped_column(primary_key=True)
    resource: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    workspace_id: Mapped[UUID]
    filter: Mapped[String]
    from_at: Mapped[Instant]
    to_at: Mapped[Instant]
    cursor: Mapped[str] = mapped_column(Text, server_default="", default="")
    pages: Mapped[int] = mapped_column(BigInteger, server_default="0", default=0)
    objects: Mapped[int] = mapped_column(BigInteger, server_default="0", default=0)
    done: Mapped[bool] = mapped_column(Boolean, server_default=text("false"), default=False)


class StoredEvent(Base):
    """A payment event: the integers of `EVENT_DTYPE` under the same names, and the ids as the processor says them.

    `detail` keeps a reason that has no code. `read_at` is when the object was asked for: a later reading replaces an
    earlier one, never the other way round.
    """

    __tablename__ = "payment_events"
    __table_args__ = (
        PrimaryKeyConstraint("account_id", "connection_id", "kind", "source_id"),
        ForeignKeyConstraint(
            ["account_id", "connection_id"],
            ["processor_connections.account_id", "processor_connections.id"],
            ondelete="CASCADE",
        ),
        Index("ix_payment_events_workspace", "account_id", "workspace_id", "at"),
    )

    at: Mapped[Big]
    charge_at: Mapped[Big]
    ends_at: Mapped[Big]
    amount: Mapped[Big]
    settled: Mapped[Big]
    source: Mapped[Big]
    charge: Mapped[Big]
    card: Mapped[Big]
    customer: Mapped[Big]
    kind: Mapped[Small]
    status: Mapped[Small]
    currency: Mapped[Small]
    settled_currency: Mapped[Small]
    network: Mapped[Small]
    method: Mapped[Small]
    outcome: Mapped[Small]
    risk_level: Mapped[Small]
    three_d_secure: Mapped[Small]
    country: Mapped[Small]
    reason: Mapped[Small]
    account_id: Mapped[UUID]
    connection_id: Mapped[UUID]
    source_id: Mapped[str] = mapped_column(Text)
    workspace_id: Mapped[UUID]
    charge_id: Mapped[String]
    detail: Mapped[String]
    read_at: Mapped[Instant]


class DailyRollup(Base):
    """A workspace's days in one settlement currency; `vector` is days × metrics, little-endian int64, row by row."""

    __tablename__ = "daily_rollups"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(Text, primary_key=True)
    first_day: Mapped[date] = mapped_column(Date)
    days: Mapped[int] = mapped_column(BigInteger)
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    updated_at: Mapped[Instant]


class StoredBalance(Base):
    """What a connection's account held in one currency at one instant, in minor units; `reserved` is NULL where the
    processor does not show it."""

    __tablename__ = "balance_snapshots"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "connection_id"],
            ["processor_connections.account_id", "processor_connections.id"],
            ondelete="CASCADE",
        ),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    connection_id: Mapped[UUID] = mapped_column(primary_key=True)
    taken_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    currency: Mapped[str] = mapped_column(Text, primary_key=True)
    available: Mapped[Big]
    pending: Mapped[Big]
    reserved: Mapped[int | None] = mapped_column(BigInteger)
