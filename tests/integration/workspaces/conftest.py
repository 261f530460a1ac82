"""An account with a further workspace: Alice owns both, Bob is an admin of the account, Charlie owns another one, and
Dora is in the workspace alone."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import asyncpg
import pytest
from fastapi import FastAPI

from payflux.activation.workspaces import open_workspace
from payflux.app import create_app
from payflux.frontdoor.accounts.family import places_of
from payflux.frontdoor.accounts.models import Membership
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.catalogue.versions import bump_account
from payflux.world.bootstrap import World
from tests.integration.pages.browser import Browser
from tests.integration.team.conftest import acting, add_member, add_owner, add_user, stored
from tests.integration.team.test_pages import browser_of

__all__ = ["browser_of", "stored"]


async def put_on(world: World, stored: asyncpg.Connection, who: SignedIn, plan: str, status: str = "active") -> None:
    """Have the account of `who` stand there from its next request on."""
    await stored.execute(
        "UPDATE subscriptions SET plan = $2, plan_version = NULL, status = $3::text, current_period_end = NULL, "
        "canceled_at = CASE WHEN $3::text = 'canceled' THEN $4::timestamptz END WHERE account_id = $1",
        who.paying_account_id,
        plan,
        status,
        world.clock.now(),
    )
    async with world.database.system() as session:
        await bump_account(session, who.paying_account_id)


async def in_workspace(world: World, who: SignedIn, account_id: UUID) -> SignedIn:
    """The same person, acting there."""
    found = await acting(world, who.user_id, account_id)
    async with world.database.system() as session:
        places = await places_of(session, user_id=who.user_id)
    here = next(place for place in places if place.account_id == account_id)
    return replace(found, parent_id=here.parent_id, parent_name=here.parent_name, places=tuple(places))


async def switched(app: FastAPI, world: World, who: SignedIn, account_id: UUID) -> Browser:
    """A browser of theirs that acts there."""
    browser = await browser_of(app, world, who)
    answer = await browser.post("/account/switch", {"account_id": str(account_id)})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/start")
    return browser


async def places(world: World, who: SignedIn) -> dict[str, str]:
    """The roles of a person by the names of their places."""
    async with world.database.system() as session:
        return {place.name: place.role for place in await places_of(session, user_id=who.user_id)}


@pytest.fixture
def app(world: World) -> FastAPI:
    return create_app(world)


@pytest.fixture
async def alice(world: World, stored: asyncpg.Connection) -> SignedIn:
    alice = await add_owner(world, "Alice")
    await put_on(world, stored, alice, "enterprise")
    return alice


@pytest.fixture
async def bob(world: World, alice: SignedIn) -> SignedIn:
    return await add_member(world, alice, "Bob", "admin")


@pytest.fixture
async def charlie(world: World) -> SignedIn:
    return await add_owner(world, "Charlie")


@pytest.fixture
async def north(world: World, alice: SignedIn) -> SignedIn:
    """Alice, in the account's further workspace."""
    added = await open_workspace(world, alice, name="North")
    return await in_workspace(world, alice, added.id)


@pytest.fixture
async def dora(world: World, north: SignedIn) -> SignedIn:
    user = await add_user(world, "Dora")
    async with world.database.system() as session:
        now = world.clock.now()
        session.add(Membership(account_id=north.account_id, user_id=user.id, role="analyst", created_at=now))
    return await in_workspace(world, await acting(world, user.id, north.account_id), north.account_id)
