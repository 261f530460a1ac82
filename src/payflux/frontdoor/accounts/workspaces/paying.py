"""Who pays for an account: itself, or the one whose workspace it is. Everything that is bought, granted or counted is
that one's."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import Account


def paying_account(account_id: UUID) -> ColumnElement[UUID]:
    """The id of the account that pays for `account_id`, as a part of a statement."""
    parent = select(Account.parent_id).where(Account.id == account_id).scalar_subquery()
    return func.coalesce(parent, account_id)


async def parent_of(session: AsyncSession, *, account_id: UUID) -> UUID | None:
    """The account whose workspace `account_id` is; None for an account itself."""
    return (await session.execute(select(Account.parent_id).where(Account.id == account_id))).scalar_one_or_none()
