"""Visits: staff look at an account as one of its members, and can change nothing.

A visit is a session of the member that says by whom it is. It ends after 30 minutes, however much it is used, never
counts as a fresh proof of who somebody is, and the account's log tells of its beginning and its end.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import Membership, Session
from payflux.frontdoor.accounts.rules import printable
from payflux.frontdoor.accounts.sessions import Client
from payflux.frontdoor.staff import rules
from payflux.frontdoor.staff.acts import record_act, require_reason
from payflux.frontdoor.staff.models import StaffMember
from payflux.frontdoor.staff.signing_in import Staff
from payflux.kit.crypto import TokenHasher
from payflux.kit.errors import NotFound
from payflux.kit.ids import new_id

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


async def start_visit(
    session: AsyncSession,
    tokens: TokenHasher,
    staff: Staff,
    *,
    account_id: UUID,
    user_id: UUID,
    reason: str,
    client: Client,
    now: datetime,
    as_of: datetime | None = None,
) -> str:
    """Look at the account as this member, as of another instant where one is given; returns the token of the visit. An
    earlier visit of theirs ends.

    Raises InvalidInput without a reason, and NotFound for somebody who is no member.
    """
    reason = require_reason(reason)
    member = await session.get(Membership, (account_id, user_id))
    if member is None:
        raise NotFound("They are not a member of this account.", way_out="Choose one of its members.")
    await session.execute(delete(Session).where(Session.impersonated_by == staff.id))
    token = tokens.new_token()
    session.add(
        Session(
            id=new_id(),
            token_digest=tokens.digest(token),
            user_id=user_id,
            account_id=account_id,
            impersonated_by=staff.id,
            as_of=as_of,
            kind="browser",
            user_agent=printable(client.user_agent)[:300],
            address=printable(client.address)[:64],
            factors=[],
            created_at=now,
            authenticated_at=_NEVER,
            last_used_at=now,
            expires_at=now + rules.VISIT_LENGTH,
        )
    )
    looked_at = {} if as_of is None else {"as_of": as_of.isoformat()}
    await record_act(
        session,
        staff,
        account_id=account_id,
        act="visit_started",
        subject=str(user_id),
        at=now,
        reason=reason,
        **looked_at,
    )
    return token


async def end_visit(session: AsyncSession, tokens: TokenHasher, *, token: str, now: datetime) -> UUID | None:
    """End the visit whose token this is; returns the account it was to, or None where it is the token of no visit."""
    visit = Session.token_digest == tokens.digest(token), Session.impersonated_by.is_not(None)
    found = (
        await session.execute(
            select(Session, StaffMember).join(StaffMember, StaffMember.id == Session.impersonated_by).where(*visit)
        )
    ).one_or_none()
    if found is None:
        return None
    seen, member = found
    await session.delete(seen)
    if seen.account_id is not None:
        staff = Staff(member.id, seen.id, member.name, member.email, seen.created_at)
        await record_act(
            session, staff, account_id=seen.account_id, act="visit_ended", subject=str(seen.user_id), at=now
        )
    return seen.account_id
