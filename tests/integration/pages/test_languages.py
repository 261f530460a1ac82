"""Which language a person is answered in: their own choice, else the browser's, else what it asks for."""

from __future__ import annotations

import asyncpg
from fastapi import FastAPI

from payflux.world.bootstrap import World
from tests.integration.pages.browser import MACHINE, Browser
from tests.integration.pages.conftest import BOB

GERMAN = {"Accept_Language": "de-AT,de;q=0.9,en;q=0.5"}


async def test_a_stranger_is_answered_in_the_language_that_the_browser_asks_for_until_they_choose(app: FastAPI) -> None:
    stranger = Browser(app)
    page = await stranger.get("/register", **GERMAN)
    assert "Konto anlegen" in page.text
    assert '<html lang="de"' in page.text
    assert page.headers["Content-Language"] == "de"
    assert {"Accept-Language", "Cookie"} <= {name.strip() for name in page.headers["Vary"].split(",")}
    refused = await stranger.post("/register", {"email": "nobody"}, **GERMAN)
    assert "Geben Sie eine E-Mail-Adresse ein" in refused.text
    problem = (await stranger.get("/account/profile", **GERMAN, **MACHINE)).json()
    assert (problem["code"], problem["detail"]) == ("not_signed_in", "Sie sind nicht angemeldet.")
    assert (await stranger.get("/register")).headers["Content-Language"] == "en"

    chosen = await stranger.post("/language", {"language": "en", "next": "/login?next=/history"}, **GERMAN)
    assert (chosen.status_code, chosen.headers["Location"]) == (303, "/login?next=/history")
    assert "Create your account" in (await stranger.get("/register", **GERMAN)).text
    unknown = await stranger.post("/language", {"language": "xx", "next": "https://elsewhere.example"})
    assert unknown.headers["Location"] == "/start"
    assert stranger.cookie("language") == "en"
    assert (await stranger.get("/static/css/base.css", **GERMAN)).headers.get("Content-Language") is None


async def test_a_member_reads_their_own_language_on_every_browser(
    app: FastAPI, alice: Browser, bob: Browser, stored: asyncpg.Connection, world: World
) -> None:
    assert (await alice.get("/account/profile", **GERMAN)).headers["Content-Language"] == "en"
    page = await bob.get("/account/profile")
    assert 'name="language" value="de"' in page.text
    assert 'name="next" value="/account/profile"' in page.text
    assert (await bob.post("/language", {"language": "de", "next": "/account/profile"})).status_code == 303
    assert await stored.fetchval("SELECT language FROM users WHERE email = $1", BOB) == "de"
    elsewhere = Browser(app)
    await elsewhere.sign_in(BOB)
    assert "Vollständiger Name" in (await elsewhere.get("/account/profile", Accept_Language="en")).text
    assert "Full name" in (await alice.get("/account/profile")).text


async def test_who_registers_in_german_is_written_to_in_german(app: FastAPI, stored: asyncpg.Connection) -> None:
    erika = Browser(app)
    fields = {"name": "Erika", "email": "erika@erika-shop.example", "password": "quiet harbour lantern"}
    assert (await erika.post("/register", fields, **GERMAN)).status_code == 303
    assert await stored.fetchval("SELECT language FROM users WHERE name = 'Erika'") == "de"
    assert (await erika.get("/account/profile")).headers["Content-Language"] == "de"
