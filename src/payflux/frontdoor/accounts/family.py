"""An account and its further workspaces, each a tenant of its own: which belong together, and who pays for them.

What is bought, granted or counted is that account's, the one without a parent.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from payflux.frontdoor.accounts.models import Account, Membership


@dataclass(frozen=True)
class FurtherWorkspace:
    """A further workspace of an account; its id is that of an account."""

    id: UUID
    name: str


@dataclass(frozen=True)
class Place:
    """An account that a user is in, or a further workspace of one, which is then `parent_id`, called `parent_name`."""

    account_id: UUID
    name: str
    role: str
    parent_id: UUID | None = None
    parent_name: str = ""

    @property
    def paying_account_id(self) -> UUID:
        """The account as a whole."""
        return self.parent_id or self.account_id


def paying_account(account_id: UUID) -> ColumnElement[UUID]:
    """The id of the account that pays for `account_id`, as a part of a statement."""
    parent = select(Account.parent_id).where(Account.id == account_id).scalar_subquery()
    return func.coalesce(parent, account_id)


async def parent_of(session: AsyncSession, *, account_id: UUID) -> UUID | None:
    """The account whose workspace `account_id` is; None for an account itself."""
    return (await session.execute(select(Account.parent_id).where(Account.id == account_id))).scalar_one_or_none()


async def workspaces_of(session: AsyncSession, *, account_id: UUID) -> list[FurtherWorkspace]:
    """The further workspaces of an account, the oldest first, as the account itself or the system role reads them; of
    a workspace none."""
    query = select(Account.id, Account.name).where(Account.parent_id == account_id)
    return [FurtherWorkspace(*row) for row in await session.execute(query.order_by(Account.created_at, Account.id))]


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


async def places_of(session: AsyncSession, *, user_id: UUID) -> list[Place]:
    """The accounts and workspaces a user is in, as the system role reads them; the first is the one they joined
    first."""
    parent = aliased(Account)
    query = (
        select(Account.id, Account.name, Membership.role, Account.parent_id, func.coalesce(parent.name, ""))
        .join(Membership, Membership.account_id == Account.id)
        .outerjoin(parent, parent.id == Account.parent_id)
        .where(Membership.user_id == user_id)
        .order_by(Membership.created_at, Account.id)
    )
    return [Place(*row) for row in await session.execute(query)]
