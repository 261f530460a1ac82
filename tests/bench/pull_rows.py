"""From a restricted key to the first stored projection, over HTTP, against Stripe's own client on the same lists."""

from __future__ import annotations

import asyncio
import math
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import stripe

from payflux.monitor.processors.connecting.keys import authorize_with_key
from payflux.monitor.processors.connecting.storing import store_connection
from payflux.monitor.processors.models import HistoryPull
from payflux.monitor.processors.pull import pull_progress, run_pull, start_pull
from payflux.monitor.processors.resources import PAGE_SIZE, RESOURCES
from payflux.monitor.projections.service import project_workspace
from payflux.monitor.risk.service import score_workspace
from payflux.world.bootstrap import World, build_world
from payflux.world.limiter import AdaptiveLimiter
from tests.bench.database import bench_settings, migrated, postgresql
from tests.bench.measuring import Row
from tests.running import free_port

KEY = "rk_test_sandbox_default"
RATE = 25.0
LATENCY_MS = 250
SMALL = 2_000  # objects
_PATIENCE = 30.0


def first_projections(days: tuple[int, ...] = (12, 120), latency_ms: int = LATENCY_MS, rate: float = RATE) -> list[Row]:
    """One small and one larger history, as many days of the sandbox's first merchant."""
    with postgresql() as server, sandbox(latency_ms, rate) as base, TemporaryDirectory() as folder:
        settings = bench_settings(Path(folder), stripe_api_base=base, stripe_connect_base=base, stripe_test_rate=rate)

        async def measured() -> list[Row]:
            urls = await migrated(server, settings)
            world = build_world(settings, database_url=urls.owner)
            try:
                return [row for n in days for row in await _first_projection(world, server.url(database="bench"), n)]
            finally:
                await world.close()

        return asyncio.run(measured())


async def _first_projection(world: World, superuser: str, days: int) -> list[Row]:
    account_id, workspace_id = uuid4(), uuid4()
    await _open_workspace(superuser, str(account_id), str(workspace_id))
    # what the merchant waits for begins when the key has been accepted
    authorized = await authorize_with_key(world, key=KEY)
    begun = time.perf_counter()
    async with world.database.tenant(account_id) as session:
        connection = await store_connection(
            session, world, authorized, account_id=account_id, workspace_id=workspace_id
        )
        now = world.clock.now()
        pull = await start_pull(session, connection, now, since=now - timedelta(days=days))
    await run_pull(world, account_id, pull.id)
    where = {"account_id": account_id, "workspace_id": workspace_id, "pull_id": pull.id}
    async with world.database.tenant(account_id) as session:
        await score_workspace(session, **where)
        await project_workspace(session, **where)
    ours = time.perf_counter() - begun
    async with world.database.tenant(account_id) as session:
        objects = await pull_progress(session, pull.id)
    begun = time.perf_counter()
    read = await asyncio.to_thread(_read_with_sdk, world.settings.stripe_api_base, pull)
    theirs = time.perf_counter() - begun
    if read != objects:
        raise AssertionError(f"we read {objects}, Stripe's client {read}")
    count = sum(objects.values())
    work = f"first projection of {count:,} objects"
    sdk = Row(work, "the SDK's auto-paging, read alone", ours, theirs, 0.33 if count < SMALL else 0.15)
    return [sdk, await against_floor(work, ours, objects, world.settings.stripe_api_base)]


async def against_floor(work: str, ours: float, objects: Mapping[str, int], base: str) -> Row:
    """`ours` against a second, or, for more than :data:`SMALL` objects, against what the rate limit takes alone: as
    many requests as their pages need at least, by a client that knows all of them beforehand and keeps nothing."""
    if sum(objects.values()) < SMALL:
        return Row(work, "one second", ours, 1.0, 1.0)
    # each list is asked for once at least, reserve movements once for each of their types
    requests = sum(max(len(RESOURCES[name].types), math.ceil(number / PAGE_SIZE)) for name, number in objects.items())
    return Row(work, "the rate limit's floor", ours, await _ask_at_once(base, requests), 1.1)


async def _ask_at_once(base: str, requests: int) -> float:
    """Seconds for so many full pages of charges, each asked for as soon as the limit lets it go."""
    limiter = AdaptiveLimiter(RATE)
    query = {"limit": PAGE_SIZE, "expand[]": RESOURCES["charges"].expand[0]}
    async with httpx.AsyncClient(base_url=base, headers={"Authorization": f"Bearer {KEY}"}, timeout=_PATIENCE) as http:

        async def ask() -> None:
            await limiter.acquire()
            (await http.get(RESOURCES["charges"].path, params=query)).raise_for_status()

        begun = time.perf_counter()
        async with asyncio.TaskGroup() as asking:
            for _ in range(requests):
                asking.create_task(ask())
        return time.perf_counter() - begun


def _read_with_sdk(base: str, pull: HistoryPull) -> dict[str, int]:
    """Every list that the pull reads, one after another, without storing anything: how many objects each has."""
    client = stripe.StripeClient(KEY, base_addresses={"api": base}).v1
    services: dict[str, Any] = {
        "charges": client.charges,
        "refunds": client.refunds,
        "disputes": client.disputes,
        "early_fraud_warnings": client.radar.early_fraud_warnings,
        "payouts": client.payouts,
        "balance_transactions": client.balance_transactions,
    }
    end = int(pull.to_at.timestamp())
    found = dict.fromkeys(RESOURCES, 0)
    for name, resource in RESOURCES.items():
        start = min(int(pull.from_at.timestamp()), end - resource.days * 86_400)
        for kind in resource.types:
            params = {"limit": PAGE_SIZE, "created": {"gte": start, "lte": end}, "expand": list(resource.expand)}
            page = services[name].list(params=params | ({"type": kind} if kind else {}))
            found[name] += sum(1 for _ in page.auto_paging_iter())
    return found


async def _open_workspace(superuser: str, account_id: str, workspace_id: str) -> None:
    connection = await asyncpg.connect(superuser)
    try:
        await connection.execute("INSERT INTO accounts (id, name) VALUES ($1, 'bench')", account_id)
        await connection.execute(
            "INSERT INTO workspaces (account_id, id, name, activation_state, entitled_at) "
            "VALUES ($1, $2, 'bench', 'connected_generating', now())",
            account_id,
            workspace_id,
        )
    finally:
        await connection.close()


@contextmanager
def sandbox(latency_ms: int, rate: float) -> Generator[str]:
    """The address of a sandbox in a process of its own, so that it takes no time of ours."""
    port = free_port()
    options = {"--port": port, "--latency-ms": latency_ms, "--requests-per-second": rate}
    command = [sys.executable, "-m", "payflux.sandbox", *(str(part) for pair in options.items() for part in pair)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + _PATIENCE
        while not _answers(base):
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("the sandbox did not start")
            time.sleep(0.1)
        yield base
    finally:
        process.terminate()
        process.wait()


def _answers(base: str) -> bool:
    try:
        # an answer on the merchant's books, so that they are made before anything is measured
        headers = {"Authorization": f"Bearer {KEY}"}
        return httpx.get(f"{base}/v1/charges?limit=1", headers=headers, timeout=_PATIENCE).is_success
    except httpx.TransportError:
        return False
