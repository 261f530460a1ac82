"""What was posted to us and what was read from files, and what became of each."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKeyConstraint, Index, Integer, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base


class DeliveryState(StrEnum):
    WAITING = "waiting"
    APPLIED = "applied"
    REFUSED = "refused"  # `faults` says why; the same delivery may come again, mended


class EventDelivery(Base):
    """One delivery to a connection's own address, stored once however often it comes. `message_id` is its `webhook-id`.

    `types` names what it holds, `body` is its events until they are applied. Of those that nobody proved to have
    signed, the last for each broken rule is kept, under the rule's name in brackets.
    """

    __tablename__ = "event_deliveries"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "connection_id"],
            ["processor_connections.account_id", "processor_connections.id"],
            ondelete="CASCADE",
        ),
        Index("ix_event_deliveries_connection", "account_id", "connection_id", "received_at"),
        Index("ix_event_deliveries_waiting", "connection_id", postgresql_where=text("state = 'waiting'")),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    connection_id: Mapped[UUID] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(Text, primary_key=True)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    applied_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    state: Mapped[str] = mapped_column(Text)
    types: Mapped[str] = mapped_column(Text, server_default="", default="")
    events: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    faults: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    body: Mapped[bytes] = mapped_column(LargeBinary)


class HistoryImport(Base):
    """One reading of history from files: how many rows there were and how many gave no event although they should
    have, and the report without any value of a row."""

    __tablename__ = "history_imports"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "connection_id"],
            ["processor_connections.account_id", "processor_connections.id"],
            ondelete="CASCADE",
        ),
        Index("ix_history_imports_connection", "account_id", "connection_id", "imported_at"),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    connection_id: Mapped[UUID]
    imported_by: Mapped[UUID]
    imported_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    rows: Mapped[int] = mapped_column(BigInteger)
    refused: Mapped[int] = mapped_column(BigInteger)
    events: Mapped[int] = mapped_column(BigInteger)
    changed: Mapped[int] = mapped_column(BigInteger)
    report: Mapped[dict[str, Any]] = mapped_column(JSONB)
