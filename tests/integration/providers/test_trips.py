"""A trip to a provider is good once, for ten minutes, and for the browser that began it."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from payflux.app import create_app
from payflux.world.bootstrap import World
from tests.conftest import MovedClock, with_settings
from tests.integration.providers.conftest import Traveller


async def nobody_came_in(answer: httpx.Response, traveller: Traveller, stored: asyncpg.Connection) -> bool:
    empty = await stored.fetchval("SELECT count(*) FROM users") == 0
    return answer.status_code == 400 and traveller.cookie("session") == "" and empty


async def test_the_answer_to_one_browser_is_no_good_in_another(
    app: FastAPI, traveller: Traveller, stored: asyncpg.Connection
) -> None:
    mallory = Traveller(app)
    callback = await mallory.choose(await mallory.leave("google"), "charlie")
    await traveller.leave("google")
    assert await nobody_came_in(await traveller.get(callback), traveller, stored)
    assert await nobody_came_in(await Traveller(app).get(callback), traveller, stored)
    assert (await mallory.get(callback)).status_code == 303  # nobody can spoil it for who began it


async def test_an_answer_is_good_once(app: FastAPI, traveller: Traveller, stored: asyncpg.Connection) -> None:
    callback = await traveller.choose(await traveller.leave("google"), "alice")
    assert (await traveller.get(callback)).status_code == 303
    assert (await traveller.get(callback)).headers["location"] == "/start"  # signed in: nothing to explain
    await stored.execute("DELETE FROM sessions")
    again = await traveller.get(callback)
    assert again.status_code == 400
    assert "This sign-in cannot be finished" in again.text


async def test_an_answer_after_ten_minutes_is_too_late(
    traveller: Traveller, stored: asyncpg.Connection, clock: MovedClock
) -> None:
    callback = await traveller.choose(await traveller.leave("google"), "alice")
    clock.move(timedelta(minutes=10))
    assert await nobody_came_in(await traveller.get(callback), traveller, stored)


async def test_one_providers_answer_is_not_taken_for_the_others(
    traveller: Traveller, stored: asyncpg.Connection
) -> None:
    callback = await traveller.choose(await traveller.leave("google"), "alice")
    crossed = callback.replace("/auth/google/", "/auth/microsoft/")
    assert await nobody_came_in(await traveller.get(crossed), traveller, stored)


async def test_a_code_of_another_trip_is_refused_by_its_verifier_and_nonce(
    traveller: Traveller, stored: asyncpg.Connection
) -> None:
    first = httpx.URL(await traveller.choose(await traveller.leave("google"), "alice"))
    second = httpx.URL(await traveller.choose(await traveller.leave("google"), "charlie"))
    mixed = first.copy_set_param("code", second.params["code"])
    answer = await traveller.get(mixed.raw_path.decode())
    assert await nobody_came_in(answer, traveller, stored)
    assert "did not confirm who you are" in answer.text


async def test_two_tabs_of_a_browser_can_be_away_at_once(traveller: Traveller) -> None:
    first = await traveller.leave("google")
    second = await traveller.leave("microsoft")
    assert (await traveller.get(await traveller.choose(second, "alice"))).status_code == 303
    assert (await traveller.get(await traveller.choose(first, "charlie"))).status_code == 303


async def test_declining_at_the_provider_is_said_and_changes_nothing(
    traveller: Traveller, stored: asyncpg.Connection
) -> None:
    state = httpx.URL(await traveller.leave("google")).params["state"]
    declined = await traveller.get(f"/auth/google/callback?error=access_denied&state={state}")
    assert await nobody_came_in(declined, traveller, stored)
    assert "You did not agree at Google" in declined.text


@pytest.mark.parametrize("query", ["", "?state=", "?state=x&code=y", "?state=x&error=server_error"])
async def test_nonsense_is_answered_as_a_trip_that_nobody_began(
    traveller: Traveller, stored: asyncpg.Connection, query: str
) -> None:
    answer = await traveller.get(f"/auth/google/callback{query}")
    assert await nobody_came_in(answer, traveller, stored)


async def test_nothing_of_the_provider_is_stored_but_who_it_was(
    traveller: Traveller, stored: asyncpg.Connection
) -> None:
    callback = httpx.URL(await traveller.choose(await traveller.leave("google", next="/what-if"), "alice"))
    await traveller.get(callback.raw_path.decode())
    kept = [
        str(dict(row)).encode()
        for table in ("provider_trips", "oauth_identities", "sessions", "users", "audit_entries")
        for row in await stored.fetch(f"SELECT * FROM {table}")
    ]
    for secret in (callback.params["code"], callback.params["state"], "ya29.", traveller.cookie("provider_trip")):
        assert not any(secret.encode() in row for row in kept)
    assert await stored.fetchval("SELECT position('what-if' in encode(carried, 'escape')) FROM provider_trips") == 0


async def test_trips_that_ended_are_forgotten(
    traveller: Traveller, stored: asyncpg.Connection, clock: MovedClock
) -> None:
    await traveller.leave("google")
    clock.move(timedelta(minutes=11))
    await traveller.leave("google")
    assert await stored.fetchval("SELECT count(*) FROM provider_trips") == 1


async def test_only_what_is_set_up_is_offered(there: World) -> None:
    traveller = Traveller(create_app(with_settings(there, google_client_id="")))
    assert (await traveller.post("/auth/google")).status_code == 404
    assert (await traveller.post("/auth/myspace")).status_code == 404
    assert (await traveller.post("/auth/microsoft")).status_code == 303


async def test_a_provider_that_does_not_answer_is_said_and_nobody_is_stuck(there: World) -> None:
    traveller = Traveller(create_app(with_settings(there, google_base="http://127.0.0.1:1/google")))
    answer = await traveller.post("/auth/google")
    assert answer.status_code == 503
    assert "Google does not answer" in answer.text
