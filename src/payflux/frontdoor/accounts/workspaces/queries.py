"""One of an account's workspaces, and who takes a seat in them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.family import FurtherWorkspace, workspaces_of
from payflux.frontdoor.accounts.models import Membership, User
from payflux.frontdoor.accounts.team.models import AccountInvite
from payflux.kit.errors import NotFound
from payflux.kit.messages import gettext as _


async def find_workspace(session: AsyncSession, *, account_id: UUID, workspace_id: UUID) -> FurtherWorkspace:
    """One of an account's further workspaces. Raises NotFound."""
    found = [each for each in await workspaces_of(session, account_id=account_id) if each.id == workspace_id]
    if not found:
        raise NotFound(_("Your account has no such workspace."), way_out=_("Reload the list of workspaces."))
    return found[0]


async def addresses_in(
    session: AsyncSession, account_ids: Iterable[UUID], *, now: datetime
) -> tuple[frozenset[str], frozenset[str]]:
    """The normalized addresses of the members of these accounts, and those with an open invite into one."""
    ids = list(account_ids)
    members = select(User.email_normalized).join(Membership, Membership.user_id == User.id)
    invites = select(AccountInvite.email_normalized).where(
        AccountInvite.account_id.in_(ids),
        AccountInvite.accepted_at.is_(None),
        AccountInvite.revoked_at.is_(None),
        AccountInvite.expires_at > now,
    )
    present = (await session.execute(members.where(Membership.account_id.in_(ids)))).scalars()
    return frozenset(present), frozenset((await session.execute(invites)).scalars())
