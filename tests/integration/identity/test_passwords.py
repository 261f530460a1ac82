"""Forgotten and changed passwords, and what they end."""

from __future__ import annotations

import time
from datetime import timedelta

import asyncpg
import pytest
from fastapi import FastAPI

from tests.conftest import MovedClock
from tests.integration.identity.conftest import ALICE, Post, link_in, token_in
from tests.integration.pages.browser import PASSWORD, Browser

NEW = "another lantern in the fog"


async def test_a_forgotten_password_is_set_by_mail_once_and_ends_every_session(
    app: FastAPI, alice: Browser, post: Post, stored: asyncpg.Connection
) -> None:
    await post.arrived()
    phone = Browser(app, address="198.51.100.9")
    asked = await phone.post("/forgot", {"email": f" {ALICE.upper()}"})
    assert (asked.status_code, "Check your mail" in asked.text) == (200, True)
    token = token_in(await post.last(ALICE))
    for _ in range(2):
        assert 'data-state="open"' in (await phone.get(f"/reset?token={token}")).text
    assert (await phone.post("/reset", {"token": token, "password": "short"})).status_code == 422
    assert 'data-state="done"' in (await phone.post("/reset", {"token": token, "password": NEW})).text
    assert phone.cookie("session") == ""
    assert (await alice.get("/connection")).status_code == 303
    assert await stored.fetchval("SELECT count(*) FROM sessions") == 0
    again = await phone.post("/reset", {"token": token, "password": "yet another harbour"})
    assert (again.status_code, 'data-state="used"' in again.text) == (410, True)
    assert (await phone.sign_in(ALICE)).status_code == 422
    assert (await phone.sign_in(ALICE, NEW)).status_code == 303
    assert str((await post.last(ALICE))["Subject"]) == "Your PayFlux password was changed"
    assert await stored.fetchval("SELECT count(*) FROM audit_entries WHERE action = 'user.password_reset'") == 1


async def test_forgot_answers_the_same_for_every_address_and_takes_no_less_time(
    app: FastAPI, alice: Browser, post: Post
) -> None:
    await post.arrived()
    pages, browser = [], Browser(app)
    for email in (ALICE, "nobody@nowhere.example"):
        began = time.perf_counter()
        answer = await browser.post("/forgot", {"email": email})
        assert time.perf_counter() - began >= 0.25
        pages.append((answer.status_code, answer.text.replace(email, "")))
    assert pages[0] == pages[1]
    assert [mail["To"] for mail in (await post.arrived())[1:]] == [ALICE]


async def test_asking_twice_leaves_the_first_mail_good_and_a_later_one_replaces_it(
    app: FastAPI, alice: Browser, post: Post, clock: MovedClock
) -> None:
    browser = Browser(app)
    await post.arrived()
    for _ in range(2):
        await browser.post("/forgot", {"email": ALICE})
    first = await post.last(ALICE)
    assert len(await post.arrived(ALICE)) == 2
    assert 'data-state="open"' in (await browser.get(link_in(first))).text
    clock.move(timedelta(minutes=2))
    await browser.post("/forgot", {"email": ALICE})
    second = await post.last(ALICE)
    assert (await browser.get(link_in(first))).status_code == 410
    clock.move(timedelta(hours=1))
    expired = await browser.post("/reset", {"token": token_in(second), "password": NEW})
    assert 'data-state="expired"' in expired.text
    assert (await browser.post("/reset", {"token": "x", "password": NEW})).status_code == 404
    assert (await browser.sign_in(ALICE)).status_code == 303


async def test_a_link_that_confirms_an_address_sets_no_password_and_the_other_way_round(
    app: FastAPI, alice: Browser, post: Post
) -> None:
    confirm = token_in(await post.last(ALICE))
    await alice.post("/forgot", {"email": ALICE})
    reset = token_in(await post.last(ALICE))
    assert (await alice.post("/reset", {"token": confirm, "password": NEW})).status_code == 404
    assert (await alice.post("/verify-email", {"token": reset})).status_code == 404


async def test_whoever_has_no_password_is_told_how_they_sign_in(
    app: FastAPI, alice: Browser, post: Post, stored: asyncpg.Connection
) -> None:
    await post.arrived()
    await stored.execute("UPDATE users SET password_hash = NULL, email_verified_at = now()")
    await Browser(app).post("/forgot", {"email": ALICE})
    mail = await post.last(ALICE)
    assert (str(mail["Subject"]), link_in(mail)) == ("How you sign in to PayFlux", "/login")
    refused = await alice.post("/account/password", {"old_password": PASSWORD, "password": NEW})
    asked = await alice.get("/account/password")
    for answer in (refused, asked):
        assert (answer.status_code, "have no password here" in answer.text) == (400, True)
    assert 'name="old_password"' not in asked.text, "no form that is refused"


