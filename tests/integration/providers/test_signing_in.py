"""Strangers come back from a provider."""

from __future__ import annotations

import asyncpg

from payflux.world.bootstrap import World
from tests.integration.providers.conftest import Traveller, mails, user_called, verify

ALICE, CHARLIE = "alice@shop.example", "charlie@elsewhere.example"


async def test_alice_registers_by_google_and_her_address_is_proven_by_it(
    traveller: Traveller, stored: asyncpg.Connection
) -> None:
    back = await traveller.sign_in_by("google", "alice", plan="pro")
    assert (back.status_code, back.headers["location"]) == (303, "/start")
    user = await user_called(stored, ALICE)
    assert user is not None
    assert user["email_verified_at"] is not None
    assert user["password_hash"] is None
    assert user["name"] == "Alice Owner"
    assert await mails(stored) == []
    assert await stored.fetchval("SELECT intended_plan FROM accounts") == "pro"
    assert (await traveller.get("/activate")).status_code == 200
    assert traveller.cookie("last_method") == "google"
