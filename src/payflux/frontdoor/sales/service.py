"""Take a lead in, and follow it up."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.rules import normalize_email
from payflux.frontdoor.accounts.throttling import Budget, require_budget, spend
from payflux.frontdoor.funnel.events import SalesSource, TalkToSalesFormSubmitted
from payflux.frontdoor.funnel.recording import record
from payflux.frontdoor.sales import rules
from payflux.frontdoor.sales.models import SalesLead, SalesLeadChange
from payflux.frontdoor.sales.rules import Inquiry, LeadStatus
from payflux.kit.crypto import TokenHasher
from payflux.kit.errors import InvalidInput, NotFound
from payflux.kit.ids import new_id
from payflux.kit.messages import gettext as _
from payflux.world.outbox import enqueue_mail_to_address

log = structlog.get_logger(__name__)

SALES = "sales"
"""Where the address of sales is kept: the settings."""


def source_of(named: str) -> SalesSource:
    """The page that led to the form; `direct` where it is none that is known."""
    return SalesSource(named) if named in set(SalesSource) else SalesSource.DIRECT


async def take_lead(
    session: AsyncSession,
    tokens: TokenHasher,
    inquiry: Inquiry,
    *,
    source: SalesSource,
    address: str,
    visitor: str,
    now: datetime,
) -> UUID:
    """Keep what somebody asked, and tell sales by mail; the lead's id. The same words sent twice are one lead.

    `address` is the network address that it came from. As the system role: it is nobody's account.
    Raises InvalidInput, and TooManyRequests where somebody sends one after the other.
    """
    cleaned = inquiry.cleaned()
    if found := rules.problems(cleaned):
        raise InvalidInput(found)
    email = normalize_email(cleaned.email)
    budgets = (
        Budget(f"sales lead from {address}", rules.LEADS_PER_CLIENT),
        Budget(f"sales lead of {email}", rules.LEADS_PER_EMAIL),
    )
    refusal = _("You have sent several messages just now.")
    await require_budget(session, tokens, *budgets, refusal=refusal, now=now)
    repeated = select(SalesLead.id).where(
        SalesLead.email_normalized == email,
        SalesLead.message == cleaned.message,
        SalesLead.company == cleaned.company,
        SalesLead.created_at > now - rules.REPEATED_WITHIN,
    )
    if (earlier := (await session.execute(repeated.limit(1))).scalar_one_or_none()) is not None:
        return earlier
    await spend(session, tokens, *(budget.key for budget in budgets), now=now)
    lead = SalesLead(
        id=new_id(),
        email=cleaned.email,
        email_normalized=email,
        name=cleaned.name,
        company=cleaned.company,
        team_size=cleaned.team_size,
        message=cleaned.message,
        source=source,
        posthog_distinct_id=visitor,
        status=LeadStatus.NEW,
        created_at=now,
        updated_at=now,
    )
    session.add(lead)
    await session.flush()
    await enqueue_mail_to_address(session, "sales_lead", SALES, lead.id)
    await record(session, TalkToSalesFormSubmitted(source=source), at=now, visitor=visitor)
    return lead.id


async def change_status(
    session: AsyncSession, *, lead_id: UUID, status: LeadStatus, staff_id: UUID, by: str, now: datetime
) -> None:
    """Say how far a lead is, and keep who said so; the status that it has changes nothing. Raises NotFound."""
    lead = await session.get(SalesLead, lead_id, with_for_update=True)
    if lead is None:
        raise _gone()
    if lead.status == status:
        return
    session.add(
        SalesLeadChange(
            id=new_id(), lead_id=lead_id, before=lead.status, after=status, staff_id=staff_id, changed_by=by, at=now
        )
    )
    lead.status, lead.updated_at = status, now


async def erase_lead(session: AsyncSession, *, lead_id: UUID, staff_id: UUID) -> None:
    """Erase a lead and its history, as whoever sent it may ask for; the log keeps that it was done. Raises NotFound."""
    erased = delete(SalesLead).where(SalesLead.id == lead_id).returning(SalesLead.id)
    if (await session.execute(erased)).scalar_one_or_none() is None:
        raise _gone()
    log.info("sales lead erased", lead_id=str(lead_id), staff_id=str(staff_id))


async def delete_old_leads(session: AsyncSession, *, now: datetime) -> None:
    """Delete what was closed a year ago."""
    old = (SalesLead.status == LeadStatus.CLOSED, SalesLead.updated_at < now - rules.KEPT_AFTER_CLOSING)
    await session.execute(delete(SalesLead).where(*old))


def _gone() -> NotFound:
    return NotFound(_("There is no such lead (any more)."), way_out=_("Go back to the list."))
