"""Coming back from Stripe."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from payflux.activation.models import ConnectAttempt, Workspace
from payflux.app import create_app
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.pages.browser import Browser
from tests.integration.pages.conftest import ALICE, CHARLIE, account_of


class StripeStandIn:
    """A Stripe that counts what it is asked and refuses every code."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        return httpx.Response(400, json={"error": "invalid_grant", "error_description": "unknown"})


@pytest.fixture
def stripe() -> StripeStandIn:
    return StripeStandIn()


@pytest.fixture
def stripe_app(world: World, stripe: StripeStandIn) -> FastAPI:
    return create_app(replace(world, http=stripe.http))


@pytest.fixture
async def anna(stripe_app: FastAPI) -> Browser:
    """Alice, where Stripe is the stand-in."""
    browser = Browser(stripe_app)
    assert (await browser.register("Alice", ALICE)).status_code == 303
    return browser


async def begun(browser: Browser) -> str:
    """The `state` with which the browser is sent to Stripe."""
    sent = await browser.post("/api/stripe/authorize")
    assert sent.status_code == 303
    return httpx.URL(sent.headers["Location"]).params["state"]


async def came_back(browser: Browser, state: str, answer: str = "code=ac_1") -> httpx.Response:
    return await browser.get(f"/api/stripe/callback?state={state}&{answer}")


async def test_a_state_that_was_never_given_out_connects_nothing(anna: Browser, stripe: StripeStandIn) -> None:
    await begun(anna)
    for state in ("", "made-up", "%00", "%ff", "x" * 5000):
        page = await came_back(anna, state)
        assert page.status_code == 403
        assert "Nothing was connected" in page.text
        assert "press Connect Stripe again" in page.text
    assert stripe.asked == []


async def test_a_state_is_good_for_the_browser_that_began_alone(
    anna: Browser, stripe_app: FastAPI, stripe: StripeStandIn
) -> None:
    state = await begun(anna)
    same_person, charlie = Browser(stripe_app), Browser(stripe_app)
    await same_person.sign_in(ALICE)
    await charlie.register("Charlie", CHARLIE)
    for other in (same_person, charlie):
        assert (await came_back(other, state)).status_code == 403
    assert (await came_back(Browser(stripe_app), state)).status_code == 303
    assert stripe.asked == []
    await came_back(anna, state)
    assert stripe.asked == ["/oauth/token"]


async def test_a_state_is_good_for_15_minutes(anna: Browser, stripe: StripeStandIn, clock: MovedClock) -> None:
    late, in_time = await begun(anna), await begun(anna)
    clock.move(timedelta(minutes=14))
    await came_back(anna, in_time)
    assert stripe.asked == ["/oauth/token"]
    clock.move(timedelta(minutes=2))
    page = await came_back(anna, late)
    assert page.status_code == 403
    assert "more than 15 minutes ago" in page.text
    assert stripe.asked == ["/oauth/token"]


async def test_a_state_is_good_once(anna: Browser, stripe: StripeStandIn) -> None:
    state = await begun(anna)
    refused = await came_back(anna, state)
    assert refused.status_code == 422
    assert "Press Connect Stripe again" in refused.text
    again = await came_back(anna, state)
    assert again.status_code == 303
    await asyncio.gather(*(came_back(anna, state) for _ in range(4)))
    assert stripe.asked == ["/oauth/token"]


async def test_the_same_answer_sent_many_times_at_once_is_exchanged_once(anna: Browser, stripe: StripeStandIn) -> None:
    state = await begun(anna)
    answers = await asyncio.gather(*(came_back(anna, state) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [303, 303, 303, 303, 422]
    assert stripe.asked == ["/oauth/token"]


async def test_declining_on_stripes_page_is_no_error_and_connects_nothing(
    anna: Browser, stripe: StripeStandIn, world: World
) -> None:
    state = await begun(anna)
    page = await came_back(anna, state, "error=access_denied&error_description=%3Cscript%3E")
    assert page.status_code == 200
    assert "Stripe is not connected." in page.text
    assert "PayFlux read nothing and has no access." in page.text
    assert "Press Connect Stripe whenever you are ready." in page.text
    assert "<script>" not in page.text.replace('<script type="module"', "")
    await came_back(anna, state, "code=ac_1")
    assert stripe.asked == []
    async with world.database.tenant(await account_of(world, ALICE)) as session:
        assert (await session.execute(select(Workspace.connection_id))).scalar_one() is None


async def test_a_state_is_stored_as_a_digest_and_leads_only_to_our_own_callback(anna: Browser, world: World) -> None:
    sent = httpx.URL((await anna.post("/api/stripe/authorize")).headers["Location"])
    assert sent.params["redirect_uri"] == f"{world.settings.url}/api/stripe/callback"
    async with world.database.tenant(await account_of(world, ALICE)) as session:
        stored = (await session.execute(select(ConnectAttempt.state_digest))).scalar_one()
    assert sent.params["state"].encode() not in (stored, stored.hex().encode())
