"""Strangers come back from a provider while PayFlux is not open to everybody."""

from __future__ import annotations

import re

import asyncpg
import pytest
from fastapi import FastAPI

from payflux.app import create_app
from payflux.frontdoor.billing import launch
from payflux.world.bootstrap import World
from tests.conftest import with_settings
from tests.integration.providers.conftest import Traveller, member, user_called

ALICE, CHARLIE = "alice@shop.example", "charlie@elsewhere.example"


@pytest.fixture
def app(there: World) -> FastAPI:
    """The application, closed."""
    return create_app(with_settings(there, self_serve_enabled=False))


async def test_a_stranger_is_refused_and_a_listed_one_is_not(
    traveller: Traveller, there: World, stored: asyncpg.Connection
) -> None:
    refused = await traveller.sign_in_by("google", "alice")
    assert refused.status_code == 403
    assert "not open to everybody yet" in refused.text
    assert await user_called(stored, ALICE) is None
    async with there.database.system() as session:
        await launch.allow(session, email=ALICE, by="Sam", now=there.clock.now())
    assert (await traveller.sign_in_by("google", "alice", **{"from": "beta"})).headers["location"] == "/start"
    assert await stored.fetchval("SELECT signup_source FROM accounts") == "beta"


async def test_an_address_that_nobody_attests_is_refused_whether_somebody_has_it_or_not(
    app: FastAPI, there: World
) -> None:
    of_nobody = await Traveller(app).sign_in_by("microsoft", "charlie")
    await member(there, "Charlie", CHARLIE, verified=True)
    of_charlie = await Traveller(app).sign_in_by("microsoft", "charlie")
    assert of_nobody.status_code == of_charlie.status_code == 403
    token = r'name="csrf_token" value="\w+"'  # each browser's own
    assert re.sub(token, "", of_nobody.text) == re.sub(token, "", of_charlie.text)


async def test_whoever_is_here_already_signs_in_as_before(traveller: Traveller, there: World) -> None:
    await member(there, "Alice", ALICE, verified=True)
    asked = await traveller.sign_in_by("google", "alice")
    assert asked.headers["location"].startswith("/auth/google/connect")
