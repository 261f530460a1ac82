"""The seven features: in memory, from PostgreSQL and from Parquet, each against a named peer."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import duckdb
import numpy as np

from payflux.monitor.processors.copybinary import decode_copy
from payflux.monitor.processors.events import EVENT_DTYPE
from payflux.monitor.risk.engines.dialects import features_sql
from payflux.monitor.risk.rules import Features, features
from payflux.monitor.risk.rules.features import COLUMNS
from tests.bench.database import postgresql
from tests.bench.measuring import Row, compare, compare_async
from tests.bench.merchants import AS_OF, merchant

SQL = features_sql("duckdb", now=int(AS_OF.timestamp()))
WIDTHS = {name: field[0].itemsize for name, field in (EVENT_DTYPE.fields or {}).items()}
SCHEMA = ", ".join(f'"{name}" {"bigint" if width == 8 else "smallint"} NOT NULL' for name, width in WIDTHS.items())


def in_memory(count: int = 847, rounds: int = 30) -> Row:
    """Both hold the events in memory: an array, a table."""
    events = merchant(count)
    database = duckdb.connect()
    database.execute(f"CREATE TABLE events ({SCHEMA})").fetchall()
    database.register("given", {name: events[name].copy() for name in WIDTHS})
    database.execute("INSERT INTO events SELECT * FROM given").fetchall()

    def in_sql() -> Features:
        return _features(database)

    _same(features(events, AS_OF), in_sql())
    return compare(
        f"baseline of {count:,} events, in memory",
        "DuckDB SQL",
        1 / 20,
        lambda: features(events, AS_OF),
        in_sql,
        rounds=rounds,
        runs=20,
    )


def from_parquet(count: int = 1_000_000, rounds: int = 15) -> Row:
    """Both begin with a Parquet file in the canonical order, in the page cache."""
    events = merchant(count)
    database = duckdb.connect()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "events.parquet"
        database.register("given", {name: events[name].copy() for name in WIDTHS})
        database.execute(f"COPY (SELECT * FROM given) TO '{path}' (FORMAT parquet)").fetchall()
        database.execute(f"CREATE VIEW events AS SELECT * FROM read_parquet('{path}')").fetchall()
        needed = ", ".join(f'"{name}"' for name in COLUMNS if name != "source")

        def read_and_score() -> Features:
            return features(database.execute(f"SELECT {needed} FROM events").fetchnumpy(), AS_OF)

        def in_sql() -> Features:
            return _features(database)

        _same(read_and_score(), in_sql())
        work = f"{count:,} events, Parquet to features"
        return compare(work, "DuckDB SQL", 0.6, read_and_score, in_sql, rounds=rounds)


def from_postgresql(count: int = 10_000, rounds: int = 60) -> Row:
    """Both read all 20 columns of the same rows by binary COPY; ours also decodes them and computes."""
    events = merchant(count)
    with postgresql() as server:
        return asyncio.run(_copied(server.url(), events, rounds))


async def _copied(url: str, events: np.ndarray, rounds: int) -> Row:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"CREATE TABLE events ({SCHEMA})")
        await connection.copy_records_to_table("events", records=events.tolist(), columns=list(WIDTHS))
        await connection.execute("VACUUM ANALYZE events")

        async def read() -> bytes:
            data = bytearray()

            async def collect(chunk: bytes) -> None:
                data.extend(chunk)

            await connection.copy_from_query("SELECT * FROM events", output=collect, format="binary")
            return bytes(data)

        async def read_and_score() -> Features:
            return features(decode_copy(await read()), AS_OF)

        _same(await read_and_score(), features(events, AS_OF))
        work = f"{len(events):,} events straight from PostgreSQL"
        return await compare_async(work, "bare binary COPY", 1.3, read_and_score, read, rounds=rounds)
    finally:
        await connection.close()


def _features(database: duckdb.DuckDBPyConnection) -> Features:
    (row,) = database.execute(SQL).fetchall()
    return Features(int(row[0]), int(row[1]), *row[2:])


def _same(ours: Features, theirs: Features) -> None:
    """A faster wrong answer is no answer."""
    if not all(math.isclose(a, b, rel_tol=1e-9) for a, b in zip(ours, theirs, strict=True)):
        raise AssertionError(f"the two ways disagree: {ours} and {theirs}")
