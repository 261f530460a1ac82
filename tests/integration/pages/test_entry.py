"""Who may enter, and who may change what."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote, unquote

import asyncpg
from fastapi import FastAPI

from payflux.activation.states import Cause
from payflux.api.problems import API_PATH
from payflux.web.policies import guarded_routes
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.pages.browser import MACHINE, Browser
from tests.integration.pages.conftest import ALICE, CHANGES, connected, move_on, rows


def closed_pages(app: FastAPI) -> list[str]:
    pages = [route for route in guarded_routes(app) if "GET" in route.methods and not route.path.startswith(API_PATH)]
    return [quote(page.path) for page in pages if page.policy.audience == "signed in"]


async def test_a_stranger_is_sent_to_sign_in_and_a_machine_is_told_why_not(app: FastAPI) -> None:
    stranger, paths = Browser(app), closed_pages(app)
    assert len(paths) >= 7
    for path in paths:
        page = await stranger.get(path)
        assert (page.status_code, page.headers["Location"]) == (303, f"/login?next={path}")
        refusal = await stranger.get(path, **MACHINE)
        assert refusal.status_code == 401
        assert refusal.headers["Content-Type"] == "application/problem+json"
        problem = refusal.json()
        assert problem["code"] == "not_signed_in"
        assert problem["instance"] == unquote(path)
        assert problem["request_id"] == refusal.headers["X-Request-Id"]
        assert problem["detail"]
        assert problem["way_out"]


async def test_a_form_sent_after_the_session_ended_leads_back_to_a_page_and_not_to_the_form(app: FastAPI) -> None:
    for path in sorted({*CHANGES, "/sign-out"}):
        answer = await Browser(app).post(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/login")


async def test_a_viewer_looks_but_does_not_change_what_is_connected(
    bob: Browser, alice: Browser, world: World, stored: asyncpg.Connection
) -> None:
    await connected(world, ALICE, "Alices_shop")
    before = await rows(stored)
    for path in CHANGES:
        answer = await bob.post(path, {"key": "rk_test_x"})
        assert answer.status_code == 403, path
        assert "Ask the owner or an admin" in answer.text
    assert (await bob.get("/api/stripe/callback?state=x&code=y")).status_code == 403
    assert await rows(stored) == before
    assert "Alices_shop" in (await bob.get("/connection")).text
    assert (await bob.get("/activate/arming")).status_code == 200
    assert (await alice.post("/activate/cancel")).headers["Location"] == "/activate"


async def test_a_role_that_was_raised_or_lowered_holds_from_the_next_request_on(
    bob: Browser, stored: asyncpg.Connection
) -> None:
    assert (await bob.post("/activate/cancel")).status_code == 403
    await stored.execute("UPDATE memberships SET role = 'admin' WHERE role = 'viewer'")
    assert (await bob.post("/activate/cancel")).status_code == 303
    await stored.execute("UPDATE memberships SET role = 'analyst' WHERE role = 'admin'")
    assert (await bob.post("/activate/cancel")).status_code == 403


async def test_when_the_trial_has_ended_what_the_plan_pays_for_is_closed_and_the_rest_is_not(
    app: FastAPI, alice: Browser, clock: MovedClock, stored: asyncpg.Connection
) -> None:
    await stored.execute("UPDATE users SET email_verified_at = now()")
    clock.move(timedelta(days=13, hours=23))
    assert (await alice.get("/dashboard")).headers["Location"] == "/dashboard/activate-prompt"
    clock.move(timedelta(days=1, hours=1))
    before = await rows(stored)
    for answer in (
        await alice.get("/dashboard"),
        await alice.get("/what-if"),
        await alice.post("/api/stripe/authorize"),
    ):
        assert answer.status_code == 402
        assert "trial has ended" in answer.text
        assert "Choose a plan" in answer.text
    assert (await alice.post("/api/stripe/key", {"key": "rk_test_x"})).status_code == 402
    machine = await alice.get("/dashboard", **MACHINE)
    assert (machine.status_code, machine.json()["code"]) == (402, "subscription_inactive")
    assert await rows(stored) == before
    for path in ("/connection", "/account/billing", "/account/billing/select-plan", "/how-it-works"):
        assert (await alice.get(path)).status_code == 200, path
    assert (await alice.post("/connection/disconnect")).headers["Location"] == "/connection"
    assert (await alice.post("/sign-out")).headers["Location"] == "/"


async def test_the_start_leads_to_the_page_of_the_state(app: FastAPI, alice: Browser, world: World) -> None:
    async def start(browser: Browser) -> str:
        return (await browser.get("/start")).headers["Location"]

    assert await start(Browser(app)) == "/"
    assert await start(alice) == "/welcome"
    await alice.post("/welcome/step-1", {"action": "skip_rest"})
    assert await start(alice) == "/activate"
    await connected(world, ALICE, "Alices_shop")
    assert await start(alice) == "/activate/arming"
    assert (await alice.get("/activate")).headers["Location"] == "/activate/arming"
    await move_on(world, ALICE, Cause.BASELINE)
    assert await start(alice) == "/activate/arming"
    await move_on(world, ALICE, Cause.ARMED)
    assert await start(alice) == "/dashboard"
    await alice.post("/connection/disconnect")
    assert await start(alice) == "/activate"
    assert (await alice.get("/activate/arming")).headers["Location"] == "/activate"
