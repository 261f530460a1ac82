"""From connecting to the dashboard over HTTP, on a simulated merchant of each kind, and through what comes between."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
import pytest

from payflux.activation.routing import SLOW_AFTER
from payflux.app import create_app
from payflux.worker.main import work
from payflux.world.bootstrap import World
from tests.conftest import MovedClock, with_settings
from tests.integration.connecting.conftest import Mailbox
from tests.integration.pages.browser import Browser
from tests.integration.pages.conftest import ALICE, prove_address
from tests.integration.test_activation_mails import mailbox, smtp_port
from tests.integration.test_pipeline import PIPELINE_ALONE

__all__ = ["mailbox", "smtp_port"]

WAITS = "dashboard with figures, and what is waited for"


@dataclass
class Owner:
    """Alice with her browser, in a world whose time the test moves, and the sandbox for Stripe."""

    world: World
    clock: MovedClock
    browser: Browser
    sandbox_url: str
    mails: Mailbox

    async def connect(self, merchant: str) -> None:
        answer = await self.browser.post("/api/stripe/key", {"key": f"rk_test_sandbox_{merchant}"})
        assert answer.status_code == 303, answer.text

    async def work(self) -> None:
        async with asyncio.timeout(100):
            await work(self.world, drain=True, steps=PIPELINE_ALONE, heartbeat_timeout=timedelta(seconds=1))

    async def arrive(self, path: str) -> tuple[str, str]:
        """Where `path` leads to in the end, and what stands there."""
        for _ in range(5):
            answer = await self.browser.get(path)
            if answer.status_code != 303:
                assert answer.status_code == 200, answer.text
                words = " ".join(re.sub(r"<[^>]+>", " ", answer.text).replace("\u00a0", " ").split())
                return path, words
            path = answer.headers["Location"]
        raise AssertionError(f"{path} leads in circles")

    async def fault(self, **fault: object) -> None:
        async with httpx.AsyncClient() as http:
            (await http.post(f"{self.sandbox_url}/sandbox/faults", json=fault)).raise_for_status()

    async def no_faults(self) -> None:
        async with httpx.AsyncClient() as http:
            (await http.delete(f"{self.sandbox_url}/sandbox/faults")).raise_for_status()


@pytest.fixture
async def owner(
    live_world: World, clock: MovedClock, sandbox_url: str, mailbox: Mailbox, smtp_port: int
) -> AsyncIterator[Owner]:
    clock.move(live_world.clock.now() - clock.now())
    world = replace(with_settings(live_world, smtp_port=smtp_port), clock=clock)
    browser = Browser(create_app(world))
    assert (await browser.register("Alice", ALICE)).status_code == 303
    await prove_address(world, ALICE)
    owner = Owner(world, clock, browser, sandbox_url, mailbox)
    yield owner
    await owner.no_faults()


@pytest.mark.parametrize(
    ("merchant", "tier"),
    [
        ("healthy", "Tier 1"),
        ("dispute_spike", "Tier 4"),
        ("card_testing", "Tier"),
        ("reserve_in_force", "Tier"),
        ("reserve_legacy", "Tier"),
        ("gbp_shop", "Tier"),
        ("low_activity", WAITS),
        ("not_ready", WAITS),
    ],
)
async def test_each_kind_of_merchant_comes_to_a_dashboard_that_says_where_it_stands(
    owner: Owner, merchant: str, tier: str
) -> None:
    await owner.connect(merchant)
    assert (await owner.arrive("/start"))[0] == "/activate/arming"
    await owner.work()
    state = (await owner.browser.http.get("/activate/arming/state")).json()
    path, words = await owner.arrive("/start")
    if tier is WAITS:
        assert state["waiting"]
        assert state["problem"]["what_to_do"]
        path, words = await owner.arrive("/dashboard")
        assert state["problem"]["title"] in words
    else:
        assert (state["done"], state["problem"]) == (True, None)
        assert tier in words
    assert path == "/dashboard"
    assert "payment events from your Stripe account over the last" in words
    for page in ("/alerts", "/projections", "/settings", "/settings/alerts", "/settings/mail", "/connection"):
        await owner.arrive(page)


async def test_a_pull_past_three_minutes_says_so_and_a_connection_that_ends_leads_back_to_live(owner: Owner) -> None:
    await owner.fault(kind="latency", milliseconds=400)
    await owner.connect("healthy")
    worker = asyncio.create_task(owner.work())
    async with asyncio.timeout(30):
        while not (await owner.browser.http.get("/activate/arming/state")).json()["stages"][0]["count"]:  # noqa: ASYNC110 -- it lives in the database
            await asyncio.sleep(0.1)
    assert "This usually takes under a minute" in (await owner.arrive("/activate/arming"))[1]
    owner.clock.move(SLOW_AFTER + timedelta(seconds=1))
    slow = (await owner.browser.http.get("/activate/arming/state")).json()
    assert (slow["slow"], slow["done"]) == (True, False)
    assert (await owner.arrive("/dashboard"))[0] == "/dashboard", "what there is so far"
    await owner.no_faults()
    await worker
    assert "Tier 1" in (await owner.arrive("/start"))[1]

    await owner.fault(kind="key_revoked", key="rk_test_sandbox_healthy")
    owner.clock.move(timedelta(days=2))
    assert (await owner.browser.post("/connection/check")).status_code == 422
    await owner.work()
    path, words = await owner.arrive("/start")
    assert path.startswith("/activate"), path
    assert "Connect Stripe" in words
    await owner.no_faults()
    await owner.connect("healthy")
    await owner.work()
    path, words = await owner.arrive("/start")
    assert (path, "Tier 1" in words) == ("/dashboard", True)
    subjects = [mail["Subject"] for mail in owner.mails.mails if mail["To"] == ALICE]
    assert len([subject for subject in subjects if "is live" in subject]) == 2, subjects
    assert len(subjects) == len(set(subjects)) + 1, subjects
