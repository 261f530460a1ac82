"""Sign in as a program, stay signed in, sign out."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from payflux.app import create_app
from payflux.frontdoor.accounts.access_tokens import ACCESS_TOKEN_LIFE
from payflux.frontdoor.accounts.api_sessions import REPLAY_TIME
from payflux.frontdoor.accounts.models import User
from payflux.frontdoor.accounts.passwords import hash_password
from payflux.world.bootstrap import World
from tests.conftest import SECRET, MovedClock, with_settings
from tests.integration.factors.conftest import new_user, set_up_totp

PASSWORD = "quiet harbour lantern"


def client_on(world: World, address: str = "203.0.113.7") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_app(world), client=(address, 50000))
    return httpx.AsyncClient(transport=transport, base_url=world.settings.url)


@pytest.fixture
async def api(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with client_on(world) as client:
        yield client


@pytest.fixture
async def alice(world: World) -> User:
    user = await new_user(world, "Alice")
    async with world.database.system() as session:
        (await session.merge(user)).password_hash = await hash_password(PASSWORD)
    return user


async def logged_in(api: httpx.AsyncClient, **fields: str) -> dict[str, Any]:
    answer = await login(api, **fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def login(api: httpx.AsyncClient, **fields: str) -> httpx.Response:
    return await api.post("/api/v1/auth/login", json={"email": "alice@shop.example", "password": PASSWORD, **fields})


async def refresh(api: httpx.AsyncClient, token: str) -> httpx.Response:
    return await api.post("/api/v1/auth/refresh", json={"refresh_token": token})


async def me(api: httpx.AsyncClient, token: str) -> httpx.Response:
    return await api.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"})


async def test_a_program_signs_in_and_is_told_who_it_is(api: httpx.AsyncClient, alice: User) -> None:
    tokens = await logged_in(api)
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 600
    answer = await me(api, tokens["access_token"])
    assert answer.status_code == 200
    told = answer.json()
    assert told["id"] == str(alice.id)
    assert told["account"]["role"] == "owner"
    assert (told["has_password"], told["second_factor"], told["passkeys"]) == (True, False, 0)
    assert "subscription" not in answer.text
    assert "Set-Cookie" not in answer.headers or "session" not in answer.headers["Set-Cookie"]


async def test_a_wrong_password_and_an_unknown_address_are_answered_alike(api: httpx.AsyncClient, alice: User) -> None:
    wrong, unknown = await login(api, password="not it"), await login(api, email="nobody@nowhere.example")
    for answer in (wrong, unknown):
        assert answer.status_code == 401
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.json()["code"] == "invalid_credentials"
    assert wrong.json()["detail"] == unknown.json()["detail"]


async def test_where_an_app_is_set_up_a_code_is_asked_for(
    api: httpx.AsyncClient, world: World, clock: MovedClock, alice: User
) -> None:
    app, codes = await set_up_totp(world, alice.id)
    clock.move(timedelta(seconds=30))
    assert (await login(api)).json()["code"] == "second_factor_required"
    assert (await login(api, code="000000")).json()["code"] == "second_factor_required"
    assert (await login(api, password="not it", code=app.at(clock.now()))).json()["code"] == "invalid_credentials"
    code = app.at(clock.now())
    assert (await logged_in(api, code=code))["access_token"]
    assert (await login(api, code=code)).status_code == 401
    assert (await logged_in(api, code=codes[0]))["access_token"]
    assert (await login(api, code=codes[0])).status_code == 401


async def test_codes_cannot_be_guessed_with_a_password_known(
    api: httpx.AsyncClient, world: World, clock: MovedClock, alice: User
) -> None:
    app, _ = await set_up_totp(world, alice.id)
    clock.move(timedelta(seconds=30))
    assert [(await login(api, code="000000x")).status_code for _ in range(6)] == [401] * 5 + [429]
    assert (await login(api, code=app.at(clock.now()))).status_code == 429


async def test_an_access_token_ends_after_ten_minutes(api: httpx.AsyncClient, clock: MovedClock, alice: User) -> None:
    token = (await logged_in(api))["access_token"]
    clock.move(ACCESS_TOKEN_LIFE - timedelta(seconds=1))
    assert (await me(api, token)).status_code == 200
    clock.move(timedelta(seconds=1))
    assert (await me(api, token)).status_code == 401


async def test_after_signing_out_neither_token_opens_anything(api: httpx.AsyncClient, alice: User) -> None:
    tokens = await logged_in(api)
    access = tokens["access_token"]
    out = await api.post("/api/v1/auth/logout", headers={"Authorization": f"Bearer {access}"})
    assert out.status_code == 204
    assert (await me(api, access)).status_code == 401
    assert (await refresh(api, tokens["refresh_token"])).json()["code"] == "invalid_refresh_token"


async def test_a_refresh_token_is_exchanged_for_the_next_pair(
    api: httpx.AsyncClient, clock: MovedClock, alice: User
) -> None:
    first = await logged_in(api)
    clock.move(timedelta(minutes=11))
    second = (await refresh(api, first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert (await me(api, second["access_token"])).status_code == 200
    clock.move(timedelta(days=10))
    third = (await refresh(api, second["refresh_token"])).json()
    assert (await me(api, third["access_token"])).status_code == 200


async def test_a_retry_within_thirty_seconds_gets_the_same_successor(
    api: httpx.AsyncClient, clock: MovedClock, alice: User
) -> None:
    first = await logged_in(api)
    second = (await refresh(api, first["refresh_token"])).json()
    clock.move(REPLAY_TIME)
    again = (await refresh(api, first["refresh_token"])).json()
    assert again["refresh_token"] == second["refresh_token"]
    assert (await refresh(api, second["refresh_token"])).status_code == 200


@pytest.mark.parametrize("how", ["the direct predecessor too late", "an older one at once"])
async def test_a_refresh_token_used_again_later_ends_the_session_and_tells_its_user(
    api: httpx.AsyncClient, clock: MovedClock, alice: User, stored: asyncpg.Connection, how: str
) -> None:
    first = await logged_in(api)
    other = await logged_in(api)
    latest = (await refresh(api, first["refresh_token"])).json()
    if how == "the direct predecessor too late":
        clock.move(REPLAY_TIME + timedelta(seconds=1))
    else:
        latest = (await refresh(api, latest["refresh_token"])).json()
    assert (await refresh(api, first["refresh_token"])).status_code == 401
    assert (await refresh(api, latest["refresh_token"])).status_code == 401
    assert (await me(api, latest["access_token"])).status_code == 401
    assert (await me(api, other["access_token"])).status_code == 200
    jobs = [json.loads(row["payload"]) for row in await stored.fetch("SELECT payload FROM pgqueuer")]
    mails = [job for job in jobs if job.get("mail") == "security_notice"]
    assert [(mail["user_id"], mail["what"]) for mail in mails] == [(str(alice.id), "refresh_token_reused")]


async def test_exchanges_made_at_once_move_the_chain_on_once(api: httpx.AsyncClient, alice: User) -> None:
    first = await logged_in(api)
    answers = await asyncio.gather(*(refresh(api, first["refresh_token"]) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


async def test_no_token_can_be_made_up(api: httpx.AsyncClient, alice: User) -> None:
    tokens = await logged_in(api)
    prefix, session_id, generation, mac = tokens["refresh_token"].split("_", 3)
    for forged in (
        f"{prefix}_{session_id}_{int(generation) + 1}_{mac}",
        f"{prefix}_{session_id}_{generation}_{mac[:-1]}{'A' if mac[-1] != 'A' else 'B'}",
        f"{prefix}_{'0' * 32}_{generation}_{mac}",
        "",
        "pfr__0_",
    ):
        assert (await refresh(api, forged)).status_code == 401, forged
    assert (await refresh(api, tokens["refresh_token"])).status_code == 200


async def test_an_access_token_of_another_key_audience_or_algorithm_opens_nothing(
    api: httpx.AsyncClient, world: World, alice: User
) -> None:
    access = (await logged_in(api))["access_token"]
    header, claims, _ = access.split(".")
    assert set(json.loads(urlsafe_b64decode(header + "=="))) == {"alg", "kid", "typ"}
    assert alice.email not in urlsafe_b64decode(claims + "==").decode()
    unsigned = f"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}."
    for bad in (unsigned, f"{header}.{claims}.", access[:-4] + "AAAA", "", "x.y.z"):
        assert (await me(api, bad)).status_code == 401, bad
    async with client_on(with_settings(world, public_url="https://elsewhere.example")) as elsewhere:
        assert (await me(elsewhere, access)).status_code == 401
    async with client_on(with_settings(world, secret_key=SecretStr("another" * 8))) as rekeyed:
        assert (await me(rekeyed, access)).status_code == 401


async def test_tokens_outlive_a_change_of_the_secret_key(api: httpx.AsyncClient, world: World, alice: User) -> None:
    tokens = await logged_in(api)
    changed = with_settings(world, secret_key=SecretStr("another" * 8), previous_secret_key=SecretStr(SECRET))
    async with client_on(changed) as after:
        assert (await me(after, tokens["access_token"])).status_code == 200
        renewed = (await refresh(after, tokens["refresh_token"])).json()
        assert (await me(after, renewed["access_token"])).status_code == 200
    assert (await me(api, renewed["access_token"])).status_code == 401


async def test_a_sent_token_is_never_made_up_for_by_a_cookie(api: httpx.AsyncClient, alice: User) -> None:
    assert (await me(api, "wrong")).status_code == 401
    assert (await api.get("/api/v1/auth/me")).status_code == 401


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"email": 5, "password": "x"}', b'{"email": "\\ud800", "password": "x"}'],
)
async def test_a_body_that_cannot_be_read_names_what_is_wrong(api: httpx.AsyncClient, body: bytes) -> None:
    answer = await api.post("/api/v1/auth/login", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_a_body_that_is_no_text_is_refused(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/v1/auth/login", content=b"\xff", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


async def test_the_description_names_every_route_with_its_refusals(api: httpx.AsyncClient) -> None:
    described = (await api.get("/api/v1/openapi.json")).json()
    assert {"/auth/login", "/auth/refresh", "/auth/logout", "/auth/me"} <= set(described["paths"])
    login_answers = described["paths"]["/auth/login"]["post"]["responses"]
    assert {"200", "401", "422", "429"} <= set(login_answers)
    assert "application/problem+json" in login_answers["401"]["content"]
    assert described["paths"]["/auth/me"]["get"]["security"] == [{"bearer": []}]
