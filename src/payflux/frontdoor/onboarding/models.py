"""What an account has reached."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base


class Milestone(Base):
    """That an account has reached something for the first time. It stays when what it reached ends."""

    __tablename__ = "milestones"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    milestone: Mapped[str] = mapped_column(String(50), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
