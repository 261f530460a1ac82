"""New users and new accounts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts import rules
from payflux.frontdoor.accounts.models import Account, Membership, User
from payflux.frontdoor.accounts.passwords import hash_password, leak_problem
from payflux.kit.audit import record_change
from payflux.kit.errors import Conflict, InvalidInput
from payflux.kit.ids import new_id
from payflux.kit.messages import gettext as _
from payflux.world.bootstrap import World


class EmailTaken(Conflict):
    code = "email_taken"


async def create_user(
    session: AsyncSession,
    *,
    name: str,
    email: str,
    password_hash: str | None,
    verified_at: datetime | None,
    now: datetime,
) -> User:
    """A new user; `verified_at` where somebody we trust has proven that the address is theirs. Raises EmailTaken."""
    added = await session.execute(
        insert(User)
        .values(
            id=new_id(),
            email=email.strip(),
            email_normalized=rules.normalize_email(email),
            name=" ".join(name.split()),
            password_hash=password_hash,
            email_verified_at=verified_at,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=[User.email_normalized])
        .returning(User)
    )
    user = added.scalar_one_or_none()
    if user is None:
        raise EmailTaken(_("This address cannot be registered again."), way_out=_("Sign in, or use another address."))
    return user


async def create_account(
    session: AsyncSession,
    *,
    owner: User,
    name: str = "",
    intended_plan: str | None = None,
    signup_source: str | None = None,
    now: datetime,
) -> Account:
    """A new account that `owner` owns, called `name` or, without one, after the owner's address."""
    account = Account(
        id=new_id(),
        name=name or _account_name(owner),
        intended_plan=intended_plan,
        signup_source=signup_source,
        created_at=now,
    )
    session.add(account)
    await session.flush()
    session.add(Membership(account_id=account.id, user_id=owner.id, role="owner", created_at=now))
    await session.flush()
    await record_change(
        session, account_id=account.id, actor_id=owner.id, action="account.registered", subject=str(account.id), at=now
    )
    return account


async def check_registration(world: World, *, name: str, email: str, password: str) -> dict[str, str]:
    """What is wrong with a registration, by field, as far as can be told without looking at who is registered."""
    problems = rules.registration_problems(name=name, email=email, password=password)
    if "password" not in problems and (problem := await leak_problem(world, password)):
        problems["password"] = problem
    return problems


async def register_user(session: AsyncSession, *, name: str, email: str, password: str, now: datetime) -> User:
    """A new user with a password, whose address is yet to be proven.

    Raises InvalidInput naming each wrong field, and EmailTaken.
    """
    if problems := rules.registration_problems(name=name, email=email, password=password):
        raise InvalidInput(problems)
    password_hash = await hash_password(password)
    return await create_user(session, name=name, email=email, password_hash=password_hash, verified_at=None, now=now)


async def register(
    session: AsyncSession, *, name: str, email: str, password: str, now: datetime
) -> tuple[User, Account]:
    """A new user with a password, and the account they own.

    Raises InvalidInput naming each wrong field, and EmailTaken.
    """
    user = await register_user(session, name=name, email=email, password=password, now=now)
    return user, await create_account(session, owner=user, now=now)


def _account_name(user: User) -> str:
    domain = user.email_normalized.partition("@")[2].split(".")[0]
    return domain.capitalize() if len(domain) > 1 else f"{user.name}'s business"
