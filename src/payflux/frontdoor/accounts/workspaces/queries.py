"""Which workspaces an account has, and who takes a seat in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import Account, Membership, User
from payflux.frontdoor.accounts.team.models import AccountInvite
from payflux.frontdoor.accounts.workspaces.paying import paying_account
from payflux.kit.errors import NotFound
from payflux.kit.messages import gettext as _


@dataclass(frozen=True)
class FurtherWorkspace:
    """A further workspace of an account; its id is that of an account."""

    id: UUID
    name: str


async def workspaces_of(session: AsyncSession, *, account_id: UUID) -> list[FurtherWorkspace]:
    """The further workspaces of an account, the oldest first, as the account itself or the system role reads them; of
    a workspace none."""
    query = select(Account.id, Account.name).where(Account.parent_id == account_id)
    return [FurtherWorkspace(*row) for row in await session.execute(query.order_by(Account.created_at, Account.id))]


async def find_workspace(session: AsyncSession, *, account_id: UUID, workspace_id: UUID) -> FurtherWorkspace:
    """One of an account's further workspaces. Raises NotFound."""
    found = [each for each in await workspaces_of(session, account_id=account_id) if each.id == workspace_id]
    if not found:
        raise NotFound(_("Your account has no such workspace."), way_out=_("Reload the list of workspaces."))
    return found[0]


async def has_family(session: AsyncSession, *, account_id: UUID) -> bool:
    """Whether the account has further workspaces, or is one."""
    query = select(Account.id).where(
        or_(Account.parent_id == account_id, (Account.id == account_id) & Account.parent_id.is_not(None))
    )
    return (await session.execute(query.limit(1))).first() is not None


async def family_of(session: AsyncSession, *, account_id: UUID) -> list[UUID]:
    """The account that pays for `account_id`, and then its further workspaces. As the system role."""
    paying = paying_account(account_id)
    query = select(Account.id).where(or_(Account.id == paying, Account.parent_id == paying))
    ordered = query.order_by(Account.parent_id.is_not(None), Account.created_at, Account.id)
    return list((await session.execute(ordered)).scalars())


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
