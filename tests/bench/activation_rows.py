"""From connecting a processor to a live workspace, with a worker and its queue, over HTTP."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from payflux.activation import service as activation
from payflux.activation.pipeline import STEPS, arm_default_alerts
from payflux.frontdoor.accounts.registering import register
from payflux.frontdoor.billing.trials import start_trial
from payflux.kit.jobs import Payload
from payflux.monitor.processors.connecting.keys import authorize_with_key
from payflux.monitor.processors.connecting.storing import store_connection
from payflux.monitor.processors.pull import pull_progress, start_pull
from payflux.worker.main import work
from payflux.world.bootstrap import World, build_world
from tests.bench.database import bench_settings, migrated, postgresql
from tests.bench.measuring import Row
from tests.bench.pull_rows import KEY, LATENCY_MS, RATE, against_floor, sandbox

PATIENCE = 120.0  # seconds
WARMING_UP = 2  # days of history


def connected_to_live(days: tuple[int, ...] = (12, 120), latency_ms: int = LATENCY_MS, rate: float = RATE) -> list[Row]:
    """The same histories as those of the first projection; here every step of the pipeline is a job of its own, and the
    artifacts are signed."""
    with postgresql() as server, sandbox(latency_ms, rate) as base, TemporaryDirectory() as folder:
        settings = bench_settings(Path(folder), stripe_api_base=base, stripe_connect_base=base, stripe_test_rate=rate)

        async def measured() -> list[Row]:
            urls = await migrated(server, settings, "activations")
            world = build_world(settings, database_url=urls.owner)
            try:
                await _connected_to_live(world, WARMING_UP)  # a worker in use has loaded everything long ago
                return [await _connected_to_live(world, each) for each in days]
            finally:
                await world.close()

        return asyncio.run(measured())


async def _connected_to_live(world: World, days: int) -> Row:
    live, shutdown = asyncio.Event(), asyncio.Event()

    async def arm(world: World, payload: Payload) -> None:
        await arm_default_alerts(world, payload)
        live.set()

    async def left_for_later(_world: World, _payload: Payload) -> None:
        """What is not on the way to live."""

    others = dict.fromkeys(("backfill_history", "reconcile_connection", "send_mail"), left_for_later)
    worker = asyncio.create_task(
        work(world, shutdown=shutdown, steps={**STEPS, **others, arm_default_alerts.__name__: arm})
    )
    now = world.clock.now()
    async with world.database.system() as session:
        user, account = await register(
            session, name="Alice", email=f"alice@shop-{days}.example", password="quiet harbour lantern", now=now
        )
        await start_trial(session, account_id=account.id, now=now)
        workspace = await activation.create_workspace(session, account_id=account.id, name="Shop", now=now)
    # what the merchant waits for begins when the key has been accepted
    authorized = await authorize_with_key(world, key=KEY)
    begun = time.perf_counter()
    history = partial(start_pull, since=now - timedelta(days=days))
    async with world.database.tenant(account.id) as session:
        workspace = await activation.get_workspace(session, account_id=account.id, lock=True)
        connection = await store_connection(
            session, world, authorized, account_id=account.id, workspace_id=workspace.id
        )
        with patch.object(activation, "start_pull", history):
            await activation.begin_pipeline(session, workspace, connection, now=now, actor_id=user.id)
    async with asyncio.timeout(PATIENCE):
        await live.wait()
    ours = time.perf_counter() - begun
    shutdown.set()
    await worker
    assert workspace.pull_id is not None, "it was begun"
    async with world.database.tenant(account.id) as session:
        objects = await pull_progress(session, workspace.pull_id)
    name = f"connected to live, {sum(objects.values()):,} objects"
    return await against_floor(name, ours, objects, world.settings.stripe_api_base)
