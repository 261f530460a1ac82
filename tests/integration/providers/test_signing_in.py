"""Strangers come back from a provider."""

from __future__ import annotations

import re
from datetime import timedelta

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from payflux.frontdoor.accounts.factors.models import TotpFactor
from payflux.monitor.scan.links import token_of
from payflux.monitor.scan.service import start_scan
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.providers.conftest import Traveller, mails, member, user_called

ALICE, CHARLIE = "alice@shop.example", "charlie@elsewhere.example"
IDENTITIES = "SELECT provider, issuer, subject, email_at_link FROM oauth_identities ORDER BY provider"


def _told(answer: httpx.Response) -> list[tuple[str, str]]:
    """What an answer says, but for the values of its cookies."""
    headers = [(name, value) for name, value in answer.headers.multi_items() if name != "x-request-id"]
    return [(name, re.sub("=.*?;", "=;", value, count=1) if name == "set-cookie" else value) for name, value in headers]


@pytest.mark.parametrize("provider", ["google", "microsoft"])
async def test_alice_registers_by_a_provider_that_proves_her_address(
    traveller: Traveller, stored: asyncpg.Connection, provider: str
) -> None:
    back = await traveller.sign_in_by(provider, "alice", plan="pro")
    assert (back.status_code, back.headers["location"]) == (303, "/start")
    user = await user_called(stored, ALICE)
    assert user is not None
    assert user["email_verified_at"] is not None
    assert user["password_hash"] is None
    assert user["name"] == "Alice Owner"
    assert await mails(stored) == []
    assert await stored.fetchval("SELECT intended_plan FROM accounts") == "pro"
    assert (await traveller.get("/activate")).status_code == 200
    assert traveller.cookie("last_method") == provider


async def test_alice_signs_in_again_in_another_browser(
    app: FastAPI, traveller: Traveller, stored: asyncpg.Connection, clock: MovedClock
) -> None:
    await traveller.sign_in_by("google", "alice")
    clock.move(timedelta(minutes=1))
    other = Traveller(app)
    back = await other.sign_in_by("google", "alice", next="/what-if")
    assert back.headers["location"] == "/what-if"
    assert await stored.fetchval("SELECT count(*) FROM users") == 1
    assert await stored.fetchval("SELECT last_used_at - linked_at FROM oauth_identities") == timedelta(minutes=1)


async def test_an_address_that_changes_at_the_provider_keeps_the_user_and_changes_nothing_here(
    app: FastAPI, traveller: Traveller, stored: asyncpg.Connection
) -> None:
    for provider in ("google", "microsoft"):
        await Traveller(app).sign_in_by(provider, "dana-before")
    assert await stored.fetchval("SELECT count(*) FROM users") == 1
    await stored.execute("DELETE FROM oauth_identities WHERE provider = 'microsoft'")
    before = await stored.fetch(IDENTITIES)
    assert (await traveller.sign_in_by("google", "dana-after")).headers["location"] == "/start"
    assert await stored.fetchval("SELECT email FROM users") == "dana@before.example"
    assert await stored.fetch(IDENTITIES) == before


async def test_charlies_work_account_proves_no_address_so_he_gets_a_code_of_ours(
    traveller: Traveller, stored: asyncpg.Connection
) -> None:
    back = await traveller.sign_in_by("microsoft", "charlie")
    assert back.headers["location"] == "/verify-email"
    user = await user_called(stored, CHARLIE)
    assert user is not None
    assert user["email_verified_at"] is None
    assert await mails(stored) == ["verify_address"]


@pytest.mark.parametrize("verified", [True, False])
async def test_an_impostor_is_answered_as_if_nobody_had_the_address_and_its_holder_is_told(
    there: World, app: FastAPI, traveller: Traveller, stored: asyncpg.Connection, verified: bool
) -> None:
    await member(there, "Alice", ALICE, verified=verified)
    alice = await user_called(stored, ALICE)
    refused = await traveller.sign_in_by("microsoft", "impostor")
    created = await Traveller(app).sign_in_by("microsoft", "charlie")
    assert (refused.status_code, refused.headers["location"]) == (created.status_code, created.headers["location"])
    assert _told(refused) == _told(created)
    assert await user_called(stored, ALICE) == alice
    assert (await traveller.get("/start")).headers["location"] == "/"  # the session it got opens nothing
    assert [row["email_at_link"] for row in await stored.fetch(IDENTITIES)] == [CHARLIE]
    assert await mails(stored) == ["address_taken", "verify_address"]


