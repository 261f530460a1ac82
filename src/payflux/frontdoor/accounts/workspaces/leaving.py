"""Who leaves an account leaves its further workspaces too, in the same transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.family import workspaces_of
from payflux.frontdoor.accounts.keys.service import settle_keys
from payflux.frontdoor.accounts.models import Membership
from payflux.frontdoor.accounts.rules import normalize_email
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team.members import end_membership
from payflux.frontdoor.accounts.team.models import AccountInvite
from payflux.kit.audit import record_change
from payflux.kit.database import in_account


async def leave_workspaces(
    session: AsyncSession, who: SignedIn, *, user_id: UUID, email: str, now: datetime
) -> list[UUID]:
    """End the place of somebody who has left the account of `who` in each of its workspaces, with their keys and open
    invites there, and take back what invites `email`, their address; returns the ones they were in."""
    left = []
    invited = (
        AccountInvite.email_normalized == normalize_email(email),
        AccountInvite.accepted_at.is_(None),
        AccountInvite.revoked_at.is_(None),
    )
    for workspace in await workspaces_of(session, account_id=who.account_id):
        async with in_account(session, workspace.id):
            # first: whoever accepts one at this moment is a member by now, or finds it taken back
            mine = update(AccountInvite).where(AccountInvite.account_id == workspace.id, *invited)
            await session.execute(mine.values(revoked_at=now))
            place = select(Membership.role).where(Membership.account_id == workspace.id, Membership.user_id == user_id)
            role = (await session.execute(place)).scalar_one_or_none()
            if role is None:
                continue
            there = replace(who, account_id=workspace.id)
            await settle_keys(session, there, owner_id=user_id, becomes="revoke", now=now)
            await end_membership(session, account_id=workspace.id, user_id=user_id, heir=None, now=now)
            await record_change(
                session,
                account_id=workspace.id,
                actor_id=who.user_id,
                action="member.removed",
                subject=str(user_id),
                at=now,
                before={"role": role},
            )
            left.append(workspace.id)
    return left
