"""Members connect a provider, and disconnect it."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
from fastapi import FastAPI

from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.providers.conftest import Traveller, mails, member, signed_in_as, user_called

ALICE, BOB = "alice@alice-shop.example", "bob@alice-shop.example"
PAGE = "/account/security/providers/google"


async def connected(stored: asyncpg.Connection) -> list[str]:
    rows = await stored.fetch("SELECT provider FROM oauth_identities ORDER BY provider")
    return [row["provider"] for row in rows]


async def test_alice_connects_an_account_with_another_address_and_hers_stays(
    there: World, app: FastAPI, traveller: Traveller, stored: asyncpg.Connection
) -> None:
    user_id = await member(there, "Alice", ALICE, verified=True)
    alice = await signed_in_as(there, app, user_id)
    before = await user_called(stored, ALICE)
    page = await alice.get(PAGE)
    assert "Go to Google" in page.text
    assert (await alice.link("google", "charlie")).headers["location"] == "/account/security"
    assert await user_called(stored, ALICE) == before
    assert await mails(stored) == ["provider_connected"]
    assert await stored.fetchval("SELECT count(*) FROM audit_entries WHERE action = 'user.google_connected'") == 1
    assert "charlie@elsewhere.example" in (await alice.get(PAGE)).text
    await traveller.sign_in_by("google", "charlie")
    assert await stored.fetchval("SELECT array_agg(DISTINCT user_id) FROM sessions") == [user_id]


async def test_connecting_twice_changes_nothing(there: World, app: FastAPI, stored: asyncpg.Connection) -> None:
    alice = await signed_in_as(there, app, await member(there, "Alice", ALICE, verified=True))
    await alice.link("google", "alice")
    assert (await alice.link("google", "alice")).headers["location"] == "/account/security"
    assert (await mails(stored), await connected(stored)) == (["provider_connected"], ["google"])


async def test_one_identity_signs_in_to_one_user_and_nobody_is_told_to_whom(
    there: World, app: FastAPI, stored: asyncpg.Connection
) -> None:
    alice = await signed_in_as(there, app, await member(there, "Alice", ALICE, verified=True))
    bob = await signed_in_as(there, app, await member(there, "Bob", BOB, verified=True))
    await alice.link("google", "alice")
    refused = await bob.link("google", "alice")
    assert refused.status_code == 409
    assert "This Google account is in use" in refused.text
    assert ALICE not in refused.text
    another = await alice.link("google", "charlie")
    assert another.status_code == 409
    assert "Another Google account is connected" in another.text
    assert await connected(stored) == ["google"]


async def test_whoever_has_not_proven_their_address_cannot_connect(
    there: World, app: FastAPI, stored: asyncpg.Connection
) -> None:
    alice = await signed_in_as(there, app, await member(there, "Alice", ALICE, verified=False))
    refused = await alice.post(f"{PAGE}/connect", Accept="application/json")
    assert refused.status_code == 403
    assert refused.json()["code"] == "email_not_verified"
    assert await stored.fetchval("SELECT count(*) FROM provider_trips") == 0


async def test_what_alice_began_cannot_be_finished_by_bob_in_the_same_browser(
    there: World, app: FastAPI, stored: asyncpg.Connection
) -> None:
    browser = await signed_in_as(there, app, await member(there, "Alice", ALICE, verified=True))
    bobs = await signed_in_as(there, app, await member(there, "Bob", BOB, verified=True))
    callback = await browser.choose(await browser.leave("google", f"{PAGE}/connect"), "alice")
    name = next(cookie.name for cookie in browser.http.cookies.jar if cookie.name.endswith("session"))
    browser.http.cookies.set(name, bobs.cookie("session"))
    assert (await browser.get(callback)).status_code == 400
    assert await connected(stored) == []


async def test_connecting_and_disconnecting_ask_for_a_fresh_proof(
    there: World, app: FastAPI, stored: asyncpg.Connection, clock: MovedClock
) -> None:
    alice = await signed_in_as(there, app, await member(there, "Alice", ALICE, verified=True))
    await alice.link("google", "alice")
    clock.move(timedelta(minutes=16))
    for answer in (
        await alice.get(PAGE),
        await alice.post("/account/security/providers/microsoft/connect"),
        await alice.post(f"{PAGE}/disconnect"),
    ):
        assert answer.headers["location"].startswith("/account/confirm")
    assert await connected(stored) == ["google"]


async def test_disconnecting_ends_every_other_session_and_is_told(
    there: World, app: FastAPI, traveller: Traveller, stored: asyncpg.Connection
) -> None:
    alice = await signed_in_as(there, app, await member(there, "Alice", ALICE, verified=True))
    await alice.link("google", "alice")
    await traveller.sign_in_by("google", "alice")
    assert "Disconnect Google?" in (await alice.get(PAGE)).text
    assert (await alice.post(f"{PAGE}/disconnect")).headers["location"] == "/account/security"
    assert await connected(stored) == []
    assert await mails(stored) == ["provider_connected", "provider_disconnected"]
    assert await stored.fetchval("SELECT count(*) FROM audit_entries WHERE action = 'user.google_disconnected'") == 1
    assert (await traveller.get("/start")).headers["location"] == "/"
    assert (await alice.get("/start")).headers["location"] == "/welcome"
    assert (await alice.post(f"{PAGE}/disconnect")).status_code == 404


async def test_the_last_way_to_sign_in_stays(traveller: Traveller, stored: asyncpg.Connection) -> None:
    await traveller.sign_in_by("google", "alice")
    assert "Google is your only way to sign in" in (await traveller.get(PAGE)).text
    refused = await traveller.post(f"{PAGE}/disconnect")
    assert refused.status_code == 409
    assert "your only way to sign in" in refused.text
    await traveller.link("microsoft", "alice")
    assert (await traveller.post(f"{PAGE}/disconnect")).status_code == 303
    assert await connected(stored) == ["microsoft"]
