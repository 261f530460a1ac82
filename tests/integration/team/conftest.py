"""The cast in the database: Alice owns an account, Bob is a member of it, Charlie owns another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import make_url, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.service import create_workspace
from payflux.frontdoor.accounts.models import Account, Membership, User
from payflux.frontdoor.accounts.registering import create_account, create_user
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.billing.trials import start_trial
from payflux.kit.ids import new_id
from payflux.kit.postgres import EmbeddedPostgres
from payflux.world.bootstrap import World

Result = TypeVar("Result")
ADDRESS = "{}@shop.example"


async def add_user(world: World, name: str, *, verified: bool = True) -> User:
    """A user who is in no account yet."""
    now = world.clock.now()
    async with world.database.system() as session:
        return await create_user(
            session,
            name=name,
            email=ADDRESS.format(name.lower()),
            password_hash=None,
            verified_at=now if verified else None,
            now=now,
        )


async def add_owner(world: World, name: str, *, verified: bool = True) -> SignedIn:
    """A user with an account of their own, on trial."""
    user, now = await add_user(world, name, verified=verified), world.clock.now()
    async with world.database.system() as session:
        account = await create_account(session, owner=user, name=f"{name}'s shop", now=now)
        await start_trial(session, account_id=account.id, now=now)
        await create_workspace(session, account_id=account.id, name=account.name, now=now)
    return await acting(world, user.id, account.id)


async def add_member(world: World, owner: SignedIn, name: str, role: str, *, verified: bool = True) -> SignedIn:
    """A new user who is a member of the owner's account."""
    user = await add_user(world, name, verified=verified)
    async with world.database.system() as session:
        session.add(Membership(account_id=owner.account_id, user_id=user.id, role=role, created_at=world.clock.now()))
    return await acting(world, user.id, owner.account_id)


async def acting(world: World, user_id: UUID, account_id: UUID) -> SignedIn:
    """A member as a request of theirs would see them now."""
    async with world.database.system() as session:
        query = select(User, Membership.role, Account.name).join(Membership, Membership.user_id == User.id)
        query = query.join(Account, Account.id == Membership.account_id)
        user, role, account_name = (
            await session.execute(query.where(User.id == user_id, Account.id == account_id))
        ).one()
    return SignedIn(
        user_id=user.id,
        account_id=account_id,
        session_id=new_id(),
        role=role,
        name=user.name,
        email=user.email,
        email_verified=user.email_verified_at is not None,
        user_created_at=user.created_at,
        account_name=account_name,
        authenticated_at=world.clock.now(),
        factors=frozenset({"password"}),
    )


async def as_tenant(world: World, who: SignedIn, verb: Callable[[AsyncSession], Awaitable[Result]]) -> Result:
    """What `verb` does in one transaction on the rows of the caller's account."""
    async with world.database.tenant(who.account_id) as session:
        return await verb(session)


async def roles(world: World, account_id: UUID) -> dict[str, str]:
    """The members' roles by their names."""
    async with world.database.system() as session:
        query = select(User.name, Membership.role).join(Membership, Membership.user_id == User.id)
        return {row.name: row.role for row in await session.execute(query.where(Membership.account_id == account_id))}


async def set_plan(stored: asyncpg.Connection, who: SignedIn, plan: str, status: str = "trialing") -> None:
    await stored.execute(
        "UPDATE subscriptions SET plan = $2, status = $3 WHERE account_id = $1", who.account_id, plan, status
    )


@pytest.fixture
async def alice(world: World) -> SignedIn:
    return await add_owner(world, "Alice")


@pytest.fixture
async def bob(world: World, alice: SignedIn) -> SignedIn:
    return await add_member(world, alice, "Bob", "analyst")


@pytest.fixture
async def charlie(world: World) -> SignedIn:
    return await add_owner(world, "Charlie")


@pytest.fixture
async def stored(postgres: EmbeddedPostgres, owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The database as its superuser sees it: every row, whoever owns it."""
    connection = await asyncpg.connect(postgres.url(database=make_url(owner_url).database or ""))
    yield connection
    await connection.close()
