"""What happens to somebody in an account happens in its further workspaces too, in the same transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.keys.service import settle_keys
from payflux.frontdoor.accounts.models import Membership
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team.capabilities import Role
from payflux.frontdoor.accounts.team.members import end_membership
from payflux.frontdoor.accounts.workspaces.queries import workspaces_of
from payflux.kit.audit import record_change
from payflux.kit.database import in_account


async def leave_workspaces(session: AsyncSession, who: SignedIn, *, user_id: UUID, now: datetime) -> list[UUID]:
    """End the place of somebody who has left the account of `who` in each of its workspaces, with their keys and open
    invites there; returns the ones they were in."""
    left = []
    for workspace in await workspaces_of(session, account_id=who.account_id):
        async with in_account(session, workspace.id):
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


async def hand_over_workspaces(
    session: AsyncSession, *, account_id: UUID, from_user_id: UUID, to_user_id: UUID, actor_id: UUID, now: datetime
) -> None:
    """Make the account's new owner the owner of each of its workspaces, whether or not they were in it, and the former
    one an admin there."""
    for workspace in await workspaces_of(session, account_id=account_id):
        async with in_account(session, workspace.id):
            former = (Membership.account_id == workspace.id, Membership.user_id == from_user_id)
            await session.execute(update(Membership).where(*former).values(role=Role.ADMIN))
            place = {"account_id": workspace.id, "user_id": to_user_id, "role": Role.OWNER, "created_at": now}
            owning = insert(Membership).values(place)
            key = [Membership.account_id, Membership.user_id]
            await session.execute(owning.on_conflict_do_update(index_elements=key, set_={"role": Role.OWNER}))
            await record_change(
                session,
                account_id=workspace.id,
                actor_id=actor_id,
                action="ownership.accepted",
                subject=str(workspace.id),
                at=now,
                before={"owner": str(from_user_id)},
                after={"owner": str(to_user_id)},
            )
