"""One history pulled twice: in peace, and by workers that are killed at random points."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import httpx
from sqlalchemy import func, select, text

from payflux.activation import service as activation
from payflux.activation.states import ActivationState
from payflux.frontdoor.accounts.registering import register
from payflux.frontdoor.billing.trials import start_trial
from payflux.monitor.processors.models import PullWindow, StoredEvent
from payflux.worker.main import work
from payflux.world.bootstrap import World
from tests.integration.test_pipeline import reconnect
from tests.running import free_port, product_environment
from tests.soak.worker import RATE

_PATIENCE = 60.0  # seconds
_LAST_POINT = 0.9  # of the charges
_LATEST_DEATH = 0.15  # seconds after that many are stored: in a read, in a transaction, at its commit

_COMPARED = ", ".join(
    column.name
    for column in StoredEvent.__table__.columns
    if column.name not in ("account_id", "workspace_id", "connection_id", "read_at")
)
_FACTS = {
    "events": "SELECT count(*) FROM payment_events",
    "charges": "SELECT count(DISTINCT source_id) FROM payment_events WHERE kind = 1",
    "contents": "SELECT md5(string_agg(row::text, ';' ORDER BY kind, source_id)) FROM "
    f"(SELECT {_COMPARED} FROM payment_events) AS row",
    "read": "SELECT sum(objects) FROM history_pulls WHERE purpose = 'first'",
    "counted": "SELECT sum(event_count) FROM processor_connections",
    "rollups": "SELECT md5(string_agg(currency || first_day || encode(vector, 'hex'), ';' ORDER BY currency)) "
    "FROM daily_rollups",
    "surfaces": "SELECT count(*) FROM risk_surfaces WHERE reason = 'first'",
    "projections": "SELECT count(*) FROM reserve_projections WHERE pull_id IS NOT NULL",
}


class Outcome(NamedTuple):
    """`peaceful` and `killed` are what each pull left in the database; `deaths` how many objects were stored at each
    death."""

    peaceful: dict[str, object]
    killed: dict[str, object]
    deaths: list[int]
    seconds: float


async def pull_under_fire(world: World, owner_url: str, secret: str, *, charges: int, kills: int, seed: int) -> Outcome:
    """Pull `charges` in peace for one account, and for another with `kills` workers that die on it."""
    begun, chance = time.monotonic(), random.Random(seed)
    with _server(charges, int(world.clock.now().timestamp())) as base:
        settings = world.settings.model_copy(
            update={"stripe_api_base": base, "stripe_connect_base": base, "stripe_test_rate": RATE}
        )
        here = replace(world, settings=settings)
        peaceful = await _connected(here, "peace")
        await _work_until_live(here, peaceful)
        killed = await _connected(here, "fire")
        environment = product_environment(
            settings.data_dir,
            DATABASE_URL=owner_url,
            PAYFLUX_SECRET_KEY=secret,
            STRIPE_SECRET_KEY="sk_test_sandbox",
            STRIPE_CLIENT_ID="ca_sandbox",
            STRIPE_API_BASE=base,
            STRIPE_CONNECT_BASE=base,
        )
        points = sorted(chance.uniform(0, _LAST_POINT) for _ in range(kills))
        deaths = [
            await _kill_at(here, killed, environment, int(point * charges), chance.uniform(0, _LATEST_DEATH))
            for point in points
        ]
        await _work_until_live(here, killed)
        return Outcome(await _facts(here, peaceful), await _facts(here, killed), deaths, time.monotonic() - begun)


async def _connected(world: World, name: str) -> UUID:
    now = world.clock.now()
    async with world.database.system() as session:
        user, account = await register(
            session, name=name, email=f"{name}@shop.example", password="quiet harbour lantern", now=now
        )
        await start_trial(session, account_id=account.id, now=now)
        await activation.create_workspace(session, account_id=account.id, name="Shop", now=now)
    await reconnect(world, account.id, user.id, "soak")
    return account.id


async def _kill_at(world: World, account_id: UUID, environment: dict[str, str], stored: int, delay: float) -> int:
    """Kill a worker `delay` seconds after so many objects are stored; how many were when it was dead."""
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.soak.worker", env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    async with asyncio.timeout(_PATIENCE):
        while await _stored(world, account_id) < stored:  # noqa: ASYNC110 -- it lives in the database
            await asyncio.sleep(0.02)
    await asyncio.sleep(delay)
    worker.kill()
    if await worker.wait() != -signal.SIGKILL:
        raise AssertionError("a worker ended by itself")
    return await _stored(world, account_id)


async def _work_until_live(world: World, account_id: UUID) -> None:
    shutdown = asyncio.Event()
    async with asyncio.timeout(10 * _PATIENCE), asyncio.TaskGroup() as tasks:
        tasks.create_task(work(world, shutdown=shutdown, heartbeat_timeout=timedelta(seconds=1)))
        while not await _is_live(world, account_id):  # noqa: ASYNC110 -- it lives in the database
            await asyncio.sleep(0.1)
        shutdown.set()


async def _is_live(world: World, account_id: UUID) -> bool:
    async with world.database.tenant(account_id) as session:
        workspace = await activation.get_workspace(session, account_id=account_id)
    return workspace.activation_state == ActivationState.LIVE_MONITORED


async def _stored(world: World, account_id: UUID) -> int:
    async with world.database.tenant(account_id) as session:
        return int((await session.execute(select(func.coalesce(func.sum(PullWindow.objects), 0)))).scalar_one())


async def _facts(world: World, account_id: UUID) -> dict[str, object]:
    async with world.database.tenant(account_id) as session:
        return {name: (await session.execute(text(query))).scalar_one() for name, query in _FACTS.items()}


@contextmanager
def _server(charges: int, end: int) -> Generator[str]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.soak.server", str(port), str(charges), str(end)])
    base, deadline = f"http://127.0.0.1:{port}", time.monotonic() + _PATIENCE
    try:
        while not _answers(base):
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("the merchant's server did not start")
            time.sleep(0.1)
        yield base
    finally:
        process.kill()
        process.wait()


def _answers(base: str) -> bool:
    try:
        return httpx.get(f"{base}/v1/balance", timeout=5).is_success
    except httpx.TransportError:
        return False
