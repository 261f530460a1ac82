"""Reading a live workspace again, from its rows to the stored readout."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from itertools import count as counted
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import numpy as np

from payflux.activation.service import create_workspace
from payflux.frontdoor.accounts.registering import register
from payflux.kit.database import Database
from payflux.kit.ids import new_id
from payflux.kit.postgres import EmbeddedPostgres
from payflux.monitor.processors.events import EVENT_DTYPE
from payflux.monitor.processors.models import Connection, ConnectionMethod, ConnectionStatus
from payflux.monitor.processors.news import ReadingReason
from payflux.monitor.projections.reading import read_workspace
from payflux.monitor.projections.rules import project
from payflux.monitor.risk.rules import prepare, score
from tests.bench.database import bench_settings, migrated, postgresql
from tests.bench.measuring import Row, compare_async
from tests.bench.merchants import AS_OF, merchant

_DAY = timedelta(days=1)


def read_again(count: int = 847, rounds: int = 20) -> Row:
    """Each round reads as of another day, so that there is something to store; the peer scores and projects the same
    events, in memory."""
    events = merchant(count)
    with postgresql() as server, TemporaryDirectory() as folder:
        return asyncio.run(_read(server, Path(folder), events, rounds))


async def _read(server: EmbeddedPostgres, folder: Path, events: np.ndarray, rounds: int) -> Row:
    urls = await migrated(server, bench_settings(folder))
    database = Database(urls)
    try:
        connection = await _connected(database)
        await _fill(server.url(database="bench"), connection, events)
        ours, theirs = (map(_days_on, counted()) for _ in range(2))

        async def from_rows() -> None:
            async with database.tenant(connection.account_id) as session:
                read = await read_workspace(session, connection, as_of=next(ours), reason=ReadingReason.SWEEP)
                if not read.changed or read.after.surface.event_count == 0:
                    raise AssertionError("nothing was read")

        async def in_memory() -> None:
            await asyncio.to_thread(_said_of, events, next(theirs))

        work = f"{len(events):,} events of a workspace, read again and stored"
        return await compare_async(work, "scoring and projecting alone", 2, from_rows, in_memory, rounds=rounds)
    finally:
        await database.close()


def _said_of(events: np.ndarray, as_of: datetime) -> None:
    history = prepare(events, as_of=as_of)
    project(history, score(history))


def _days_on(number: int) -> datetime:
    return AS_OF + number * _DAY


async def _connected(database: Database) -> Connection:
    async with database.system() as session:
        _, account = await register(
            session, name="Alice", email="alice@shop.example", password="quiet harbour lantern", now=AS_OF
        )
        workspace = await create_workspace(session, account_id=account.id, name="Shop", now=AS_OF)
    connection = Connection(
        account_id=account.id,
        id=new_id(),
        workspace_id=workspace.id,
        method=ConnectionMethod.RESTRICTED_KEY,
        external_account_id="acct_bench",
        livemode=False,
        status=ConnectionStatus.ACTIVE,
        connected_at=AS_OF,
        capabilities={},
        snapshot={},
    )
    async with database.tenant(account.id) as session:
        session.add(connection)
    return connection


async def _fill(url: str, connection: Connection, events: np.ndarray) -> None:
    keys = {
        "account_id": connection.account_id,
        "workspace_id": connection.workspace_id,
        "connection_id": connection.id,
        "read_at": AS_OF,
    }
    rows = [(*event, *keys.values(), f"id_{number}") for number, event in enumerate(events.tolist())]
    stored = await asyncpg.connect(url)
    try:
        columns = [*(EVENT_DTYPE.names or ()), *keys, "source_id"]
        await stored.copy_records_to_table("payment_events", records=rows, columns=columns)
        await stored.execute("VACUUM ANALYZE payment_events")
    finally:
        await stored.close()
