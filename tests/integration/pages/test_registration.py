"""Who registers, what that makes, and what is refused."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from payflux.activation.models import Workspace
from payflux.activation.states import ActivationState
from payflux.frontdoor.accounts.models import Account, Membership, User
from payflux.frontdoor.billing.models import Subscription
from payflux.kit.audit import AuditEntry
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.pages.browser import PASSWORD, Browser
from tests.integration.pages.conftest import ALICE, account_of, connected, rows


async def test_registering_makes_a_user_an_account_a_workspace_and_a_trial(
    app: FastAPI, world: World, clock: MovedClock
) -> None:
    browser = Browser(app)
    answer = await browser.register(" Alice  Arkwright ", ALICE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/verify-email")
    account_id = await account_of(world, ALICE)
    async with world.database.tenant(account_id) as session:
        assert (await session.execute(select(Account.name))).scalar_one() == "Alice-shop"
        assert (await session.execute(select(Membership.role))).scalar_one() == "owner"
        workspace = (await session.execute(select(Workspace))).scalar_one()
        assert workspace.activation_state == ActivationState.PAID_UNCONNECTED
        trial = (await session.execute(select(Subscription))).scalar_one()
        assert (trial.plan, trial.status) == ("pro", "trialing")
        assert trial.current_period_end == clock.now() + timedelta(days=14)
        audited = (await session.execute(select(AuditEntry.action))).scalars().all()
        assert sorted(audited) == ["account.registered", "activation.entitled", "subscription.trial_started"]
    async with world.database.system() as session:
        user = (await session.execute(select(User))).scalar_one()
    assert (user.name, user.email) == ("Alice Arkwright", ALICE)
    assert PASSWORD not in (user.password_hash or "")
    assert (await browser.get("/activate")).status_code == 200


async def test_a_registration_that_fails_half_way_leaves_nothing_behind(
    app: FastAPI, stored: asyncpg.Connection
) -> None:
    await stored.execute("REVOKE INSERT ON workspaces FROM payflux_system")
    before = await rows(stored)
    browser = Browser(app)
    assert (await browser.register("Alice", ALICE)).status_code == 500
    assert await rows(stored) == before
    assert browser.cookie("session") == ""
    await stored.execute("GRANT INSERT ON workspaces TO payflux_system")
    assert (await browser.register("Alice", ALICE)).status_code == 303


async def test_two_registrations_of_one_address_at_once_make_one_account(
    app: FastAPI, stored: asyncpg.Connection
) -> None:
    browsers = [Browser(app) for _ in range(4)]
    answers = await asyncio.gather(*(browser.register("Alice", ALICE) for browser in browsers))
    assert [answer.status_code for answer in answers] == [303] * 4
    assert (await rows(stored))["accounts"] == 1


async def test_a_wrong_registration_names_each_field_and_keeps_all_but_the_password(
    app: FastAPI, stored: asyncpg.Connection
) -> None:
    browser = Browser(app)
    answer = await browser.post("/register", {"name": " ", "email": "alice at shop", "password": "hunter2-hunter2"[:9]})
    assert answer.status_code == 422
    for field in ("name", "email", "password"):
        assert f'id="{field}-error"' in answer.text
    assert 'value="alice at shop"' in answer.text
    assert "hunter2" not in answer.text
    assert (await rows(stored))["users"] == 0


@pytest.mark.parametrize(
    ("name", "email", "wrong"),
    [
        ("Al\x00ice", ALICE, "name"),
        ("Alice", "al\x00ice@shop.example", "email"),
        ("Alice", "a@" + "b" * 300 + ".com", "email"),
        ("Alice", "a@" + "\u3300" * 120 + ".com", "email"),
        ("A" * 201, ALICE, "name"),
    ],
)
async def test_what_the_database_cannot_hold_is_refused_by_the_form(
    app: FastAPI, name: str, email: str, wrong: str
) -> None:
    answer = await Browser(app).register(name, email)
    assert answer.status_code == 422
    assert f'id="{wrong}-error"' in answer.text


async def test_an_address_is_taken_in_capitals_too(app: FastAPI, alice: Browser, stored: asyncpg.Connection) -> None:
    before = await rows(stored)
    other = Browser(app)
    answer = await other.register("Mallory", ALICE.upper(), "another long harbour word")
    assert answer.status_code == 303
    assert (await other.get("/connection")).headers["Location"] == "/login?next=/connection"
    assert await rows(stored) == before


async def test_a_name_is_shown_as_text_and_never_as_markup(app: FastAPI, world: World) -> None:
    browser = Browser(app)
    name = '<script>alert(1)</script>" onx='
    assert (await browser.register(name, "\"<b>'@shop.example")).status_code == 303
    await connected(world, "\"<b>'@shop.example", '"><img src=x>')
    page = (await browser.get("/connection")).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    for raw in ("<script>alert", '" onx=', "<b>'@", "<img src=x>"):
        assert raw not in page
    again = await Browser(app).post("/register", {"name": name, "email": "x", "password": ""})
    assert "<script>alert" not in again.text
    assert '" onx=' not in again.text
