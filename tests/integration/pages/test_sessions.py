"""Sign-in, sessions and sign-out."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from datetime import timedelta

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from payflux.app import create_app
from payflux.frontdoor.accounts.models import Session
from payflux.world.bootstrap import World
from tests.conftest import MovedClock, with_settings
from tests.integration.pages.browser import PASSWORD, Browser
from tests.integration.pages.conftest import ALICE


@pytest.mark.parametrize(("url", "prefix"), [("", ""), ("https://payflux.example", "__Host-")])
async def test_the_session_cookie_is_out_of_reach_of_scripts_and_tied_to_the_host(
    world: World, url: str, prefix: str
) -> None:
    browser = Browser(create_app(with_settings(world, public_url=url)))
    await browser.register("Alice", ALICE)
    await browser.post("/sign-out")
    answer = await browser.sign_in(ALICE)
    left = await browser.post("/sign-out")
    for cookie in (answer.headers["Set-Cookie"], left.headers["Set-Cookie"]):
        name, attributes = cookie.split(";", 1)
        assert name.startswith(f"{prefix}payflux_session=")
        # without Secure a browser ignores a __Host- cookie, also one that is to delete it
        assert ("; secure" in attributes.lower()) == bool(prefix)
        assert {"httponly", "samesite=lax", "path=/"} <= {part.strip().lower() for part in attributes.split(";")}
        assert "domain" not in attributes.lower()
    assert browser.cookie("session") == ""


async def test_the_database_holds_no_token_that_opens_a_session(alice: Browser, world: World) -> None:
    async with world.database.system() as session:
        stored = (await session.execute(select(Session.token_digest))).scalar_one()
    assert len(alice.cookie("session")) >= 43
    assert alice.cookie("session").encode() not in (stored, stored.hex().encode())


async def test_signing_in_again_gives_a_new_session_and_ends_the_one_before(app: FastAPI, alice: Browser) -> None:
    before = alice.cookie("session")
    assert (await alice.sign_in(ALICE)).status_code == 303
    assert alice.cookie("session") != before
    assert not await opens(app, before)
    assert await opens(app, alice.cookie("session"))
    now = alice.cookie("session")
    assert (await alice.register("Alice", "alice@second-shop.example")).status_code == 303
    assert not await opens(app, now)


async def test_a_copied_cookie_is_dead_after_sign_out_and_other_browsers_stay_signed_in(
    app: FastAPI, alice: Browser
) -> None:
    elsewhere, copied = Browser(app), alice.cookie("session")
    await elsewhere.sign_in(ALICE)
    assert await opens(app, copied)
    assert (await alice.post("/sign-out")).headers["Location"] == "/"
    assert not await opens(app, copied)
    assert await opens(app, elsewhere.cookie("session"))


async def opens(app: FastAPI, token: str) -> bool:
    """Whether a session cookie, in a browser that never signed in, opens a closed page."""
    thief = Browser(app, address="198.51.100.66")
    answer = await thief.get("/connection", Cookie=f"payflux_session={token}")
    return answer.status_code == 200


async def test_a_made_up_cookie_opens_nothing(app: FastAPI, alice: Browser) -> None:
    for token in ("x", "A" * 43, alice.cookie("session")[:-1], alice.cookie("csrf")):
        assert not await opens(app, token)


async def test_a_session_ends_after_14_idle_days(
    app: FastAPI, alice: Browser, clock: MovedClock, stored: asyncpg.Connection
) -> None:
    await stored.execute("UPDATE users SET email_verified_at = now()")
    clock.move(timedelta(days=13, hours=23))
    assert (await alice.get("/connection")).status_code == 200
    clock.move(timedelta(days=13, hours=23))
    assert (await alice.get("/connection")).status_code == 200
    clock.move(timedelta(days=1))
    assert (await alice.get("/connection")).status_code == 200
    clock.move(timedelta(days=14))
    assert (await alice.get("/connection")).headers["Location"] == "/login?next=/connection"


async def test_a_session_ends_after_30_days_of_daily_use(
    alice: Browser, clock: MovedClock, stored: asyncpg.Connection
) -> None:
    await stored.execute("UPDATE users SET email_verified_at = now()")
    for _ in range(29):
        clock.move(timedelta(days=1))
        assert (await alice.get("/connection")).status_code == 200
    clock.move(timedelta(days=1))
    assert (await alice.get("/connection")).status_code == 303


async def test_a_member_who_was_removed_is_out_at_once(bob: Browser, stored: asyncpg.Connection) -> None:
    assert (await bob.get("/connection")).status_code == 200
    await stored.execute("DELETE FROM memberships WHERE role = 'viewer'")
    assert (await bob.get("/connection")).status_code == 303


@pytest.mark.parametrize("email", [ALICE, "nobody@nowhere.example"])
async def test_after_five_wrong_passwords_the_next_waits_whether_the_address_exists_or_not(
    app: FastAPI, alice: Browser, clock: MovedClock, email: str
) -> None:
    browser = Browser(app)
    pages = [await browser.sign_in(email, f"wrong {number}") for number in range(5)]
    assert {page.status_code for page in pages} == {422}
    assert len({strip(page.text, email) for page in pages}) == 1
    assert f'value="{email}"' in pages[0].text
    waiting = await browser.sign_in(email, PASSWORD)
    assert waiting.status_code == 429
    assert "Wait 3 seconds" in waiting.text
    assert browser.cookie("session") == ""
    clock.move(timedelta(seconds=3))
    assert (await browser.sign_in(email, PASSWORD)).status_code == (303 if email == ALICE else 422)


async def test_an_unknown_address_is_answered_as_a_known_one_with_a_wrong_password(
    app: FastAPI, alice: Browser
) -> None:
    browser = Browser(app)
    known, unknown = await browser.sign_in(ALICE, "wrong"), await browser.sign_in("nobody@nowhere.example", "wrong")
    assert known.status_code == unknown.status_code == 422
    assert strip(known.text, ALICE) == strip(unknown.text, "nobody@nowhere.example")


def strip(page: str, email: str) -> str:
    return page.replace(email, "")


async def test_wrong_passwords_from_one_client_do_not_keep_another_out(app: FastAPI, alice: Browser) -> None:
    mallory = Browser(app, address="198.51.100.66")
    for _ in range(7):
        await mallory.sign_in(ALICE, "wrong")
    assert (await mallory.sign_in(ALICE, PASSWORD)).status_code == 429
    assert (await Browser(app, address="192.0.2.1").sign_in(ALICE.upper(), PASSWORD)).status_code == 303


async def test_wrong_passwords_sent_at_once_are_counted_as_if_one_after_the_other(app: FastAPI, alice: Browser) -> None:
    mallory = Browser(app, address="198.51.100.66")
    await mallory.token()
    answers = await asyncio.gather(*(mallory.sign_in(ALICE, f"wrong {number}") for number in range(12)))
    assert Counter(answer.status_code for answer in answers) == {422: 5, 429: 7}


@pytest.mark.parametrize("email", ["", "\x00", "alice", "al\x00ice@shop.example", "x" * 50_000])
async def test_what_is_no_address_signs_nobody_in(app: FastAPI, email: str) -> None:
    assert (await Browser(app).sign_in(email)).status_code == 422


async def test_a_form_of_unlikely_size_is_not_read(app: FastAPI) -> None:
    answer = await Browser(app).sign_in("x" * 100_000)
    assert answer.status_code == 413
    assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize("field", ["email", "password", "csrf_token", "name"])
async def test_text_that_is_no_unicode_is_refused_and_not_an_error_of_ours(app: FastAPI, field: str) -> None:
    browser = Browser(app)
    fields = {"email": ALICE, "password": PASSWORD, "csrf_token": await browser.token(), "name": "Alice"}
    fields[field] = "+2AA-"
    charset = {"Content-Type": "multipart/form-data; charset=utf-7; boundary=b"}
    parts = "".join(f'--b\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{fields[key]}\r\n' for key in fields)
    for path in ("/login", "/register"):
        answer = await browser.http.post(path, content=f"{parts}--b--\r\n", headers=charset)
        assert answer.status_code == 403, path


ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "https://evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "/\n/evil.example",
    " //evil.example",
    "/%2F/evil.example",
    "/%5Cevil.example",
    "%2F%2Fevil.example",
    "evil.example",
    "@evil.example",
    "/\r\nLocation: https://evil.example",
]


@pytest.mark.parametrize("to", ELSEWHERE)
async def test_next_never_leads_to_another_site(app: FastAPI, alice: Browser, to: str) -> None:
    browser = Browser(app)
    arrivals = [
        await browser.sign_in(ALICE, next=to),
        await alice.http.get("/login", params={"next": to}),
    ]
    for answer in arrivals:
        assert answer.status_code == 303
        there = httpx.URL("https://here.example").join(as_a_browser_reads(answer.headers["Location"]))
        assert there.host == "here.example"
    form = await Browser(app).http.get("/login", params={"next": to}, headers={"Accept": "text/html"})
    assert "evil.example" not in form.text.replace("/%2F/evil", "").replace("/%5Cevil", "")


def as_a_browser_reads(location: str) -> str:
    """Without the tabs and line ends that the URL standard strips, and with backslashes as slashes."""
    return re.sub(r"[\t\r\n]", "", location).replace("\\", "/")


async def test_after_signing_in_one_is_where_one_was_going(app: FastAPI, alice: Browser) -> None:
    browser = Browser(app)
    sent = await browser.get("/connection")
    assert sent.headers["Location"] == "/login?next=/connection"
    assert 'name="next" value="/connection"' in (await browser.get(sent.headers["Location"])).text
    assert (await browser.sign_in(ALICE, next="/connection")).headers["Location"] == "/connection"
    assert (await Browser(app).sign_in(ALICE)).headers["Location"] == "/start"
