"""Website scans: a stranger's, which expire, and those that an account keeps."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base


class ScanStatus(StrEnum):
    WAITING = "waiting"
    READING = "reading"
    DONE = "done"
    FAILED = "failed"


class AskedBy(StrEnum):
    PAGE = "page"
    API = "api"


class Part(StrEnum):
    """What the card of a scan may show, as its owner chooses; the band and the day always."""

    HOST = "host"
    COUNTS = "counts"


class SiteScan(Base):
    """One scan of a website. Without `account_id` it is a stranger's and ends at `expires_at`.

    `pages_read` are the addresses so far; `assessment` is an
    :class:`~payflux.monitor.scan.rules.findings.Assessment` once it is done; `problem` a key of
    :data:`~payflux.monitor.scan.crawling.PROBLEMS` where it failed. `shared` are the parts of its card, None while no
    card is shared.
    """

    __tablename__ = "site_scans"
    __table_args__ = (
        CheckConstraint("status in ('waiting', 'reading', 'done', 'failed')", name="status"),
        CheckConstraint("asked_by in ('page', 'api')", name="asked_by"),
        CheckConstraint("(account_id IS NULL) = (expires_at IS NOT NULL)", name="expires_unless_claimed"),
        Index("ix_site_scans_account_id", "account_id", "created_at"),
        Index("ix_site_scans_host", "host", "created_at"),
        Index("ix_site_scans_expires_at", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    asked_by: Mapped[str] = mapped_column(String(10))
    url: Mapped[str] = mapped_column(Text)
    host: Mapped[str] = mapped_column(String(253))
    status: Mapped[str] = mapped_column(String(10))
    problem: Mapped[str] = mapped_column(String(30), default="", server_default="")
    pages_read: Mapped[list[str]] = mapped_column(JSONB)
    assessment: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    shared: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    claimed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    @property
    def is_over(self) -> bool:
        return self.status in (ScanStatus.DONE, ScanStatus.FAILED)
