"""A domain that was proven is looked up again, for it may be somebody else's by now."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.sso.domains import end_enforcement_of, find_domain
from payflux.frontdoor.accounts.sso.models import SsoDomain
from payflux.frontdoor.accounts.sso.rules import LOOK_AGAIN, LOOK_SOON, Standing, is_proven, standing_of
from payflux.kit.audit import record_change


async def domains_to_look_up(session: AsyncSession, *, now: datetime) -> list[tuple[UUID, str]]:
    """(account, domain) of every proven domain that is due: a week after it was last seen, a day after it was not. As
    the system role."""
    row = SsoDomain
    due = select(row.account_id, row.domain).where(
        row.proven_at.is_not(None),
        or_(
            func.coalesce(row.checked_at, row.proven_at) <= now - LOOK_AGAIN,
            and_(row.missing_since.is_not(None), row.checked_at <= now - LOOK_SOON),
        ),
    )
    return [(account_id, domain) for account_id, domain in await session.execute(due.order_by(row.account_id))]


async def note_look(
    session: AsyncSession, *, account_id: UUID, domain: str, texts: list[str], now: datetime
) -> Standing | None:
    """Keep what a look at a domain's record found; how the domain stands from now on, None where that is as before.

    One that lapses is proven no longer: nobody has to, or can, sign in by it until it is proven anew. Raises NotFound.
    """
    row = await find_domain(session, account_id=account_id, domain=domain)
    if row.proven_at is None:
        return None
    before = standing_of(row.missing_since, times_missing=row.times_missing, now=row.checked_at or row.proven_at)
    if is_proven(texts, row.challenge):
        row.missing_since, row.times_missing = None, 0
    else:
        row.missing_since, row.times_missing = row.missing_since or now, row.times_missing + 1
    row.checked_at = now
    after = standing_of(row.missing_since, times_missing=row.times_missing, now=now)
    if after is before:
        await session.flush()
        return None
    if after is Standing.LAPSED:
        row.proven_at, row.lapsed_at = None, now
        await end_enforcement_of(session, account_id=account_id, domain=domain)
    await session.flush()
    since = row.missing_since.isoformat() if row.missing_since else None
    await record_change(
        session,
        account_id=account_id,
        action=f"sso.domain_{'found_again' if after is Standing.SOUND else after}",
        subject=domain,
        at=now,
        after={"missing_since": since},
    )
    return after
