"""Browsers that go to the sandbox's Google and Microsoft and come back, on the web application in this process."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import make_url

from payflux.activation.onboarding import open_account
from payflux.app import create_app
from payflux.frontdoor.accounts.passwords import hash_password
from payflux.frontdoor.accounts.registering import create_user
from payflux.frontdoor.accounts.sessions import Client, start_session
from payflux.kit.postgres import EmbeddedPostgres
from payflux.web.security import cookie_name
from payflux.world.bootstrap import World
from tests.conftest import with_settings
from tests.integration.pages.browser import PASSWORD, Browser
from tests.sandbox_server import running_sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[str]:
    with running_sandbox() as address:
        yield address


@pytest.fixture
def there(world: World, sandbox: str) -> World:
    """The world with the sandbox's providers."""
    return with_settings(world, google_base=f"{sandbox}/google", microsoft_base=f"{sandbox}/microsoft")


@pytest.fixture
def app(there: World) -> FastAPI:
    return create_app(there)


class Traveller(Browser):
    """A browser whose owner has accounts at the providers."""

    async def leave(self, provider: str, path: str = "", **fields: str) -> str:
        """The address of the provider's page that a button leads to."""
        sent = await self.post(path or f"/auth/{provider}", fields)
        assert sent.status_code == 303, sent.text
        return sent.headers["location"]

    async def choose(self, address: str, person: str) -> str:
        """Choose `person` on the provider's page; the address it sends the browser back to, as a path."""
        async with httpx.AsyncClient() as elsewhere:
            chosen = await elsewhere.post(address, data={"person": person})
        assert chosen.status_code in (302, 303), chosen.text
        return httpx.URL(chosen.headers["location"]).raw_path.decode()

    async def sign_in_by(self, provider: str, person: str, **fields: str) -> httpx.Response:
        """Go to the provider, be `person` there, and come back."""
        return await self.get(await self.choose(await self.leave(provider, **fields), person))

    async def link(self, provider: str, person: str) -> httpx.Response:
        address = await self.leave(provider, f"/account/security/providers/{provider}/connect")
        return await self.get(await self.choose(address, person))


@pytest.fixture
def traveller(app: FastAPI) -> Traveller:
    return Traveller(app)


@pytest.fixture
async def stored(postgres: EmbeddedPostgres, owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The database as its superuser sees it."""
    connection = await asyncpg.connect(postgres.url(database=make_url(owner_url).database or ""))
    yield connection
    await connection.close()


async def user_called(stored: asyncpg.Connection, email: str) -> asyncpg.Record | None:
    return await stored.fetchrow("SELECT * FROM users WHERE email_normalized = $1", email)


async def mails(stored: asyncpg.Connection) -> list[str]:
    """The names of the mails that wait to be sent, in order."""
    rows = await stored.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = 'send_mail' ORDER BY id")
    return [json.loads(row["payload"])["mail"] for row in rows]


async def member(world: World, name: str, email: str, *, verified: bool) -> UUID:
    """A user with a password and an account of their own."""
    now = world.clock.now()
    async with world.database.system() as session:
        user = await create_user(
            session,
            name=name,
            email=email,
            password_hash=await hash_password(PASSWORD),
            verified_at=now if verified else None,
            now=now,
        )
        await open_account(session, world.tokens, user, now)
    return user.id


async def signed_in_as(world: World, app: FastAPI, user_id: UUID) -> Traveller:
    """A browser in which the user has just signed in by password."""
    browser = Traveller(app)
    await browser.token()  # while the page with a form is still shown to it
    async with world.database.system() as session:
        token = await start_session(
            session,
            world.tokens,
            user_id=user_id,
            client=Client("203.0.113.7", "a browser"),
            factors=["password"],
            now=world.clock.now(),
        )
    browser.http.cookies.set(cookie_name(world.settings, "session"), token)
    return browser
