"""A dispute at the processor is on the dashboard within seconds, whatever becomes of the worker that reads it."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from html import unescape

import httpx
import pytest
from sqlalchemy import func, select, text

from payflux.app import create_app
from payflux.kit.clock import SystemClock
from payflux.monitor.processors.live.applying import apply_webhook_events
from payflux.monitor.processors.live.envelopes import read_envelope
from payflux.monitor.processors.live.inbox import receive
from payflux.monitor.processors.models import Connection
from payflux.monitor.processors.news import READ_WORKSPACE
from payflux.monitor.risk.models import RiskSurfaceRecord
from payflux.worker.main import work
from payflux.world.bootstrap import World
from tests.conftest import SECRET
from tests.integration.killed_worker import run_until_killed
from tests.integration.pages.browser import Browser
from tests.integration.pages.conftest import ALICE, account_of
from tests.integration.test_pipeline import PIPELINE_ALONE
from tests.running import product_environment
from tests.sandbox_server import running_sandbox


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


@pytest.fixture
async def busy_world(world: World) -> AsyncIterator[World]:
    """The world with a sandbox whose time passes as the machine's does."""
    with running_sandbox(time_passes=True) as base:
        addresses = {"stripe_api_base": base, "stripe_connect_base": base, "stripe_test_rate": 1000.0}
        async with httpx.AsyncClient() as http:
            settings = world.settings.model_copy(update=addresses)
            yield replace(world, settings=settings, clock=SystemClock(), http=http)


@pytest.fixture
async def member(busy_world: World) -> Browser:
    """Alice, whose calm shop in the sandbox is live."""
    browser = Browser(create_app(busy_world))
    await browser.register("Alice", ALICE)
    assert (await browser.post("/api/stripe/key", {"key": "rk_test_sandbox_healthy"})).status_code == 303
    await work_off(busy_world)
    return browser


async def work_off(world: World) -> None:
    """Run what waits, without the seconds in which further changes are waited for."""
    async with world.database.system() as session:
        await session.execute(text("UPDATE pgqueuer SET execute_after = now()"))
    await work(world, drain=True, steps=PIPELINE_ALONE, heartbeat_timeout=timedelta(seconds=1))


async def take_over(world: World) -> None:
    """Run a worker until nothing is left of what a dead one was at."""
    shutdown = asyncio.Event()
    worker = asyncio.create_task(
        work(world, shutdown=shutdown, steps=PIPELINE_ALONE, heartbeat_timeout=timedelta(seconds=1))
    )
    async with asyncio.timeout(60):
        while await jobs_left(world):  # noqa: ASYNC110 -- it lives in the database
            await asyncio.sleep(0.1)
    shutdown.set()
    await worker


async def jobs_left(world: World) -> int:
    async with world.database.system() as session:
        waiting = text("SELECT count(*) FROM pgqueuer WHERE entrypoint = :name")
        return (await session.execute(waiting, {"name": READ_WORKSPACE})).scalar_one()


async def fire_disputes(world: World, count: int) -> None:
    """Let payments of Alice's be disputed, and bring the events of it as her endpoint would."""
    async with world.database.tenant(await account_of(world, ALICE)) as session:
        connection = (await session.execute(select(Connection))).scalar_one()
    account = f"{world.settings.stripe_api_base}/sandbox/accounts/{connection.external_account_id}"
    for _ in range(count):
        fired = await world.http.post(f"{account}/fire/dispute")
        assert fired.status_code == 200, fired.text
    newest = (await world.http.get(f"{account}/events", params={"limit": 10 * count})).json()["data"]
    created = [event for event in newest if event["type"] == "charge.dispute.created"]
    envelopes = [read_envelope(json.dumps(event).encode()) for event in created[:count]]
    async with world.database.system() as session:
        assert await receive(session, [(each, connection) for each in envelopes], now=world.clock.now()) == count


async def test_disputes_fired_in_the_sandbox_move_the_tier_on_the_dashboard(busy_world: World, member: Browser) -> None:
    before = words((await member.get("/dashboard")).text)
    await fire_disputes(busy_world, 12)
    begun = time.monotonic()
    await work_off(busy_world)
    after = words((await member.get("/dashboard")).text)
    assert time.monotonic() - begun < 20  # on a busy machine; there is nothing in it that waits
    tiers = [int(found[1]) for page in (before, after) if (found := re.search(r"Tier (\d) of 5", page))]
    assert tiers[1] > tiers[0]
    assert "when your history had been read for the first time" in before
    assert "because something happened in your account" in after
    assert "Forecasting active:" in after
    listed = words((await member.get("/projections")).text)
    assert "The last 2 readings" in listed
    assert (await member.get("/what-if?rdr=90")).status_code == 200


@pytest.mark.parametrize("point", ["start", "inside", "end"])
async def test_a_worker_that_dies_while_reading_leaves_one_reading_of_one_cause(
    busy_world: World, member: Browser, owner_url: str, point: str
) -> None:
    account_id = await account_of(busy_world, ALICE)
    await fire_disputes(busy_world, 2)
    async with busy_world.database.tenant(account_id) as session:
        connection = (await session.execute(select(Connection))).scalar_one()
    await apply_webhook_events(busy_world, {"account_id": str(account_id), "connection_id": str(connection.id)})
    async with busy_world.database.system() as session:
        await session.execute(text("DELETE FROM pgqueuer WHERE entrypoint <> :name"), {"name": READ_WORKSPACE})
        await session.execute(text("UPDATE pgqueuer SET execute_after = now()"))
    environment = product_environment(
        busy_world.settings.data_dir,
        DATABASE_URL=owner_url,
        PAYFLUX_SECRET_KEY=SECRET,
        PAYFLUX_STRIPE_API_BASE=busy_world.settings.stripe_api_base or "",
    )
    await run_until_killed(environment, READ_WORKSPACE, point)
    await take_over(busy_world)
    async with busy_world.database.tenant(account_id) as session:
        made = select(func.count()).where(RiskSurfaceRecord.account_id == account_id)
        assert (await session.execute(made)).scalar_one() == 2
