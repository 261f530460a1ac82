"""End a member's place in an account, with everything that hangs on it: also in the account's further workspaces."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.deletion import enqueue_forgetting
from payflux.frontdoor.accounts.keys.service import KeysOfLeaver, settle_keys
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.sso.leaving import bury
from payflux.frontdoor.accounts.team.members import InvitesOfLeaver, leave, remove_member
from payflux.frontdoor.accounts.team.queries import find_member
from payflux.frontdoor.accounts.workspaces.leaving import leave_workspaces
from payflux.world.bootstrap import World


async def remove_for_good(
    session: AsyncSession,
    world: World,
    who: SignedIn,
    *,
    user_id: UUID,
    invites: InvitesOfLeaver,
    keys: KeysOfLeaver,
) -> None:
    """Remove a member, settle their invites and keys, and let their identity provider alone not bring them back. Raises
    what :func:`payflux.frontdoor.accounts.team.members.remove_member` does."""
    now = world.clock.now()
    member = await find_member(session, account_id=who.account_id, user_id=user_id)
    if member is not None:  # first, for their identities end with their place
        await bury(session, world.tokens, account_id=who.account_id, user_id=user_id, email=member.email, now=now)
    removed = await remove_member(session, who, user_id=user_id, invites=invites, now=now)
    await settle_keys(session, who, owner_id=user_id, becomes=keys, now=now)
    await _follow(session, who, user_id=user_id, email=removed.email, now=now)


async def leave_for_good(session: AsyncSession, world: World, who: SignedIn) -> None:
    """End the caller's own place; their keys are revoked. Raises OwnerStays."""
    now = world.clock.now()
    await leave(session, who, now=now)
    await settle_keys(session, who, owner_id=who.user_id, becomes="revoke", now=now)
    await _follow(session, who, user_id=who.user_id, email=who.email, now=now)


async def _follow(session: AsyncSession, who: SignedIn, *, user_id: UUID, email: str, now: datetime) -> None:
    left = await leave_workspaces(session, who, user_id=user_id, email=email, now=now)
    for account_id in (who.account_id, *left):
        await enqueue_forgetting(session, account_id=account_id, user_id=user_id, parent_id=who.parent_id)