async def test_changing_a_password_asks_for_the_old_one_and_ends_the_other_sessions(
    app: FastAPI, alice: Browser, post: Post
) -> None:
    phone = Browser(app, address="198.51.100.9")
    await phone.sign_in(ALICE)
    wrong = await alice.post("/account/password", {"old_password": "wrong", "password": NEW})
    assert (wrong.status_code, 'id="old_password-error"' in wrong.text) == (422, True)
    assert NEW not in wrong.text
    assert (await alice.post("/account/password", {"old_password": PASSWORD, "password": "x"})).status_code == 422
    assert (await phone.get("/connection")).status_code == 200
    done = await alice.post("/account/password", {"old_password": PASSWORD, "password": NEW})
    assert (done.status_code, "is changed" in done.text) == (200, True)
    assert (await phone.get("/connection")).status_code == 303
    assert (await alice.get("/connection")).status_code == 200
    assert "Your PayFlux password was changed" in [str(mail["Subject"]) for mail in await post.arrived(ALICE)]
    assert (await phone.sign_in(ALICE, NEW)).status_code == 303


async def test_guessing_the_old_password_in_a_stolen_session_gets_slow(alice: Browser) -> None:
    for _ in range(5):
        assert (await alice.post("/account/password", {"old_password": "w", "password": NEW})).status_code == 422
    assert (await alice.post("/account/password", {"old_password": PASSWORD, "password": NEW})).status_code == 429


async def test_a_known_browser_signs_in_while_somebody_else_guesses_from_the_same_network(
    app: FastAPI, alice: Browser
) -> None:
    await alice.post("/sign-out")
    await alice.sign_in(ALICE)
    await alice.post("/sign-out")
    mallory = Browser(app)
    for number in range(6):
        await mallory.sign_in(ALICE, f"wrong {number}")
    assert (await mallory.sign_in(ALICE)).status_code == 429
    assert (await alice.sign_in(ALICE)).status_code == 303


async def test_a_network_that_tries_many_addresses_waits_also_at_the_next(
    app: FastAPI, alice: Browser, clock: MovedClock
) -> None:
    mallory = Browser(app, address="198.51.100.66")
    answers = [(await mallory.sign_in(f"victim{number}@shop.example", "wrong")).status_code for number in range(21)]
    assert answers == [422] * 20 + [429]
    clock.move(timedelta(minutes=16))
    assert (await mallory.sign_in(ALICE)).status_code == 303


@pytest.mark.parametrize("which", ["one", "others"])
async def test_sessions_elsewhere_are_ended_and_those_of_others_are_not(
    app: FastAPI, alice: Browser, stored: asyncpg.Connection, which: str
) -> None:
    phone, charlie = Browser(app, address="198.51.100.9"), Browser(app)
    await phone.sign_in(ALICE)
    await charlie.register("Charlie")
    target = await stored.fetchval("SELECT id FROM sessions WHERE address = '198.51.100.9'")
    for not_theirs in (str(target), "no id"):
        assert (await charlie.post("/account/sessions/end", {"session_id": not_theirs})).status_code == 303
    assert (await phone.get("/connection")).status_code == 200
    await alice.post("/account/sessions/end", {"session_id": str(target)} if which == "one" else {})
    assert (await phone.get("/connection")).status_code == 303
    assert (await alice.get("/connection")).status_code == 200
    assert (await charlie.get("/connection")).status_code == 200


async def test_only_a_browser_that_knows_the_account_is_told_that_it_has_no_password(
    app: FastAPI, alice: Browser, stored: asyncpg.Connection
) -> None:
    await alice.post("/sign-out")
    await alice.sign_in(ALICE)
    await alice.post("/sign-out")
    await stored.execute("UPDATE users SET password_hash = NULL")
    await stored.execute(
        "INSERT INTO oauth_identities (id, user_id, provider, issuer, subject, email_at_link, linked_at, last_used_at) "
        "SELECT gen_random_uuid(), id, 'google', 'https://accounts.google.com', '1', email, now(), now() FROM users"
    )
    known, stranger = await alice.sign_in(ALICE), await Browser(app).sign_in(ALICE)
    assert (known.status_code, "You sign in to this account with Google" in known.text) == (400, True)
    assert (stranger.status_code, "with Google." in stranger.text) == (422, False)
