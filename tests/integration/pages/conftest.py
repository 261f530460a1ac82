"""The cast that tries every door: Alice owns an account, Bob is a viewer in it, Charlie owns another.

The helpers beside the fixtures put an account into a state and count what the database holds.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from fastapi import FastAPI
from sqlalchemy import make_url, select

from payflux.activation import service as activation
from payflux.activation.states import Cause
from payflux.app import create_app
from payflux.frontdoor.accounts.models import Membership, User
from payflux.frontdoor.billing.queries import newest_subscription
from payflux.frontdoor.catalogue.versions import bump_account
from payflux.kit.ids import new_id
from payflux.kit.postgres import EmbeddedPostgres
from payflux.monitor.processors.models import Connection
from payflux.world.bootstrap import World
from tests.integration.pages.browser import Browser

ALICE, BOB, CHARLIE = "alice@alice-shop.example", "bob@alice-shop.example", "charlie@charlie-shop.example"
CHANGES = (
    "/api/stripe/authorize",
    "/api/stripe/app/authorize",
    "/api/stripe/key",
    "/activate/retry",
    "/activate/cancel",
    "/activate/host",
    "/connection/disconnect",
    "/connection/check",
    "/connection/host",
    "/connection/secrets",
    "/connection/secrets/remove",
    "/sources",
    "/sources/compute",
    "/sources/secret",
    "/sources/stop",
    "/sources/test",
)


@pytest.fixture
def app(world: World) -> FastAPI:
    return create_app(world)


@pytest.fixture
async def alice(app: FastAPI, world: World) -> Browser:
    browser = Browser(app)
    assert (await browser.register("Alice", ALICE)).status_code == 303
    await prove_address(world, ALICE)
    return browser


@pytest.fixture
async def bob(app: FastAPI, world: World, alice: Browser) -> Browser:
    async with world.database.system() as session:
        owner = (await session.execute(select(User).where(User.email == ALICE))).scalar_one()
        account_id = (await session.execute(select(Membership.account_id))).scalar_one()
        member = User(
            id=new_id(),
            email=BOB,
            email_normalized=BOB,
            name="Bob",
            password_hash=owner.password_hash,
            email_verified_at=owner.email_verified_at,
        )
        session.add(member)
        await session.flush()
        session.add(Membership(account_id=account_id, user_id=member.id, role="viewer"))
    browser = Browser(app)
    assert (await browser.sign_in(BOB)).status_code == 303
    return browser


@pytest.fixture
async def charlie(app: FastAPI, world: World) -> Browser:
    browser = Browser(app)
    assert (await browser.register("Charlie", CHARLIE)).status_code == 303
    await prove_address(world, CHARLIE)
    return browser


async def prove_address(world: World, email: str) -> None:
    """As if the user had opened the mail and pressed the button."""
    async with world.database.system() as session:
        user = (await session.execute(select(User).where(User.email == email))).scalar_one()
        user.email_verified_at = world.clock.now()


async def account_of(world: World, email: str) -> UUID:
    async with world.database.system() as session:
        members = select(Membership.account_id).join(User, User.id == Membership.user_id)
        return (await session.execute(members.where(User.email == email))).scalar_one()


async def connected(world: World, email: str, name: str) -> UUID:
    """Give the account a live-looking connection called `name`; returns its id."""
    account_id, now = await account_of(world, email), world.clock.now()
    async with world.database.tenant(account_id) as session:
        workspace = await activation.get_workspace(session, account_id=account_id, lock=True)
        connection = Connection(
            account_id=account_id,
            id=new_id(),
            workspace_id=workspace.id,
            method="restricted_key",
            external_account_id=f"acct_{name}",
            livemode=False,
            status="active",
            name=name,
            capabilities={},
            snapshot={},
            connected_at=now,
        )
        session.add(connection)
        workspace.connection_id, workspace.connected_at = connection.id, now
        await activation.change_state(session, workspace, Cause.CONNECTED, now=now)
    return connection.id


async def move_on(world: World, email: str, *causes: Cause) -> None:
    account_id = await account_of(world, email)
    async with world.database.tenant(account_id) as session:
        workspace = await activation.get_workspace(session, account_id=account_id, lock=True)
        for cause in causes:
            await activation.change_state(session, workspace, cause, now=world.clock.now())


@pytest.fixture
async def stored(postgres: EmbeddedPostgres, owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The database as its superuser sees it: every row, whoever owns it."""
    connection = await asyncpg.connect(postgres.url(database=make_url(owner_url).database or ""))
    yield connection
    await connection.close()


async def rows(stored: asyncpg.Connection) -> dict[str, int]:
    """How many rows every table holds that a page could write to."""
    tables = ("users", "accounts", "memberships", "subscriptions", "workspaces", "sessions", "audit_entries")
    tables += ("activation_transitions", "connect_attempts", "processor_connections")
    return {table: await stored.fetchval(f"SELECT count(*) FROM {table}") for table in tables}


def with_a_broken_page(app: FastAPI) -> FastAPI:
    async def broken() -> None:
        raise RuntimeError("the vault's combination is 1234")

    app.add_api_route("/broken", broken)
    return app


async def subscribe(world: World, email: str, **changes: object) -> None:
    """Change the subscription of the account, as if it had come about by itself."""
    account_id = await account_of(world, email)
    async with world.database.tenant(account_id) as session:
        subscription = await newest_subscription(session, account_id=account_id)
        for field, value in changes.items():
            setattr(subscription, field, value)
        await bump_account(session, account_id)
