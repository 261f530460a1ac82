"""Proving an address: the code, the link, each state of a link, the grace and the wall."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import asyncpg
import pytest
from fastapi import FastAPI

from tests.conftest import MovedClock
from tests.integration.identity.conftest import (
    ALICE,
    BOB,
    CHARLIE,
    Post,
    code_in,
    is_verified,
    link_in,
    text_of,
    token_in,
)
from tests.integration.pages.browser import MACHINE, Browser


async def test_the_code_from_the_mail_confirms_the_address_and_leads_on(
    alice: Browser, post: Post, stored: asyncpg.Connection
) -> None:
    mail = await post.last(ALICE)
    answer = await alice.post("/verify-email/code", {"code": f" {code_in(mail)[:3]} {code_in(mail)[3:]} "})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/start")
    assert await is_verified(stored, ALICE)
    assert "Already confirmed" in (await alice.get("/verify-email")).text
    assert await stored.fetchval("SELECT count(*) FROM audit_entries WHERE action = 'user.email_verified'") == 1


async def test_looking_at_the_link_changes_nothing_and_the_button_behind_it_confirms_in_any_browser(
    app: FastAPI, alice: Browser, post: Post, stored: asyncpg.Connection
) -> None:
    mail = await post.last(ALICE)
    phone = Browser(app, address="198.51.100.9")
    for _ in range(3):  # a scanner follows links, and does not press buttons
        page = await phone.get(link_in(mail))
        assert (page.status_code, 'data-state="open"' in page.text) == (200, True)
    assert not await is_verified(stored, ALICE)
    done = await phone.post("/verify-email", {"token": token_in(mail)})
    assert 'data-state="done"' in done.text
    assert await is_verified(stored, ALICE)
    assert phone.cookie("session") == ""
    again = await phone.get(link_in(mail))
    assert (again.status_code, "Already confirmed" in again.text) == (200, True)
    assert 'data-state="used"' in (await phone.post("/verify-email", {"token": token_in(mail)})).text


async def test_each_state_of_a_link_has_a_page_of_its_own(
    app: FastAPI, alice: Browser, post: Post, clock: MovedClock, stored: asyncpg.Connection
) -> None:
    first = await post.last(ALICE)
    clock.move(timedelta(minutes=2))
    assert (await alice.post("/verify-email/resend")).status_code == 303
    second = await post.last(ALICE)
    charlie = Browser(app)
    await charlie.register("Charlie", CHARLIE)
    forged = token_in(second)[:-1] + ("0" if token_in(second)[-1] != "0" else "1")
    states = {
        "superseded": (alice, token_in(first), 410),
        "unknown": (alice, forged, 404),
        "other_user": (charlie, token_in(second), 200),
    }
    for state, (browser, token, status) in states.items():
        page = await browser.get(f"/verify-email?token={token}")
        assert (page.status_code, f'data-state="{state}"' in page.text) == (status, True), state
        used = await browser.post("/verify-email", {"token": token})
        assert f'data-state="{state}"' in used.text
    for address in (ALICE, CHARLIE):
        assert address in (await charlie.get(f"/verify-email?token={token_in(second)}")).text
    clock.move(timedelta(days=1))
    assert 'data-state="expired"' in (await alice.post("/verify-email", {"token": token_in(second)})).text
    assert not await is_verified(stored, ALICE)
    assert (await alice.get("/verify-email?token=" + "x" * 5000)).status_code == 404


async def test_a_code_is_looked_at_five_times_and_for_ten_minutes(
    alice: Browser, post: Post, clock: MovedClock, stored: asyncpg.Connection
) -> None:
    code = code_in(await post.last(ALICE))
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    for _ in range(5):
        answer = await alice.post("/verify-email/code", {"code": wrong})
        assert (answer.status_code, "not the code" in answer.text) == (422, True)
    assert "not valid any more" in (await alice.post("/verify-email/code", {"code": code})).text
    clock.move(timedelta(minutes=2))
    await alice.post("/verify-email/resend")
    newer = code_in(await post.last(ALICE))
    clock.move(timedelta(minutes=10))
    assert "not valid any more" in (await alice.post("/verify-email/code", {"code": newer})).text
    assert not await is_verified(stored, ALICE)


async def test_the_code_of_one_user_confirms_nothing_for_another(
    app: FastAPI, alice: Browser, post: Post, stored: asyncpg.Connection
) -> None:
    code = code_in(await post.last(ALICE))
    charlie = Browser(app)
    await charlie.register("Charlie", CHARLIE)
    assert (await charlie.post("/verify-email/code", {"code": code})).status_code == 422
    assert not await is_verified(stored, ALICE)
    assert not await is_verified(stored, CHARLIE)


async def test_the_next_mail_waits_longer_each_time_and_the_page_says_how_long(
    alice: Browser, post: Post, clock: MovedClock
) -> None:
    codes = [code_in(await post.last(ALICE))]
    for minutes in (1, 2, 4):
        page = (await alice.get("/verify-email")).text
        assert f'data-wait="{minutes * 60}"' in page
        assert (await alice.post("/verify-email/resend")).status_code == 429
        clock.move(timedelta(minutes=minutes))
        assert (await alice.post("/verify-email/resend")).status_code == 303
        assert code_in(await post.last(ALICE)) not in codes
        codes.append(code_in(await post.last(ALICE)))


async def test_a_mistyped_address_is_corrected_and_the_old_link_is_dead(
    app: FastAPI, alice: Browser, post: Post, clock: MovedClock, stored: asyncpg.Connection
) -> None:
    mistyped = await post.last(ALICE)
    right = "alice@alices-shop.example"
    assert (await alice.post("/verify-email/address", {"email": "alice@"})).status_code == 422
    assert (await alice.post("/verify-email/address", {"email": right})).status_code == 303
    assert right in (await alice.get("/verify-email")).text
    assert 'data-state="superseded"' in (await alice.post("/verify-email", {"token": token_in(mistyped)})).text
    answer = await alice.post("/verify-email/code", {"code": code_in(await post.last(right))})
    assert answer.headers["Location"] == "/start"
    assert await is_verified(stored, right)
    assert "E-mail address confirmed" in (await alice.get("/account/security")).text
    assert (await Browser(app).sign_in(right)).headers["Location"] == "/start"
    assert (await Browser(app).sign_in(ALICE)).status_code == 422


async def test_a_first_correction_is_mailed_at_once_and_the_next_has_to_wait(
    alice: Browser, post: Post, clock: MovedClock
) -> None:
    again = await alice.post("/verify-email/address", {"email": ALICE.upper()})
    assert again.status_code == 429, "the same address is no correction"
    assert (await alice.post("/verify-email/address", {"email": "alice@one.example"})).status_code == 303
    assert len(await post.arrived("alice@one.example")) == 1
    assert (await alice.post("/verify-email/address", {"email": "alice@two.example"})).status_code == 429
    assert (await alice.post("/verify-email/resend")).status_code == 429
    clock.move(timedelta(minutes=2))
    assert (await alice.post("/verify-email/address", {"email": "alice@two.example"})).status_code == 303
    assert len(await post.arrived("alice@two.example")) == 1


async def test_correcting_to_somebodys_address_looks_the_same_and_only_tells_that_somebody(
    app: FastAPI, alice: Browser, post: Post, clock: MovedClock, stored: asyncpg.Connection
) -> None:
    charlie = Browser(app)
    await charlie.register("Charlie", CHARLIE)
    await post.arrived()
    clock.move(timedelta(minutes=2))
    free = await alice.post("/verify-email/address", {"email": "nobody@free.example"})
    clock.move(timedelta(minutes=5))
    taken = await alice.post("/verify-email/address", {"email": CHARLIE})
    assert (free.status_code, free.headers["Location"]) == (taken.status_code, taken.headers["Location"])
    assert CHARLIE in (await alice.get("/verify-email")).text
    told = await post.last(CHARLIE)
    assert "account already" in str(told["Subject"])
    assert link_in(told) == "/login"
    assert await stored.fetchval("SELECT email FROM users WHERE name = 'Alice'") == "nobody@free.example"


async def test_the_product_is_open_for_seven_days_with_a_banner_and_then_the_wall_takes_the_code(
    alice: Browser, post: Post, clock: MovedClock
) -> None:
    page = await alice.get("/activate")
    assert (page.status_code, "Type the code" in page.text) == (200, True)
    clock.move(timedelta(days=7) - timedelta(seconds=1))
    assert (await alice.get("/connection")).status_code == 200
    clock.move(timedelta(seconds=1))
    sent = await alice.get("/connection")
    assert (sent.status_code, sent.headers["Location"]) == (303, "/verify-email?next=/connection")
    wall = await alice.get(sent.headers["Location"])
    assert (wall.status_code, "Confirm your address to go on" in wall.text) == (403, True)
    machine = await alice.get("/connection", **MACHINE)
    assert (machine.status_code, machine.json()["error"]) == (403, "email_not_verified")
    assert (await alice.post("/verify-email/resend", {"next": "/connection"})).status_code == 303
    code = code_in(await post.last(ALICE))
    answer = await alice.post("/verify-email/code", {"code": code, "next": "/connection"})
    assert answer.headers["Location"] == "/connection"
    open_again = await alice.get("/connection")
    assert (open_again.status_code, "Type the code" in open_again.text) == (200, False)


async def test_behind_the_wall_one_can_still_sign_out(alice: Browser, clock: MovedClock) -> None:
    clock.move(timedelta(days=8))
    assert (await alice.post("/sign-out")).headers["Location"] == "/"


async def test_no_secret_of_a_mail_stands_in_the_queue_or_the_database(
    alice: Browser, post: Post, stored: asyncpg.Connection
) -> None:
    queued = b"".join(row["payload"] for row in await stored.fetch("SELECT payload FROM pgqueuer"))
    mail = await post.last(ALICE)
    assert b"verify_address" in queued
    for secret in (ALICE, token_in(mail), token_in(mail)[32:], code_in(mail)):
        assert secret.encode() not in queued
    kept = str([tuple(row) for row in await stored.fetch("SELECT * FROM email_challenges")])
    assert token_in(mail)[32:] not in kept
    assert code_in(mail) not in kept


async def test_an_address_is_changed_when_the_new_one_confirms_and_the_old_one_is_told_twice(
    app: FastAPI, alice: Browser, post: Post, stored: asyncpg.Connection
) -> None:
    await alice.post("/verify-email/code", {"code": code_in(await post.last(ALICE))})
    new = "alice@new-shop.example"
    assert "already" in unescape((await alice.post("/account/email", {"email": ALICE.upper()})).text)
    assert new in (await alice.post("/account/email", {"email": new})).text
    asked = await post.last(ALICE)
    assert "wants to change" in str(asked["Subject"])
    assert new in text_of(asked)
    assert (await Browser(app).sign_in(new)).status_code == 422
    link = await post.last(new)
    assert 'data-state="done"' in (await alice.post("/verify-email", {"token": token_in(link)})).text
    assert await is_verified(stored, new)
    assert "was changed" in str((await post.last(ALICE))["Subject"])
    assert (await Browser(app).sign_in(new)).status_code == 303


@pytest.mark.parametrize("path", ["/verify-email/resend", "/verify-email/code", "/verify-email/address"])
async def test_a_stranger_who_has_registered_nothing_is_sent_away(app: FastAPI, path: str, post: Post) -> None:
    answer = await Browser(app).post(path, {"email": BOB, "code": "123456"})
    assert answer.status_code == 303
    assert await post.arrived() == []
