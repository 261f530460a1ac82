"""The periods that accounts have chosen."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from payflux.activation.retention.rules import Choice
from payflux.kit.database import Base


class RetentionPeriod(Base):
    """For how many days an account keeps what is of one kind; see `rules.Choice`."""

    __tablename__ = "retention_periods"
    __table_args__ = (
        CheckConstraint("days > 0", name="days"),
        CheckConstraint("coming_days > 0", name="coming_days"),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    days: Mapped[int | None]
    coming_days: Mapped[int | None]
    coming_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    @property
    def choice(self) -> Choice:
        return Choice(self.days, self.coming_days, self.coming_at)
