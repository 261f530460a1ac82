"""Prove an address and change a password as a program."""

from __future__ import annotations

from typing import Any

import asyncpg
import httpx
import pytest

from payflux.frontdoor.accounts.models import User
from payflux.frontdoor.accounts.providers.identities import attach
from payflux.frontdoor.accounts.providers.rules import Profile, Provider
from payflux.frontdoor.accounts.verification.secrets import link_token
from payflux.world.bootstrap import World
from tests.integration.factors.test_api_sessions import PASSWORD, alice, api, logged_in, login, me

__all__ = ["alice", "api"]

NEW = "another harbour, another lantern"


async def post(api: httpx.AsyncClient, path: str, token: str, body: dict[str, Any] | None = None) -> httpx.Response:
    return await api.post(f"/api/v1/auth{path}", json=body, headers={"Authorization": f"Bearer {token}"})


async def test_a_password_is_changed_by_whoever_knows_the_old_one(api: httpx.AsyncClient, alice: User) -> None:
    token, other = [(await logged_in(api))["access_token"] for _ in range(2)]
    wrong = await post(api, "/password/change", token, {"old_password": "not it", "password": NEW})
    assert wrong.status_code == 422
    assert wrong.json()["errors"] == [{"field": "old_password", "detail": "This is not your password."}]
    weak = await post(api, "/password/change", token, {"old_password": PASSWORD, "password": "short"})
    assert weak.json()["errors"][0]["field"] == "password"
    done = await post(api, "/password/change", token, {"old_password": PASSWORD, "password": NEW})
    assert done.status_code == 204
    assert (await me(api, token)).status_code == 200
    assert (await me(api, other)).status_code == 401
    assert (await login(api)).status_code == 401
    assert (await login(api, password=NEW)).status_code == 200


async def test_old_passwords_cannot_be_guessed_with_a_token(api: httpx.AsyncClient, alice: User) -> None:
    token = (await logged_in(api))["access_token"]
    guess = {"old_password": "not it", "password": NEW}
    answers = [(await post(api, "/password/change", token, guess)).status_code for _ in range(6)]
    assert answers == [422] * 5 + [429]


async def test_an_address_is_proven_by_the_link_that_was_mailed(
    api: httpx.AsyncClient, world: World, alice: User, stored: asyncpg.Connection
) -> None:
    await stored.execute("UPDATE users SET email_verified_at = NULL")
    token = (await logged_in(api))["access_token"]
    assert (await post(api, "/email/send-verification", token)).status_code == 202
    link = link_token(world.tokens, await stored.fetchval("SELECT id FROM email_challenges"))
    assert (await post(api, "/email/verify", token, {"token": f"{link}x"})).json()["code"] == "link_not_usable"
    assert (await post(api, "/email/verify", token, {"token": link})).status_code == 200
    assert (await me(api, token)).json()["email_verified"]
    assert (await post(api, "/email/send-verification", token)).status_code == 409


async def test_whoever_has_no_password_is_told_how_they_sign_in(
    api: httpx.AsyncClient, world: World, alice: User, stored: asyncpg.Connection
) -> None:
    token = (await logged_in(api))["access_token"]
    await stored.execute("UPDATE users SET password_hash = NULL")
    profile = Profile(
        provider=Provider.GOOGLE,
        issuer="https://accounts.google.com",
        subject="1",
        email="alice@shop.example",
        name="Alice",
        attested=True,
    )
    async with world.database.system() as session:
        await attach(session, user_id=alice.id, profile=profile, now=world.clock.now())
    for answer in (
        await login(api),
        await post(api, "/password/change", token, {"old_password": "", "password": NEW}),
    ):
        assert answer.status_code == 400
        assert answer.json()["code"] == "use_oauth_provider"
    assert (await login(api)).json()["providers"] == ["google"]


@pytest.mark.parametrize("path", ["/logout", "/email/send-verification", "/password/change"])
async def test_nothing_is_changed_for_a_stranger(api: httpx.AsyncClient, path: str) -> None:
    assert (await api.post(f"/api/v1/auth{path}", json={})).status_code in (401, 422)
