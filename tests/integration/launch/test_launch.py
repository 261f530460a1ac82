"""Before everybody may come in: who gets through the doors, and what the others are told."""

from __future__ import annotations

import asyncpg
import pytest
from fastapi import FastAPI
from httpx import Response

from payflux.app import create_app
from payflux.frontdoor.billing import launch
from payflux.kit.errors import InvalidInput, NotFound
from payflux.world.bootstrap import World
from tests.conftest import with_settings
from tests.integration.pages.browser import Browser

ALICE, CHARLIE = "alice@alice-shop.example", "charlie@charlie-shop.example"


@pytest.fixture
def closed(world: World) -> World:
    """A world that is set up to be closed."""
    return with_settings(world, self_serve_enabled=False, sales_email="sales@payflux.example")


@pytest.fixture
def app(closed: World) -> FastAPI:
    return create_app(closed)


async def switch(world: World, enabled: bool | None) -> None:
    async with world.database.system() as session:
        await launch.switch_self_serve(session, enabled, by="Sam", now=world.clock.now())


async def let_in(world: World, email: str) -> None:
    async with world.database.system() as session:
        await launch.allow(session, email=email, by="Sam", now=world.clock.now())


def without_token(answer: Response, email: str) -> str:
    return answer.text.replace(answer.text.partition('name="csrf_token" value="')[2][:64], "").replace(email, "")


async def test_a_stranger_is_kindly_refused_and_nothing_of_them_is_kept(
    app: FastAPI, stored: asyncpg.Connection
) -> None:
    charlie = Browser(app)
    assert "Use the address that we told you" in (await charlie.get("/register")).text
    refused = await charlie.register("Charlie", CHARLIE)
    assert refused.status_code == 403
    assert "not open to everybody yet" in refused.text
    assert "sales@payflux.example" in refused.text
    assert await stored.fetchval("SELECT count(*) FROM users") == 0
    assert "sign-out" not in (await charlie.get("/account/team")).text


async def test_the_answer_does_not_tell_whether_somebody_has_the_address(
    app: FastAPI, closed: World, stored: asyncpg.Connection
) -> None:
    await let_in(closed, ALICE)
    await Browser(app).register("Alice", ALICE)
    async with closed.database.system() as session:
        await launch.disallow(session, email=ALICE)
    of_alice = await Browser(app).register("Charlie", ALICE)
    of_nobody = await Browser(app).register("Charlie", CHARLIE)
    assert of_alice.status_code == of_nobody.status_code == 403
    assert without_token(of_alice, ALICE) == without_token(of_nobody, CHARLIE)
    assert of_alice.headers.keys() == of_nobody.headers.keys()
    assert await stored.fetchval("SELECT count(*) FROM users") == 1


async def test_a_listed_address_registers_however_it_is_written(app: FastAPI, closed: World) -> None:
    await let_in(closed, " Alice@Alice-Shop.example")
    answer = await Browser(app).register("Alice", ALICE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/verify-email")


async def test_the_switch_opens_and_closes_without_a_restart(app: FastAPI, closed: World, world: World) -> None:
    await switch(world, True)
    assert (await Browser(app).register("Alice", ALICE)).status_code == 303
    await switch(world, False)
    assert (await Browser(app).register("Charlie", CHARLIE)).status_code == 403
    await switch(world, None)
    assert (await Browser(app).register("Charlie", CHARLIE)).status_code == 403
    assert (await Browser(create_app(world)).register("Charlie", CHARLIE)).status_code == 303


async def test_the_switch_closes_what_the_settings_open(world: World) -> None:
    browser = Browser(create_app(world))
    assert (await browser.get("/pricing")).status_code == 200
    await switch(world, False)
    assert (await browser.get("/pricing")).status_code == 404
    assert (await browser.register("Charlie", CHARLIE)).status_code == 403


async def test_refused_registrations_count_like_others(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payflux.frontdoor.accounts.rules.REGISTRATIONS_PER_CLIENT", 1)
    browser = Browser(app)
    assert (await browser.register("Charlie", CHARLIE)).status_code == 403
    assert (await browser.register("Charlie", CHARLIE)).status_code == 429


async def test_the_list_takes_addresses_alone(world: World) -> None:
    async with world.database.system() as session:
        with pytest.raises(InvalidInput):
            await launch.allow(session, email="not an address", by="Sam", now=world.clock.now())
        with pytest.raises(NotFound):
            await launch.disallow(session, email=ALICE)
        for _twice in range(2):
            await launch.allow(session, email=ALICE, by="Sam", now=world.clock.now())
        state = await launch.launch_status(session, world.settings)
    assert state.enabled
    assert state.override is None
    assert [row.email_normalized for row in state.allowed] == [ALICE]


async def test_an_old_invite_code_is_taken_and_ignored(world: World, stored: asyncpg.Connection) -> None:
    browser = Browser(create_app(world))
    assert (await browser.get("/register?invite_code=PILOT-1")).status_code == 200
    fields = {"name": "Alice", "email": ALICE, "password": "quiet harbour lantern", "invite_code": "PILOT-1"}
    assert (await browser.post("/register", fields)).status_code == 303
    assert await stored.fetchval("SELECT status FROM subscriptions") == "trialing"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_waiting_list_leads_to_the_registration(world: World, method: str) -> None:
    browser = Browser(create_app(world))
    answer = await browser.http.request(method, "/beta-signup")
    assert (answer.status_code, answer.headers["location"]) == (307, "/register?from=beta")


async def test_who_came_by_the_waiting_list_is_remembered(world: World, stored: asyncpg.Connection) -> None:
    browser = Browser(create_app(world))
    assert 'name="from" value="beta"' in (await browser.get("/register?from=beta")).text
    fields = {"name": "Alice", "email": ALICE, "password": "quiet harbour lantern", "from": "beta"}
    await browser.post("/register", fields)
    await browser.post("/register", fields | {"email": CHARLIE, "from": "elsewhere"})
    rows = await stored.fetch("SELECT signup_source FROM accounts ORDER BY created_at, name")
    assert [row["signup_source"] for row in rows] == ["beta", None]


async def test_a_second_trial_is_refused_on_a_page_that_says_how_to_go_on(world: World) -> None:
    app = create_app(world)
    await Browser(app).register("Alice", ALICE)
    bob = Browser(app)
    assert (await bob.register("Bob", "bob@alice-shop.example")).headers["location"] == "/verify-email"
    assert (await bob.get("/start")).headers["location"] == "/account/no-trial"
    page = await bob.get("/account/no-trial")
    assert page.status_code == 200
    for way in ("/account/billing/select-plan", "/contact-sales?source=trial_wall", "Ask them for an invite"):
        assert way in page.text


async def test_who_has_a_trial_is_not_told_otherwise(world: World) -> None:
    alice = Browser(create_app(world))
    await alice.register("Alice", ALICE)
    assert (await alice.get("/start")).headers["location"] == "/welcome"
    assert (await alice.get("/account/no-trial")).headers["location"] == "/start"
