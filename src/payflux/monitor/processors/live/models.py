"""The inbox: events of a processor as they came in, and what became of each."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Boolean, DateTime, ForeignKeyConstraint, Index, Integer, LargeBinary, Text, literal, text
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base


class EventState(StrEnum):
    WAITING = "waiting"
    APPLIED = "applied"
    IGNORED = "ignored"  # kept, but there is nothing to apply; `outcome` says why
    FAILED = "failed"  # trying again would not help; `outcome` says why


class WebhookEvent(Base):
    """One event of one connection, stored once however often and by whatever way it comes.

    `source` names the inbox it is in: that of its connection, or, without one, that of the endpoint. `body` is its
    envelope, nothing of a payer. A waiting event is tried from `due_at` on.
    """

    __tablename__ = "webhook_events"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "connection_id"],
            ["processor_connections.account_id", "processor_connections.id"],
            ondelete="CASCADE",
        ),
        Index("ix_webhook_events_connection", "account_id", "connection_id", "received_at"),
        Index("ix_webhook_events_waiting", "connection_id", "due_at", postgresql_where=text("state = 'waiting'")),
    )

    source: Mapped[str] = mapped_column(Text, primary_key=True)
    event_id: Mapped[str] = mapped_column(Text, primary_key=True)
    account_id: Mapped[UUID | None]
    connection_id: Mapped[UUID | None]
    external_account_id: Mapped[str] = mapped_column(Text, server_default="", default="")
    type: Mapped[str] = mapped_column(Text)
    livemode: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(Text, server_default="", default="")
    attempts: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    applied_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


# in the statement itself, not as a parameter: a plan for any state could not use the index of those that wait
IS_WAITING = WebhookEvent.state == literal(EventState.WAITING.value, Text, literal_execute=True)
"""The condition for events that wait."""
