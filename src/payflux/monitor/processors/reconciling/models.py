"""The table of reconciliation: what each check of the books found."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKeyConstraint, Text
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base

Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
MaybeAmount = Annotated[int | None, mapped_column(BigInteger)]


class Reconciliation(Base):
    """One check of one identity over one stretch of time; see `rules.Check`, whose fields these are.

    A stretch that is checked again replaces what was found before.
    """

    __tablename__ = "reconciliations"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "connection_id"],
            ["processor_connections.account_id", "processor_connections.id"],
            ondelete="CASCADE",
        ),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    connection_id: Mapped[UUID] = mapped_column(primary_key=True)
    identity: Mapped[str] = mapped_column(Text, primary_key=True)
    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    currency: Mapped[str] = mapped_column(Text, primary_key=True)
    until: Mapped[Instant] = mapped_column(primary_key=True)
    since: Mapped[Instant]
    expected: Mapped[MaybeAmount]
    actual: Mapped[MaybeAmount]
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text, server_default="", default="")
    checked_at: Mapped[Instant]
