"""Signing in with a second step or a passkey, confirming, and changing how one signs in, on the pages."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from uuid import uuid4

import asyncpg
import httpx
import pyotp
import pytest
from fastapi import FastAPI

from payflux.app import create_app
from payflux.frontdoor.accounts.factors.rules import RECOVERY_CODES, SECOND_STEP_TIME
from payflux.world.bootstrap import World
from tests.conftest import MovedClock, with_settings
from tests.integration.factors.authenticator import Authenticator
from tests.integration.pages.browser import PASSWORD, Browser

EMAIL = "alice@alice-shop.example"
ORIGIN = "https://payflux.example"
STEP = timedelta(seconds=30)
SECURITY = "/account/security"


@pytest.fixture
def app(world: World) -> FastAPI:
    return create_app(with_settings(world, public_url=ORIGIN))


@pytest.fixture
async def alice(app: FastAPI) -> Browser:
    browser = Browser(app)
    assert (await browser.register("Alice", EMAIL)).status_code == 303
    return browser


async def set_up(browser: Browser, clock: MovedClock) -> tuple[pyotp.TOTP, list[str]]:
    """Set up an authenticator app on the pages; returns it and the recovery codes."""
    begun = await browser.post(f"{SECURITY}/totp")
    assert begun.headers["Location"] == f"{SECURITY}/totp"
    page = await browser.get(f"{SECURITY}/totp")
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', page.text)
    assert secret
    assert "<svg" in page.text
    app = pyotp.TOTP(secret[1].replace(" ", ""))
    shown = await browser.post(f"{SECURITY}/totp/confirm", {"code": app.at(clock.now())})
    codes = re.findall(r"<li><code>([a-z0-9-]+)</code></li>", shown.text)
    assert len(codes) == RECOVERY_CODES
    clock.move(STEP)
    return app, codes


async def signs_in(browser: Browser, path: str = "/account/security") -> bool:
    return (await browser.get(path)).status_code == 200


def device() -> Authenticator:
    return Authenticator(ORIGIN, "payflux.example")


async def add_passkey(browser: Browser, name: str = "Laptop") -> Authenticator:
    authenticator = device()
    options = await browser.post(f"{SECURITY}/passkeys/options")
    assert options.status_code == 200, options.text
    made = {"credential": authenticator.create(options.text), "name": name}
    assert (await browser.post(f"{SECURITY}/passkeys", made)).status_code == 303
    return authenticator


async def answer(browser: Browser, path: str, authenticator: Authenticator, **fields: str) -> httpx.Response:
    options = await browser.post(f"{path}/options")
    return await browser.post(path, {"credential": authenticator.get(options.text), **fields})


async def notices(stored: asyncpg.Connection) -> list[str]:
    jobs = [json.loads(row["payload"]) for row in await stored.fetch("SELECT payload FROM pgqueuer ORDER BY id")]
    return [job["what"] for job in jobs if job.get("mail") == "security_notice"]


async def test_with_an_app_set_up_a_password_alone_opens_nothing(
    app: FastAPI, alice: Browser, clock: MovedClock
) -> None:
    authenticator_app, _ = await set_up(alice, clock)
    browser = Browser(app)
    half = await browser.sign_in(EMAIL, next="/connection")
    assert half.headers["Location"] == "/login/second-step?next=%2Fconnection"
    assert browser.cookie("session") == ""
    assert not await signs_in(browser)
    assert 'name="next" value="/connection"' in (await browser.get(half.headers["Location"])).text
    wrong = await browser.post("/login/second-step", {"code": "000000x", "next": "/connection"})
    assert wrong.status_code == 422
    assert browser.cookie("session") == ""
    right = await browser.post("/login/second-step", {"code": authenticator_app.at(clock.now()), "next": "/connection"})
    assert right.headers["Location"] == "/connection"
    assert await signs_in(browser)
    assert browser.cookie("second_step") == ""


async def test_a_recovery_code_takes_the_second_step_once_and_its_owner_is_told(
    app: FastAPI, alice: Browser, clock: MovedClock, stored: asyncpg.Connection
) -> None:
    _, codes = await set_up(alice, clock)
    for expected in (303, 422):
        browser = Browser(app)
        await browser.sign_in(EMAIL)
        taken = await browser.post("/login/second-step", {"code": codes[3], "next": ""})
        assert taken.status_code == expected
    assert await notices(stored) == ["totp_added", "recovery_code_used"]
    assert f"{RECOVERY_CODES - 1} recovery codes left" in (await alice.get(SECURITY)).text


async def test_between_the_steps_one_comes_back_within_ten_minutes_or_starts_over(
    app: FastAPI, alice: Browser, clock: MovedClock
) -> None:
    authenticator_app, _ = await set_up(alice, clock)
    browser = Browser(app)
    await browser.sign_in(EMAIL)
    clock.move(SECOND_STEP_TIME)
    late = await browser.post("/login/second-step", {"code": authenticator_app.at(clock.now())})
    assert late.status_code == 422
    assert "Sign in again" in late.text
    assert not await signs_in(browser)
    assert (await browser.get("/login/second-step")).headers["Location"] == "/login"
    assert (await Browser(app).get("/login/second-step")).headers["Location"] == "/login"


async def test_five_wrong_codes_end_the_sign_in_under_way(app: FastAPI, alice: Browser, clock: MovedClock) -> None:
    authenticator_app, _ = await set_up(alice, clock)
    browser = Browser(app)
    await browser.sign_in(EMAIL)
    pages = [await browser.post("/login/second-step", {"code": "wrong"}) for _ in range(5)]
    assert "Sign in again" in pages[-1].text
    assert not await signs_in(browser)
    await browser.sign_in(EMAIL)
    waiting = await browser.post("/login/second-step", {"code": authenticator_app.at(clock.now())})
    assert waiting.status_code == 429
    assert "Wait" in waiting.text
    clock.move(STEP)
    assert (await browser.post("/login/second-step", {"code": authenticator_app.at(clock.now())})).status_code == 303


async def test_a_passkey_signs_in_without_a_password_or_a_code(app: FastAPI, alice: Browser, clock: MovedClock) -> None:
    authenticator = await add_passkey(alice)
    await set_up(alice, clock)
    browser = Browser(app)
    arrived = await answer(browser, "/login/passkey", authenticator, next="/connection")
    assert arrived.headers["Location"] == "/connection"
    assert await signs_in(browser)
    page = (await browser.get(SECURITY)).text
    assert "Laptop" in page
    assert "last used" in page


async def test_a_passkey_takes_the_second_step(app: FastAPI, alice: Browser, clock: MovedClock) -> None:
    authenticator = await add_passkey(alice)
    await set_up(alice, clock)
    browser = Browser(app)
    await browser.sign_in(EMAIL)
    assert (await answer(browser, "/login/second-step/passkey", authenticator)).status_code == 303
    assert await signs_in(browser)


async def test_somebody_elses_passkey_does_not_take_the_second_step(
    app: FastAPI, alice: Browser, clock: MovedClock
) -> None:
    await set_up(alice, clock)
    charlie = Browser(app)
    await charlie.register("Charlie")
    theirs = await add_passkey(charlie)
    browser = Browser(app)
    await browser.sign_in(EMAIL)
    assert (await answer(browser, "/login/second-step/passkey", theirs)).status_code == 422
    assert not await signs_in(browser)


async def test_an_answer_works_once_and_in_the_browser_that_was_asked(app: FastAPI, alice: Browser) -> None:
    authenticator = await add_passkey(alice)
    browser, mallory = Browser(app), Browser(app)
    credential = authenticator.get((await browser.post("/login/passkey/options")).text)
    assert (await mallory.post("/login/passkey", {"credential": credential})).status_code == 422
    assert (await browser.post("/login/passkey", {"credential": credential})).status_code == 303
    assert (await Browser(app).post("/login/passkey", {"credential": credential})).status_code == 422
    await browser.post("/sign-out")
    assert (await browser.post("/login/passkey", {"credential": credential})).status_code == 422


async def test_an_answer_that_comes_after_five_minutes_is_refused(
    app: FastAPI, alice: Browser, clock: MovedClock
) -> None:
    authenticator = await add_passkey(alice)
    browser = Browser(app)
    credential = authenticator.get((await browser.post("/login/passkey/options")).text)
    clock.move(timedelta(minutes=5))
    assert (await browser.post("/login/passkey", {"credential": credential})).status_code == 422


@pytest.mark.parametrize("flaw", ["another origin", "another site", "holder not verified", "count gone back", "forged"])
async def test_a_passkey_is_refused_that_was(app: FastAPI, alice: Browser, flaw: str) -> None:
    authenticator = await add_passkey(alice)
    await answer(Browser(app), "/login/passkey", authenticator)
    if flaw == "another origin":
        authenticator.origin = "https://payflux.example.evil.example"
    elif flaw == "another site":
        authenticator.rp_id = "evil.example"
    elif flaw == "holder not verified":
        authenticator.verifies = False
    elif flaw == "count gone back":
        authenticator.count = 0
    else:
        authenticator.key = device().key
    browser = Browser(app)
    assert (await answer(browser, "/login/passkey", authenticator)).status_code == 422
    assert not await signs_in(browser)


@pytest.mark.parametrize(
    "credential",
    [
        "",
        "{}",
        "[]",
        "null",
        "{",
        '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {}}',
        '{"id": "é", "rawId": "AA", "type": "public-key", "response": {"clientDataJSON": "e30", '
        '"authenticatorData": "", "signature": ""}}',
        '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {"clientDataJSON": '
        '"eyJ0eXBlIjoieCIsImNoYWxsZW5nZSI6NSwib3JpZ2luIjoieCJ9", "authenticatorData": "AA", "signature": "AA"}}',
    ],
)
async def test_what_is_no_passkey_is_refused_and_no_error_of_ours(
    app: FastAPI, alice: Browser, credential: str
) -> None:
    assert (await Browser(app).post("/login/passkey", {"credential": credential})).status_code == 422
    made = await alice.post(f"{SECURITY}/passkeys", {"credential": credential, "name": "x"})
    assert made.status_code == 422


async def test_a_passkey_is_kept_under_a_name_of_one_line(app: FastAPI, alice: Browser) -> None:
    await add_passkey(alice, "  My\nnew <b>phone</b>\x00 " + "x" * 200)
    page = (await alice.get(SECURITY)).text
    assert "My new &lt;b&gt;phone&lt;/b&gt; xxx" in page
    assert "x" * 101 not in page


async def test_the_last_way_to_sign_in_stays(app: FastAPI, alice: Browser, stored: asyncpg.Connection) -> None:
    await add_passkey(alice)
    await stored.execute("UPDATE users SET password_hash = NULL")
    passkey_id = await stored.fetchval("SELECT id FROM passkeys")
    refused = await alice.post(f"{SECURITY}/passkeys/{passkey_id}/remove")
    assert refused.status_code == 409
    assert "only way you can sign in" in refused.text
    await add_passkey(alice, "Phone")
    assert (await alice.post(f"{SECURITY}/passkeys/{passkey_id}/remove")).status_code == 303
    assert await stored.fetchval("SELECT count(*) FROM passkeys") == 1


async def test_a_passkey_that_is_not_there_is_not_found_however_one_signs_in(
    alice: Browser, stored: asyncpg.Connection
) -> None:
    await add_passkey(alice)
    await stored.execute("UPDATE users SET password_hash = NULL")
    answer = await alice.post(f"{SECURITY}/passkeys/{uuid4()}/remove")
    assert answer.status_code == 404
    assert await stored.fetchval("SELECT count(*) FROM passkeys") == 1


async def test_nobody_removes_somebody_elses_passkey(app: FastAPI, alice: Browser, stored: asyncpg.Connection) -> None:
    await add_passkey(alice)
    charlie = Browser(app)
    await charlie.register("Charlie")
    await add_passkey(charlie)
    hers = "SELECT passkeys.id FROM passkeys JOIN users ON users.id = user_id WHERE email = $1"
    passkey_id = await stored.fetchval(hers, EMAIL)
    assert (await charlie.post(f"{SECURITY}/passkeys/{passkey_id}/remove")).status_code == 404
    assert await stored.fetchval("SELECT count(*) FROM passkeys") == 2


async def test_each_change_ends_the_other_sessions_is_told_and_is_kept(
    app: FastAPI, alice: Browser, clock: MovedClock, stored: asyncpg.Connection
) -> None:
    async def elsewhere() -> Browser:
        browser = Browser(app)
        authenticator_passkey = await answer(browser, "/login/passkey", passkey)
        assert authenticator_passkey.status_code == 303
        return browser

    passkey = await add_passkey(alice)
    other = await elsewhere()
    await set_up(alice, clock)
    assert not await signs_in(other)
    other = await elsewhere()
    assert "Keep these recovery codes" in (await alice.post(f"{SECURITY}/recovery-codes")).text
    assert not await signs_in(other)
    other = await elsewhere()
    assert (await alice.post(f"{SECURITY}/totp/remove")).status_code == 303
    assert not await signs_in(other)
    other = await elsewhere()
    passkey_id = await stored.fetchval("SELECT id FROM passkeys")
    assert (await alice.post(f"{SECURITY}/passkeys/{passkey_id}/remove")).status_code == 303
    assert not await signs_in(other)
    assert await signs_in(alice)
    changes = ["passkey_added", "totp_added", "recovery_codes_replaced", "totp_removed", "passkey_removed"]
    assert await notices(stored) == changes
    kept = await stored.fetch("SELECT action FROM audit_entries WHERE action LIKE 'user.%' ORDER BY sequence")
    assert [row["action"] for row in kept] == [f"user.{change}" for change in changes]
    page = (await alice.get(SECURITY)).text
    assert "Recovery codes replaced" in page


DANGEROUS = ("/totp", "/totp/confirm", "/totp/remove", "/recovery-codes", "/passkeys/options", "/passkeys")


@pytest.mark.parametrize("path", DANGEROUS)
async def test_a_change_after_fifteen_minutes_asks_to_confirm_first(
    app: FastAPI, alice: Browser, clock: MovedClock, path: str
) -> None:
    clock.move(timedelta(minutes=15))
    refused = await alice.post(f"{SECURITY}{path}", {}, Referer=f"{ORIGIN}{SECURITY}")
    assert refused.headers["Location"] == "/account/confirm?next=/account/security"
    assert (await alice.get(f"{SECURITY}/totp")).headers["Location"] == "/account/confirm?next=/account/security/totp"
    assert (await alice.get(SECURITY)).status_code == 200


async def test_confirming_by_password_gives_a_new_session_and_leads_back(
    app: FastAPI, alice: Browser, clock: MovedClock, stored: asyncpg.Connection
) -> None:
    clock.move(timedelta(minutes=15))
    before = alice.cookie("session")
    assert (await alice.post("/account/confirm", {"password": "wrong"})).status_code == 422
    assert alice.cookie("session") == before
    back = await alice.post("/account/confirm", {"password": PASSWORD, "next": f"{SECURITY}/totp"})
    assert back.headers["Location"] == f"{SECURITY}/totp"
    assert alice.cookie("session") != before
    assert await stored.fetchval("SELECT count(*) FROM sessions") == 1
    assert (await alice.post(f"{SECURITY}/totp")).headers["Location"] == f"{SECURITY}/totp"


async def test_confirming_with_an_app_set_up_takes_its_code_as_well(
    app: FastAPI, alice: Browser, clock: MovedClock
) -> None:
    authenticator_app, _ = await set_up(alice, clock)
    clock.move(timedelta(minutes=15))
    assert (await alice.post("/account/confirm", {"password": PASSWORD})).status_code == 422
    assert (await alice.post(f"{SECURITY}/totp/remove")).headers["Location"].startswith("/account/confirm")
    both = {"password": PASSWORD, "code": authenticator_app.at(clock.now())}
    assert (await alice.post("/account/confirm", both)).status_code == 303
    assert (await alice.post(f"{SECURITY}/totp/remove")).headers["Location"] == SECURITY


async def test_confirming_by_ones_own_passkey(app: FastAPI, alice: Browser, clock: MovedClock) -> None:
    authenticator = await add_passkey(alice)
    charlie = Browser(app)
    await charlie.register("Charlie")
    theirs = await add_passkey(charlie)
    clock.move(timedelta(minutes=15))
    assert (await answer(alice, "/account/confirm/passkey", theirs)).status_code == 422
    assert (await answer(alice, "/account/confirm/passkey", authenticator)).status_code == 303
    assert (await alice.post(f"{SECURITY}/totp")).headers["Location"] == f"{SECURITY}/totp"


async def test_confirming_leads_to_no_other_site(alice: Browser) -> None:
    back = await alice.post("/account/confirm", {"password": PASSWORD, "next": "//evil.example"})
    assert back.headers["Location"] == SECURITY


async def test_the_page_offers_passkeys_where_they_work_and_says_where_elsewhere(world: World) -> None:
    browser = Browser(create_app(world))
    assert (await browser.register("Alice", EMAIL)).status_code == 303
    page = (await browser.get(SECURITY)).text
    assert "data-passkey=" not in page
    assert f"http://localhost:{world.settings.port}{SECURITY}" in page