async def test_alice_is_asked_before_a_provider_is_connected_to_her_account(
    there: World, traveller: Traveller, stored: asyncpg.Connection
) -> None:
    user_id = await member(there, "Alice", ALICE, verified=True)
    asked = await traveller.sign_in_by("google", "alice")
    page = await traveller.get(asked.headers["location"])
    assert "Connect Google to your account?" in page.text
    assert ALICE in page.text
    assert await stored.fetch(IDENTITIES) == []
    trip = asked.headers["location"].partition("trip=")[2]
    connected = await traveller.post("/auth/google/connect", {"trip": trip})
    assert connected.headers["location"] == "/start"
    assert await stored.fetchval("SELECT user_id FROM oauth_identities") == user_id
    user = await user_called(stored, ALICE)
    assert user is not None
    assert user["password_hash"]
    assert await mails(stored) == ["provider_connected"]
    assert await stored.fetchval("SELECT count(*) FROM audit_entries WHERE action = 'user.google_connected'") == 1
    assert (await traveller.post("/auth/google/connect", {"trip": trip})).status_code == 400


async def test_only_the_browser_that_came_back_is_asked(
    there: World, app: FastAPI, traveller: Traveller, stored: asyncpg.Connection
) -> None:
    await member(there, "Alice", ALICE, verified=True)
    asked = await traveller.sign_in_by("google", "alice")
    mallory = Traveller(app)
    await mallory.leave("google")
    assert (await mallory.get(asked.headers["location"])).status_code == 400
    trip = asked.headers["location"].partition("trip=")[2]
    assert (await mallory.post("/auth/google/connect", {"trip": trip})).status_code == 400
    assert await stored.fetch(IDENTITIES) == []


async def test_two_steps_are_asked_for_before_a_provider_is_connected_and_when_it_signs_in(
    there: World, app: FastAPI, traveller: Traveller, stored: asyncpg.Connection
) -> None:
    user_id = await member(there, "Alice", ALICE, verified=True)
    now = there.clock.now()
    async with there.database.system() as session:
        session.add(TotpFactor(user_id=user_id, secret=b"", created_at=now, confirmed_at=now))
    refused = await traveller.sign_in_by("google", "alice")
    assert refused.status_code == 409
    assert "Sign in first, then connect Google" in refused.text
    async with there.database.system() as session:
        await session.delete(await session.get_one(TotpFactor, user_id))
    asked = await traveller.sign_in_by("google", "alice")
    await traveller.post("/auth/google/connect", {"trip": asked.headers["location"].partition("trip=")[2]})
    async with there.database.system() as session:
        session.add(TotpFactor(user_id=user_id, secret=b"", created_at=now, confirmed_at=now))
    other = Traveller(app)
    half = await other.sign_in_by("google", "alice")
    assert half.status_code == 303
    assert other.cookie("session") == ""
    assert await stored.fetchval("SELECT factors FROM pending_sign_ins") == ["google"]


async def test_a_second_account_at_the_same_provider_is_refused(
    there: World, traveller: Traveller, stored: asyncpg.Connection
) -> None:
    user_id = await member(there, "Alice", ALICE, verified=True)
    now = there.clock.now()
    await stored.execute(
        "INSERT INTO oauth_identities VALUES (gen_random_uuid(), $1, 'google', 'https://x', 'y', '', $2, $2)",
        user_id,
        now,
    )
    refused = await traveller.sign_in_by("google", "alice")
    assert refused.status_code == 409
    assert "Another Google account is connected" in refused.text


async def test_a_page_of_ours_survives_the_trip_and_another_site_does_not(traveller: Traveller) -> None:
    for wanted in ("https://evil.example", "//evil.example", "/\\evil.example"):
        back = await traveller.sign_in_by("google", "alice", next=wanted)
        assert back.headers["location"] == "/start"


async def test_whoever_is_already_signed_in_gets_a_new_session_and_the_old_one_ends(
    traveller: Traveller, stored: asyncpg.Connection
) -> None:
    await traveller.sign_in_by("google", "alice")
    first = traveller.cookie("session")
    await traveller.sign_in_by("google", "alice")
    assert traveller.cookie("session") not in ("", first)
    assert await stored.fetchval("SELECT count(*) FROM sessions") == 1
    assert await stored.fetchval("SELECT factors FROM sessions") == ["google"]


async def test_a_scan_survives_the_trip_and_is_kept_by_the_account_that_it_leads_to(
    traveller: Traveller, there: World, stored: asyncpg.Connection
) -> None:
    async with there.database.system() as session:
        scan = await start_scan(session, "https://shop.example/", now=there.clock.now())
    await traveller.sign_in_by("google", "alice", scan=token_of(there.tokens, scan.id))
    kept = await stored.fetchrow("SELECT account_id, expires_at FROM site_scans")
    assert tuple(kept) == (await stored.fetchval("SELECT id FROM accounts"), None)
