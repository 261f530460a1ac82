"""The audit log: who changed what, when; written in the transaction of the change."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Index, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base
from payflux.kit.ids import new_id


class AuditEntry(Base):
    """One change of state. `actor_id` is the user who asked for it, or None when the system did. Append-only."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_account_id_at", "account_id", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    actor_id: Mapped[UUID | None]
    action: Mapped[str] = mapped_column(String(100))
    subject: Mapped[str] = mapped_column(String(200))
    before: Mapped[dict[str, object] | None] = mapped_column(JSONB)
    after: Mapped[dict[str, object] | None] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


async def record_change(
    session: AsyncSession,
    *,
    account_id: UUID,
    action: str,
    subject: str,
    at: datetime,
    actor_id: UUID | None = None,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    """Write an audit entry that stands if, and only if, the change it tells of does."""
    session.add(
        AuditEntry(
            id=new_id(),
            account_id=account_id,
            actor_id=actor_id,
            action=action,
            subject=subject,
            before=before,
            after=after,
            at=at,
        )
    )
    await session.flush()
