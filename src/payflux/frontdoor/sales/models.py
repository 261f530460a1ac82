"""Who asked to talk to sales, and what became of it. They belong to no account."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base


class SalesLead(Base):
    """Somebody who asked to talk. `email` is as typed, `email_normalized` what is compared; `source` is the page that
    led to the form, `posthog_distinct_id` the visitor as product events know them. `status` is a
    :class:`~payflux.frontdoor.sales.rules.LeadStatus`."""

    __tablename__ = "sales_leads"
    __table_args__ = (CheckConstraint("status IN ('new', 'contacted', 'closed')", name="ck_sales_leads_status"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(320))
    email_normalized: Mapped[str] = mapped_column(String(320), index=True)
    name: Mapped[str] = mapped_column(String(200))
    company: Mapped[str] = mapped_column(String(200))
    team_size: Mapped[str] = mapped_column(String(20))
    message: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(50))
    posthog_distinct_id: Mapped[str | None] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(20), server_default="new")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SalesLeadChange(Base):
    """One change of a lead's status, and who of the staff made it. Append-only; it goes with its lead."""

    __tablename__ = "sales_lead_changes"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[UUID] = mapped_column(ForeignKey("sales_leads.id", ondelete="CASCADE"), index=True)
    before: Mapped[str] = mapped_column(String(20))
    after: Mapped[str] = mapped_column(String(20))
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff_members.id"))
    changed_by: Mapped[str] = mapped_column(String(600))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
