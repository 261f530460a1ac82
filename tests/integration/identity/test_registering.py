"""Registration tells nobody who is registered, and keeps what was chosen on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha1

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from payflux.app import create_app
from payflux.frontdoor.accounts.passwords import LEAKED
from payflux.world.bootstrap import World
from tests.conftest import MovedClock, with_settings
from tests.integration.identity.conftest import ALICE, Post, code_in, link_in
from tests.integration.pages.browser import PASSWORD, Browser


def shape(answer: httpx.Response) -> tuple[object, ...]:
    cookies = sorted(cookie.split("=")[0] for cookie in answer.headers.get_list("Set-Cookie"))
    return answer.status_code, answer.headers.get("Location"), cookies, len(answer.text)


async def test_registering_a_taken_address_is_answered_as_a_free_one_and_tells_its_owner_alone(
    app: FastAPI, alice: Browser, post: Post, stored: asyncpg.Connection
) -> None:
    await post.arrived()
    free, mallory = Browser(app), Browser(app)
    new = await free.register("Alice", "alice@other-shop.example")
    taken = await mallory.register("Alice", ALICE.upper())
    assert shape(new) == shape(taken)
    assert len(free.cookie("session")) == len(mallory.cookie("session"))
    shown = [(await browser.get("/verify-email")).text for browser in (free, mallory)]
    assert ALICE.upper() in shown[1]
    told = await post.last(ALICE)
    assert (str(told["Subject"]), link_in(told)) == ("You have a PayFlux account already", "/login")
    assert (await mallory.get("/connection")).headers["Location"] == "/login?next=/connection"
    assert (await mallory.post("/verify-email/code", {"code": "123456"})).status_code == 422
    assert (await mallory.post("/verify-email/resend")).status_code == 303
    assert await stored.fetchval("SELECT count(*) FROM users") == 2
    assert (await Browser(app).sign_in(ALICE)).status_code == 303


async def test_the_owner_of_an_address_is_not_told_again_and_again(app: FastAPI, alice: Browser, post: Post) -> None:
    for _ in range(3):
        await Browser(app).register("Mallory", ALICE)
    taken = [mail for mail in await post.arrived(ALICE) if "already" in str(mail["Subject"])]
    assert len(taken) == 1


async def test_the_plan_chosen_before_registering_is_kept_and_one_that_does_not_exist_is_not(
    app: FastAPI, stored: asyncpg.Connection
) -> None:
    browser = Browser(app)
    assert 'name="plan" value="starter"' in (await browser.get("/register?plan=starter")).text
    fields = {"name": "Alice", "password": PASSWORD}
    await browser.post("/register", fields | {"email": ALICE, "plan": "starter", "next": "/connection"})
    await Browser(app).post("/register", fields | {"email": "alice@b.example", "plan": "free beer"})
    plans = await stored.fetch("SELECT intended_plan FROM accounts ORDER BY created_at, id")
    assert sorted(str(row["intended_plan"]) for row in plans) == ["None", "starter"]
    assert 'name="next" value="/connection"' in (await browser.get("/verify-email?next=/connection")).text


async def test_an_invite_leads_to_the_page_that_accepts_it(app: FastAPI) -> None:
    assert (await Browser(app).get("/register?invite=abc")).headers["Location"] == "/accept-invite?code=abc"


async def test_many_registrations_from_one_network_get_slower_and_others_do_not_wait(
    app: FastAPI, stored: asyncpg.Connection, world: World
) -> None:
    key = world.tokens.digest("register from 203.0.113.7")
    for _ in range(30):
        await stored.execute(
            "INSERT INTO sign_in_failures (id, key_digest, at) VALUES (gen_random_uuid(), $1, $2)",
            key,
            world.clock.now(),
        )
    refused = await Browser(app).register("Alice", ALICE)
    assert (refused.status_code, "Wait 3 seconds" in refused.text) == (429, True)
    assert f'value="{ALICE}"' in refused.text
    assert (await Browser(app, address="198.51.100.4").register("Alice", ALICE)).status_code == 303


async def test_a_password_from_the_leaks_that_come_with_the_product_is_refused_with_the_reason(app: FastAPI) -> None:
    answer = await Browser(app).register("Alice", ALICE, "qwertyuiop")
    assert answer.status_code == 422
    assert "stolen elsewhere" in answer.text


@pytest.mark.parametrize(
    ("reply", "refused"),
    [
        ("5CA5C1E9D3A3A56F5A93B7C7F6D3A1D9B0A:0\r\nOTHER:7", False),
        ("{suffix}:3\r\nOTHER:7", True),
        ("{suffix}:0", False),
        (None, False),
    ],
)
async def test_the_range_api_sees_five_digits_and_a_registration_does_not_depend_on_it(
    mailing: World, stored: asyncpg.Connection, reply: str | None, refused: bool
) -> None:
    asked: list[httpx.Request] = []
    suffix = sha1(PASSWORD.encode(), usedforsecurity=False).hexdigest().upper()[5:]

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if reply is None:
            raise httpx.ConnectTimeout("no answer")
        return httpx.Response(200, text=reply.format(suffix=suffix))

    world = with_settings(mailing, leaked_passwords_url="https://ranges.example/range")
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        world = replace(world, http=http)
        registered = await Browser(create_app(world)).register("Alice", ALICE)
    assert registered.status_code == (422 if refused else 303)
    assert (LEAKED in registered.text) == refused
    (request,) = asked
    assert len(request.url.path.rsplit("/", 1)[1]) == 5
    assert request.headers["Add-Padding"] == "true"


async def test_whoever_reads_a_squatted_address_gets_the_account_without_the_squatters_ways_in(
    app: FastAPI, alice: Browser, post: Post, clock: MovedClock, stored: asyncpg.Connection
) -> None:
    """Here Mallory has registered Alice's address; `alice` is the squatter's browser."""
    await Browser(app).register("Alice", ALICE)
    owner = Browser(app, address="198.51.100.4")
    await owner.post("/forgot", {"email": ALICE})
    (reset,) = [mail for mail in await post.arrived(ALICE) if "new password" in str(mail["Subject"])]
    token = link_in(reset).partition("token=")[2]
    assert 'data-state="done"' in (await owner.post("/reset", {"token": token, "password": "owner of this box"})).text
    assert (await alice.get("/connection")).status_code == 303
    clock.move(timedelta(seconds=1))
    assert (await owner.sign_in(ALICE, "owner of this box")).status_code == 303
    assert await stored.fetchval("SELECT email_verified_at IS NOT NULL FROM users") is True
    old = [mail for mail in await post.arrived(ALICE) if "code" in str(mail["Subject"])]
    assert (await alice.post("/verify-email/code", {"code": code_in(old[0])})).status_code != 200
