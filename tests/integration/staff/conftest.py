"""Sam of the staff, who has joined; Tess, who has not set up her app yet; Alice, who owns an account in which Bob is a
viewer; and Charlie, who owns another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import httpx
import pyotp
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from payflux.app import create_app
from payflux.frontdoor.accounts.models import Membership, User
from payflux.frontdoor.accounts.registering import create_user
from payflux.frontdoor.staff.joining import add_staff, open_joining_link
from payflux.kit.audit import AuditEntry
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.pages.browser import PASSWORD, Browser

SAM, TESS = "sam@payflux.example", "tess@payflux.example"
STAFF_PASSWORD = "granite violin thursday"
ALICE, BOB, CHARLIE = "alice@alice-shop.example", "bob@alice-shop.example", "charlie@charlie-shop.example"


@dataclass
class Desk:
    """A member of staff at their browser, with their authenticator app."""

    browser: Browser
    totp: pyotp.TOTP
    clock: MovedClock

    def code(self) -> str:
        """What the app shows once the next code is there: each works once."""
        self.clock.move(timedelta(seconds=30))
        return self.totp.at(self.clock.now())

    async def sign_in(self, **fields: str) -> httpx.Response:
        form = {"email": SAM, "password": STAFF_PASSWORD, "code": self.code()} | fields
        return await self.browser.post("/admin/sign-in", form)


@pytest.fixture
def app(world: World) -> FastAPI:
    return create_app(world)


async def invited(world: World, email: str, name: str) -> tuple[str, pyotp.TOTP]:
    """The token of a new link to join, and the app that scanned what it shows."""
    async with world.database.system() as session:
        now = world.clock.now()
        token = await add_staff(session, world.tokens, world.secrets, email=email, name=name, now=now)
        shown = await open_joining_link(session, world.tokens, world.secrets, token=token, now=now)
    return token, pyotp.TOTP(shown.secret)


@pytest.fixture
async def joined(app: FastAPI, world: World, clock: MovedClock) -> Desk:
    """Sam, signed out."""
    token, totp = await invited(world, SAM, "Sam")
    desk = Desk(Browser(app), totp, clock)
    form = {"token": token, "password": STAFF_PASSWORD, "code": totp.at(clock.now())}
    assert (await desk.browser.post("/admin/join", form)).status_code == 303
    return desk


@pytest.fixture
async def sam(joined: Desk) -> Desk:
    """Sam, signed in."""
    assert (await joined.sign_in()).headers["Location"] == "/admin"
    return joined


@pytest.fixture
async def alice(app: FastAPI, world: World) -> Browser:
    browser = Browser(app)
    assert (await browser.register("Alice", ALICE, PASSWORD)).status_code == 303
    return browser


@pytest.fixture
async def account_id(alice: Browser, world: World) -> UUID:
    """Alice's account."""
    async with world.database.system() as session:
        return (await session.execute(select(Membership.account_id))).scalar_one()


@pytest.fixture
async def bob_id(world: World, account_id: UUID) -> UUID:
    """Bob, whose address is verified."""
    now = world.clock.now()
    async with world.database.system() as session:
        bob = await create_user(session, name="Bob", email=BOB, password_hash=None, verified_at=now, now=now)
        session.add(Membership(account_id=account_id, user_id=bob.id, role="viewer", created_at=now))
    return bob.id


async def user_id_of(world: World, email: str) -> UUID:
    async with world.database.system() as session:
        return (await session.execute(select(User.id).where(User.email == email))).scalar_one()


async def staff_entries(world: World, account_id: UUID) -> list[AuditEntry]:
    """What the account's log tells of the staff, the oldest first."""
    query = select(AuditEntry).where(AuditEntry.account_id == account_id, AuditEntry.action.startswith("staff."))
    async with world.database.system() as session:
        return list((await session.execute(query.order_by(AuditEntry.at, AuditEntry.id))).scalars())
