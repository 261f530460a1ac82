"""Reads on accounts and their members."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import Account, Membership, User
from payflux.kit.messages import gettext as _


@dataclass(frozen=True)
class Addressee:
    """Whoever a mail is for, as it addresses them; `name` and `account_name` may be empty, and so may `language` where
    nobody knows what they read. `user_id` is whose address it is, None where it is perhaps nobody's; `mail_returns`
    whether mail to it has come back."""

    name: str
    email: str
    account_name: str
    language: str | None = None
    user_id: UUID | None = None
    mail_returns: bool = False

    @property
    def greeting(self) -> str:
        """How a mail begins, in the language of the task at hand."""
        return _("Hello %(name)s,") % {"name": self.name}


async def owner_ids(session: AsyncSession, *, account_id: UUID) -> list[UUID]:
    """The users who own the account."""
    owners = select(Membership.user_id).where(Membership.account_id == account_id, Membership.role == "owner")
    return list((await session.execute(owners)).scalars())


async def account_of(session: AsyncSession, user_id: UUID) -> UUID | None:
    """The account that a user came to first; None for one who has none. As the system role."""
    places = select(Membership.account_id).where(Membership.user_id == user_id)
    first = places.order_by(Membership.created_at, Membership.account_id).limit(1)
    return (await session.execute(first)).scalar_one_or_none()


async def get_addressee(session: AsyncSession, *, account_id: UUID, user_id: UUID) -> Addressee | None:
    """How to write to a member, as the system role reads it; None when they have left the account."""
    query = (
        select(User, Account.name)
        .join(Membership, Membership.user_id == User.id)
        .join(Account, Account.id == Membership.account_id)
        .where(Membership.account_id == account_id, User.id == user_id)
    )
    found = (await session.execute(query)).one_or_none()
    return None if found is None else _addressed(found[0], found[1])


async def get_user_addressee(session: AsyncSession, *, user_id: UUID) -> Addressee | None:
    """How to write to a user as a person, whatever accounts they belong to; None when there is no such user."""
    user = await session.get(User, user_id)
    return None if user is None else _addressed(user)


def _addressed(user: User, account_name: str = "") -> Addressee:
    return Addressee(user.name, user.email, account_name, user.language, user.id, user.mail_returns)
