"""The sweep of all workspaces, and a rollup kept up to date."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import numpy as np
from sqlalchemy.dialects.postgresql import insert

from payflux.kit.database import Database, DatabaseUrls, asyncpg_address
from payflux.kit.postgres import EmbeddedPostgres
from payflux.monitor.processors.models import DailyRollup
from payflux.monitor.processors.rollups import METRICS, Rollup, roll_up, unpack_rollup, update
from payflux.monitor.risk.sweep.copying import ROLLUPS
from payflux.monitor.risk.sweep.kernel import DAYS, READING_DTYPE
from payflux.monitor.risk.sweep.models import SweepReading
from payflux.monitor.risk.sweep.service import sweep
from tests.bench.database import bench_settings, migrated, postgresql
from tests.bench.measuring import Row, compare, compare_async, run_alone
from tests.bench.merchants import merchant
from tests.sweeping import Reading, random_rollups, read_workspace

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TODAY = NOW.date()
MEMORY_LIMIT = 512
_DIFFERENT = 500
_LOOPED = 200
_NAMES = READING_DTYPE.names or ()


def sweep_of_all(workspaces: int = 100_000) -> list[Row]:
    """PostgreSQL to PostgreSQL: against the bare COPY of the same bytes, and against one workspace after another."""
    with postgresql() as server, TemporaryDirectory() as folder:
        return asyncio.run(_swept(server, Path(folder), workspaces))


async def _swept(server: EmbeddedPostgres, folder: Path, workspaces: int) -> list[Row]:
    urls = await migrated(server, bench_settings(folder))
    await _fill(server.url(database="bench"), workspaces)
    database = Database(urls)
    connection = await asyncpg.connect(asyncpg_address(urls.system))
    try:
        keys = await connection.fetch("SELECT account_id, workspace_id, currency FROM daily_rollups LIMIT $1", _LOOPED)
        await _agree(database, keys)

        async def read_all() -> None:
            assert await sweep(database, NOW) == workspaces

        async def copy_alone() -> None:
            await connection.copy_from_query(ROLLUPS, TODAY - timedelta(days=DAYS - 1), output=_forget, format="binary")

        async def loop() -> None:
            await _one_by_one(database, keys)

        work = f"sweep of {workspaces:,} workspaces"
        row = await compare_async(work, "bare COPY of the same bytes", 3, read_all, copy_alone, rounds=3)
        looped = (await compare_async(work, "", 1, loop, loop, rounds=1)).peer * workspaces / len(keys)
        alone = await asyncio.to_thread(run_alone, __name__, "sweep_alone", urls.app, urls.system)
        return [
            row,
            row._replace(peer_name=f"a transaction for each, by {len(keys)}", peer=looped, goal=1 / 20),
            Row(f"{work}, peak memory", "limit", alone.memory, MEMORY_LIMIT, 1, "MB"),
        ]
    finally:
        await connection.close()
        await database.close()


def sweep_alone(app_url: str, system_url: str) -> None:
    """One sweep, in a process whose memory is measured."""

    async def run() -> None:
        database = Database(DatabaseUrls(owner="", app=app_url, system=system_url))
        await sweep(database, NOW)
        await database.close()

    asyncio.run(run())


async def _forget(_data: bytes) -> None:
    """Take in what is copied, and keep nothing."""


async def _fill(url: str, workspaces: int) -> None:
    """So many workspaces of 90 days, of which a few hundred differ, stored as the pull stores them."""
    rollups = random_rollups(min(_DIFFERENT, workspaces), TODAY, seed=11)
    full = [_ninety_days(rollup) for rollup in rollups]
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CREATE TABLE samples (number int, first_day date, days bigint, vector bytea)")
        await connection.copy_records_to_table(
            "samples", records=[(n, rollup.first_day, DAYS, rollup.vector) for n, rollup in enumerate(full)]
        )
        await connection.execute(
            "INSERT INTO daily_rollups SELECT gen_random_uuid(), gen_random_uuid(), 'usd', first_day, days, vector, $1 "
            "FROM generate_series(0, $2 - 1) AS place JOIN samples ON number = place % $3",
            NOW,
            workspaces,
            len(full),
        )
        await connection.execute("VACUUM ANALYZE daily_rollups")
    finally:
        await connection.close()


def _ninety_days(rollup: Rollup) -> Rollup:
    matrix: np.ndarray = np.zeros((DAYS, len(METRICS)), np.int64)
    kept = rollup.matrix[-DAYS:]
    matrix[DAYS - len(kept) :] = kept
    return Rollup(rollup.currency, TODAY - timedelta(days=DAYS - 1), matrix)


async def _one_by_one(database: Database, keys: Iterable[asyncpg.Record]) -> None:
    """The peer, as a job for each workspace would do it: in a transaction of its own read the rollup, compute by the
    signals' own functions, write the reading."""
    for key in keys:
        async with database.system() as session:
            rollup = await session.get(DailyRollup, tuple(key))
            assert rollup is not None
            reading = _reading_of(rollup) | {"day": TODAY, "read_at": NOW}
            statement = insert(SweepReading).values(**dict(key.items()), **reading)
            await session.execute(statement.on_conflict_do_update(index_elements=list(key.keys()), set_=reading))


def _reading_of(row: DailyRollup) -> Reading:
    return read_workspace(unpack_rollup(row.currency, row.first_day, row.days, row.vector), TODAY)


async def _agree(database: Database, keys: Iterable[asyncpg.Record]) -> None:
    """A faster wrong answer is no answer: some of the sweep's readings against those of one workspace alone."""
    await sweep(database, NOW)
    async with database.system() as session:
        for key in keys:
            rollup = await session.get(DailyRollup, tuple(key))
            reading = await session.get(SweepReading, tuple(key))
            assert rollup is not None
            if {name: getattr(reading, name) for name in _NAMES} != _reading_of(rollup):
                raise AssertionError(f"the two ways disagree on {key}")


def rollup_kept_up_to_date(count: int = 100_000, changed: int = 10) -> Row:
    """A handful of changed events against rolling up everything."""
    events = merchant(count)
    before, after = events[-changed:], events[-changed:].copy()
    after["settled"] += 1
    rollups = roll_up(events)
    now = np.concatenate([events[:-changed], after])
    ours, theirs = update(rollups, before, after), roll_up(now)
    if [rollup.vector for rollup in ours] != [rollup.vector for rollup in theirs]:
        raise AssertionError("updating and rolling up disagree")
    work = f"{changed} changed events of {count:,} in the rollups"
    return compare(
        work, "rolling up all", 1 / 20, lambda: update(rollups, before, after), lambda: roll_up(now), rounds=9
    )
