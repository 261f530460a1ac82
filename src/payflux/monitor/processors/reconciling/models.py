"""The tables of reconciliation: balances over time, and what each check of the books found."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKeyConstraint, Text
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base

Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
MaybeAmount = Annotated[int | None, mapped_column(BigInteger)]


def _of_a_connection() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["account_id", "connection_id"],
        ["processor_connections.account_id", "processor_connections.id"],
        ondelete="CASCADE",
    )


class StoredBalance(Base):
    """What a connection's account held in one currency at one instant, in minor units; `reserved` is NULL where the
    processor does not show it."""

    __tablename__ = "balance_snapshots"
    __table_args__ = (_of_a_connection(),)

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    connection_id: Mapped[UUID] = mapped_column(primary_key=True)
    taken_at: Mapped[Instant] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(Text, primary_key=True)
    available: Mapped[int] = mapped_column(BigInteger)
    pending: Mapped[int] = mapped_column(BigInteger)
    reserved: Mapped[MaybeAmount]


class Reconciliation(Base):
    """One check of one identity over one stretch of time; see `rules.Check`, whose fields these are.

    A stretch that is checked again replaces what was found before.
    """

    __tablename__ = "reconciliations"
    __table_args__ = (_of_a_connection(),)

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
