"""Mails that ask their reader to prove that they read them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base


class EmailChallenge(Base):
    """One such mail to `email`, for a user whose address was `previous_email` when it was asked for. A newer one for
    the same purpose supersedes it. What it carries is computed from its id (see :mod:`.secrets`)."""

    __tablename__ = "email_challenges"
    __table_args__ = (
        CheckConstraint("purpose in ('verify', 'reset', 'change', 'taken')", name="purpose"),
        Index("ix_email_challenges_user_id_purpose", "user_id", "purpose", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(String(10))
    email: Mapped[str] = mapped_column(String(320))
    previous_email: Mapped[str] = mapped_column(String(320))
    code_attempts: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    superseded_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
