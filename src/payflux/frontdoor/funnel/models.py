"""The product events that happened."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from payflux.frontdoor.funnel.events import PropertyValue
from payflux.kit.database import Base


class RecordedEvent(Base):
    """A product event, written in the transaction of what it tells of. Append-only but for `sent_at`, when the
    analytics service had it (that service tells a second copy by `id`), and for what ends in time.

    `account_id` is None for a stranger, `visitor` is :func:`~payflux.frontdoor.funnel.rules.visitor_key`, and
    `dedupe_key` what a repetition would have too.
    """

    __tablename__ = "product_events"
    __table_args__ = (
        Index(
            "uq_product_events_dedupe_key",
            "account_id",
            "dedupe_key",
            unique=True,
            postgresql_where=text("dedupe_key IS NOT NULL"),
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_product_events_name_at", "name", "at"),
        Index("ix_product_events_unsent", "id", postgresql_where=text("sent_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    visitor: Mapped[str | None] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(50))
    properties: Mapped[dict[str, PropertyValue]] = mapped_column(JSONB)
    dedupe_key: Mapped[str | None] = mapped_column(String(300))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
