"""Forms from elsewhere change nothing."""

from __future__ import annotations

import asyncpg
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from payflux.world.bootstrap import World
from tests.integration.pages.browser import MACHINE, PASSWORD, Browser
from tests.integration.pages.conftest import ALICE, CHANGES, connected, rows
from tests.structure.test_routes import LEADS_ON_AND_CHANGES_NOTHING, PROVES_ITSELF_BY_ITS_ADDRESS, SIGNED_BY_A_PROVIDER


def changing_paths(app: FastAPI) -> list[str]:
    found = [context for context in iter_route_contexts(app.routes) if isinstance(context.original_route, APIRoute)]
    paths = {str(context.path) for context in found if "POST" in (context.methods or ())}
    return sorted(paths - LEADS_ON_AND_CHANGES_NOTHING - PROVES_ITSELF_BY_ITS_ADDRESS - SIGNED_BY_A_PROVIDER)


async def test_every_change_is_refused_without_the_token_of_this_browser(
    app: FastAPI, alice: Browser, charlie: Browser, world: World, stored: asyncpg.Connection
) -> None:
    await connected(world, ALICE, "Alices_shop")
    paths, before = changing_paths(app), await rows(stored)
    assert {*CHANGES, "/register", "/login", "/sign-out", "/verify-email/code", "/forgot", "/reset"} <= set(paths)
    fields = {"name": "Eve", "email": "eve@eve.example", "password": PASSWORD, "key": "rk_test_x"}
    for path in paths:
        for token in ("", "x", "0" * 64, await charlie.token(), "\xe9"):
            answer = await alice.post(path, {**fields, "csrf_token": token})
            assert answer.status_code == 403, (path, token)
            assert "Reload the page" in answer.text
        assert (await alice.http.post(path)).status_code == 403
        assert (await alice.http.post(path, json={"csrf_token": await alice.token()})).status_code == 403
    assert await rows(stored) == before
    assert (await alice.get("/connection")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:8001"},
        {"Origin": "https://127.0.0.1:8000"},
        {"Origin": "null"},
        {"Origin": "http://[evil"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
async def test_a_form_of_another_site_changes_nothing_even_with_the_right_token(
    app: FastAPI, alice: Browser, headers: dict[str, str], stored: asyncpg.Connection
) -> None:
    before = await rows(stored)
    for path in changing_paths(app):
        answer = await alice.post(path, {"email": ALICE, "password": PASSWORD, "name": "Eve"}, **headers)
        assert answer.status_code == 403, path
    assert await rows(stored) == before


async def test_a_form_of_our_own_says_where_it_comes_from_and_is_taken(alice: Browser, world: World) -> None:
    answer = await alice.post("/sign-out", Origin=world.settings.url, Sec_Fetch_Site="same-origin")
    assert answer.headers["Location"] == "/"


async def test_a_call_by_cookie_needs_the_token_whatever_a_proxy_in_front_has_the_browser_send(alice: Browser) -> None:
    asked = {"step": 1, "action": "skip"}
    for more in ({}, {"Authorization": "Basic cHJveHk6c2VjcmV0"}):
        answer = await alice.http.patch("/api/v1/users/me/onboarding-step", json=asked, headers=MACHINE | more)
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
