"""Browsers that go to the sandbox's Google and Microsoft and come back, on the web application in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import make_url

from payflux.app import create_app
from payflux.frontdoor.accounts.models import User
from payflux.kit.postgres import EmbeddedPostgres
from payflux.world.bootstrap import World
from tests.conftest import with_settings
from tests.integration.pages.browser import Browser
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
    rows = await stored.fetch(
        "SELECT convert_from(payload, 'utf8')::jsonb ->> 'mail' FROM pgqueuer WHERE entrypoint = 'send_mail' ORDER BY id"
    )
    return [row[0] for row in rows]


async def verify(world: World, email: str) -> None:
    """The user has shown that their address is theirs."""
    async with world.database.system() as session:
        user = (await session.execute(User.__table__.select().where(User.email_normalized == email))).one()
        await session.execute(
            User.__table__.update().where(User.id == user.id).values(email_verified_at=world.clock.now())
        )
