"""An OpenID provider of somebody else's making on loopback, a domain name system that a test writes, and browsers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import asyncpg
import httpx
import oidc_provider_mock
import pytest
from fastapi import FastAPI

from payflux.app import create_app
from payflux.frontdoor.accounts.sessions import Client, SignedIn, start_session
from payflux.web.security import cookie_name
from payflux.world.bootstrap import World
from tests.integration.pages.browser import Browser
from tests.integration.team.conftest import alice, bob, charlie, set_plan, stored

__all__ = ["alice", "bob", "charlie", "stored"]

DOMAIN = "shop.example"


@dataclass
class WrittenDns:
    """The domain name system as a test writes it."""

    records: dict[str, list[str]] = field(default_factory=dict)

    async def texts(self, name: str) -> list[str]:
        return self.records.get(name, [])


@pytest.fixture(scope="session")
def provider() -> Iterator[str]:
    """The issuer of an OpenID provider, at which one can be anybody: by subject."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    people = [
        oidc_provider_mock.User(
            sub=f"sub-{name}", claims={"email": f"{name}@{domain}", "name": name.capitalize(), **more}
        )
        for name, domain, more in (
            ("bob", DOMAIN, {}),
            ("dora", DOMAIN, {"email_verified": True}),
            ("mallory", "elsewhere.example", {}),
            ("eve", DOMAIN, {"email_verified": False}),
        )
    ]
    # the address of somebody else, given to a new person
    people.append(oidc_provider_mock.User(sub="sub-second-bob", claims={"email": f"bob@{DOMAIN}", "name": "Bob"}))
    with oidc_provider_mock.run_server_in_thread(user_claims=people) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def dns() -> WrittenDns:
    return WrittenDns()


@pytest.fixture
async def there(world: World, dns: WrittenDns, alice: SignedIn, stored: asyncpg.Connection) -> World:
    """The world with that domain name system, in which Alice's account has the plan for single sign-on."""
    await set_plan(stored, alice, "enterprise", "active")
    return replace(world, dns=dns)


@pytest.fixture
def app(there: World) -> FastAPI:
    return create_app(there)


class Employee(Browser):
    """A browser whose owner has an account at the identity provider of their company."""

    async def leave(self, email: str, next_page: str = "") -> httpx.Response:
        return await self.post("/sso", {"email": email, "next": next_page})

    async def choose(self, address: str, subject: str) -> str:
        """Be `subject` on the provider's page; where it sends the browser back to, as a path."""
        async with httpx.AsyncClient() as elsewhere:
            chosen = await elsewhere.post(address, data={"sub": subject})
        assert chosen.status_code in (302, 303), chosen.text
        return httpx.URL(chosen.headers["location"]).raw_path.decode()

    async def way_back(self, email: str, subject: str, next_page: str = "") -> str:
        """The path that the provider sends the browser back to."""
        left = await self.leave(email, next_page)
        assert left.status_code == 200, left.text
        address = left.text.partition('href="http://localhost')[2].partition('"')[0].replace("&amp;", "&")
        return await self.choose(f"http://localhost{address}", subject)

    async def sign_in_by_sso(self, email: str, subject: str, next_page: str = "") -> httpx.Response:
        return await self.get(await self.way_back(email, subject, next_page))


@pytest.fixture
def employee(app: FastAPI) -> Employee:
    return Employee(app)


async def browser_of(world: World, app: FastAPI, who: SignedIn, *factors: str) -> Employee:
    """A browser in which a member has just signed in by `factors`, or by their password."""
    browser = Employee(app)
    await browser.token()  # while the page with a form is still shown to it
    async with world.database.system() as session:
        token = await start_session(
            session,
            world.tokens,
            user_id=who.user_id,
            account_id=who.account_id,
            client=Client("203.0.113.7", "a browser"),
            factors=factors or ["password"],
            now=world.clock.now(),
        )
    host = httpx.URL(world.settings.url).host  # so that a new session takes its place, as in a browser
    browser.http.cookies.set(cookie_name(world.settings, "session"), token, domain=host, path="/")
    return browser


async def set_up(world: World, stored: asyncpg.Connection, alice: SignedIn, provider: str) -> None:
    """Prove the domain and set the provider up, as Alice's pages would."""
    now = world.clock.now()
    await stored.execute(
        "INSERT INTO sso_domains (account_id, domain, challenge, added_at, proven_at) VALUES ($1, $2, 'c', $3, $3)",
        alice.account_id,
        DOMAIN,
        now,
    )
    sealed = world.secrets.encrypt("hush", bound_to=f"sso_connections.client_secret {alice.account_id}")
    await stored.execute(
        "INSERT INTO sso_connections (account_id, protocol, issuer, client_id, client_secret, default_role, saved_at) "
        "VALUES ($1, 'oidc', $2, 'payflux', $3, 'viewer', $4)",
        alice.account_id,
        provider,
        sealed,
        now,
    )


async def give_totp(stored: asyncpg.Connection, who: SignedIn) -> None:
    """Let a member have set an authenticator app up."""
    await stored.execute(
        "INSERT INTO totp_factors (user_id, secret, created_at, confirmed_at) VALUES ($1, '\\x01', now(), now())",
        who.user_id,
    )


@pytest.fixture
async def set_up_world(there: World, stored: asyncpg.Connection, alice: SignedIn, provider: str) -> World:
    """The world in which Alice's account has its domain proven and its identity provider set up."""
    await set_up(there, stored, alice, provider)
    return there
