"""Read every workspace's rates anew: COPY out, kernel, COPY in, one upsert; about as fast as the COPY itself."""

from __future__ import annotations

import asyncio
import io
from datetime import UTC, datetime, timedelta

from payflux.kit.database import Database, driver_connection
from payflux.monitor.risk.sweep.copying import READINGS, ROLLUPS, Sweeper
from payflux.monitor.risk.sweep.kernel import DAYS

PIECE = 4 << 20
"""Bytes handed to the kernel at once: much less costs threads, more costs memory."""

SWEEP_LOCK = 5_102_883_447
_KEY = ("account_id", "workspace_id", "currency")
_VALUES = [name for name in READINGS if name not in _KEY]

_STAGE = f"""
    CREATE TEMPORARY TABLE sweep_staging ({", ".join(f"{name} {kind}" for name, kind in READINGS.items())})
    ON COMMIT DROP
"""
# a number that cannot be said travels as NaN, so that every row is as wide, and is kept as NULL
_UPSERT = f"""
    INSERT INTO sweep_readings ({", ".join(_KEY)}, day, read_at, {", ".join(_VALUES)})
    SELECT account_id, workspace_id, rtrim(currency), $1, $2,
        {", ".join(f"nullif({name}, 'NaN')" if READINGS[name] == "double precision" else name for name in _VALUES)}
    FROM sweep_staging
    ON CONFLICT ({", ".join(_KEY)}) DO UPDATE
    SET {", ".join(f"{name} = EXCLUDED.{name}" for name in ("day", "read_at", *_VALUES))},
        moved_at = CASE WHEN ({", ".join(f"sweep_readings.{name}" for name in _VALUES)})
            IS DISTINCT FROM ({", ".join(f"EXCLUDED.{name}" for name in _VALUES)})
            THEN EXCLUDED.read_at ELSE sweep_readings.moved_at END
"""  # noqa: S608 -- our own column names


async def sweep(database: Database, now: datetime) -> int | None:
    """Make `sweep_readings` those of all rollups as of `now`; how many there are, None when another sweep is under
    way.

    The kernel runs in a thread, while the next piece arrives and a worker's heartbeats go on.
    """
    today = now.astimezone(UTC).date()
    sweeper = Sweeper()
    pieces: list[bytes] = []
    under_way: asyncio.Future[None] | None = None

    async def collect(data: bytes) -> None:
        nonlocal under_way, pieces
        pieces.append(data)
        if sum(map(len, pieces)) >= PIECE:
            if under_way is not None:
                await under_way
            under_way = asyncio.ensure_future(asyncio.to_thread(sweeper.feed, pieces))
            pieces = []

    async with database.system() as session:
        connection = await driver_connection(session)
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", SWEEP_LOCK):
            return None
        first = today - timedelta(days=DAYS - 1)
        await connection.copy_from_query(ROLLUPS, first, output=collect, format="binary")
        if under_way is not None:
            await under_way
        await asyncio.to_thread(sweeper.feed, pieces)
        readings = await asyncio.to_thread(sweeper.finish)
        await connection.execute(_STAGE)
        await connection.copy_to_table("sweep_staging", source=io.BytesIO(readings), format="binary")
        await connection.execute(_UPSERT, today, now)
        # what no rollup stands behind any more
        await connection.execute("DELETE FROM sweep_readings WHERE read_at <> $1", now)
        return sweeper.count
