"""The API: what a key's check adds to a request, and a whole history streamed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Annotated
from uuid import UUID

import asyncpg
import httpx
from fastapi import Depends, FastAPI
from sqlalchemy import select

from payflux.activation.onboarding import open_account
from payflux.frontdoor.accounts.keys.rules import new_key
from payflux.frontdoor.accounts.models import Membership
from payflux.frontdoor.accounts.registering import create_user
from payflux.kit.ids import new_id
from payflux.monitor.processors.event_stream import stream_events
from payflux.web.guards import signed_in
from payflux.world.bootstrap import World, build_world
from tests.bench.database import bench_settings, migrated, postgresql
from tests.bench.measuring import Row, compare_async

ALLOWED = 0.0003  # seconds that the check of a key may add, at the median
_EVENTS = """
    INSERT INTO payment_events (account_id, workspace_id, connection_id, source_id, charge_id, detail, read_at, at,
        charge_at, ends_at, amount, settled, source, charge, card, customer, kind, status, currency, settled_currency,
        network, method, outcome, risk_level, three_d_secure, country, reason)
    SELECT $1, $2, $3, 'ch_' || n, '', '', now(), 1700000000 + n, 0, 0, 5000, 5000, n, 0, 0, 0, 0, 1, 15880, 15880,
        1, 1, 1, 1, 0, 586, 0
    FROM generate_series(1, $4::integer) AS n
"""


def keys_and_streams(count: int = 1_000_000, calls: int = 400) -> list[Row]:
    """A key checked on each call of the same route, and `count` events streamed against a bare COPY of their rows."""
    with postgresql() as server, TemporaryDirectory() as folder:
        settings = bench_settings(Path(folder))

        async def measured() -> list[Row]:
            urls = await migrated(server, settings)
            world = build_world(settings, database_url=urls.owner)
            superuser = await asyncpg.connect(server.url(database="bench"))
            try:
                account_id, key = await _account(world, superuser)
                checked = await _checked(world, key, calls)
                return [checked, await _streamed(world, superuser, account_id, count)]
            finally:
                await superuser.close()
                await world.close()

        return asyncio.run(measured())


async def _account(world: World, superuser: asyncpg.Connection) -> tuple[UUID, str]:
    """An account, and a key of its owner's."""
    now = datetime.now(UTC)
    async with world.database.system() as session:
        alice = await create_user(
            session, name="Alice", email="alice@example.com", password_hash=None, verified_at=now, now=now
        )
        await open_account(session, world.tokens, alice, now)
        found = select(Membership.account_id).where(Membership.user_id == alice.id)
        account_id = (await session.execute(found)).scalar_one()
    key = new_key(world.settings.key_environment)
    await superuser.execute(
        "INSERT INTO api_keys (account_id, id, owner_id, name, digest, environment, ending, scopes, created_at, "
        "expires_at) VALUES ($1, $2, $3, 'bench', $4, 'test', 'abcd', '{risk:read}', now(), now() + interval '1 day')",
        account_id,
        new_id(),
        alice.id,
        world.tokens.digest(key),
    )
    return account_id, key


async def _checked(world: World, key: str, calls: int) -> Row:
    """The same route with and without a key to check, in this process, call by call in turn."""
    app = FastAPI()
    app.state.world = world

    @app.get("/open")
    async def _open() -> dict[str, bool]:
        return {"open": True}

    @app.get("/keyed")
    async def _keyed(who: Annotated[object, Depends(signed_in)]) -> dict[str, bool]:
        return {"open": who is not None}

    taken: dict[str, list[float]] = {"/open": [], "/keyed": []}
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://bench", headers=headers
    ) as client:
        for number in range(calls):
            for path, times in taken.items():
                begun = perf_counter()
                answer = await client.get(path)
                if number >= calls // 10:
                    times.append(perf_counter() - begun)
                answer.raise_for_status()
    added = median(taken["/keyed"]) - median(taken["/open"])
    return Row("an API key checked, added to a request", "0.3 ms", added, ALLOWED, 1.0)


async def _streamed(world: World, superuser: asyncpg.Connection, account_id: UUID, count: int) -> Row:
    workspace_id, connection_id = new_id(), new_id()
    await superuser.execute("SET session_replication_role = replica")  # without a processor's connection
    await superuser.execute(_EVENTS, account_id, workspace_id, connection_id, count)
    await superuser.execute("VACUUM ANALYZE payment_events")

    async def ours() -> None:
        lines = 0
        async with world.database.tenant(account_id) as session:
            async for piece in stream_events(session, account_id=account_id, workspace_id=workspace_id):
                lines += piece.count(b"\n")
        if lines != count:
            raise AssertionError(f"{lines} lines of {count} events")

    async def copied() -> None:
        async def drop(_data: bytes) -> None:
            pass

        await superuser.copy_from_query("SELECT * FROM payment_events ORDER BY at, kind, source_id", output=drop)

    # at least 0.3 of the bare rate is at most 1 / 0.3 of its time
    return await compare_async(f"{count:,} events streamed as NDJSON", "bare COPY", 1 / 0.3, ours, copied, rounds=3)
