"""The seven features: in memory, from PostgreSQL and from Parquet, each against a named peer."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, mkdtemp

import asyncpg
import duckdb
import numpy as np

from payflux.kit.postgres import EmbeddedPostgres, find_binaries
from payflux.monitor.processors.copybinary import decode_copy
from payflux.monitor.processors.events import EVENT_DTYPE
from payflux.monitor.risk import rules
from payflux.monitor.risk.rules import Features, features
from payflux.monitor.risk.rules.features import COLUMNS
from tests.bench.measuring import Row, compare
from tests.bench.merchants import AS_OF, merchant

SQL = (Path(rules.__file__).parent / "features.sql").read_text()
PARAMETERS = {"now": int(AS_OF.timestamp()), "days": 90}
WIDTHS = {name: field[0].itemsize for name, field in (EVENT_DTYPE.fields or {}).items()}
SCHEMA = ", ".join(f'"{name}" {"bigint" if width == 8 else "smallint"} NOT NULL' for name, width in WIDTHS.items())


def in_memory() -> Row:
    """Both hold the events in memory: an array, a table."""
    events = merchant(847)
    database = duckdb.connect()
    database.execute(f"CREATE TABLE events ({SCHEMA})").fetchall()
    database.register("given", {name: events[name].copy() for name in WIDTHS})
    database.execute("INSERT INTO events SELECT * FROM given").fetchall()

    def in_sql() -> Features:
        return _features(database)

    _same(features(events, AS_OF), in_sql())
    return compare(
        "baseline of 847 events, in memory",
        "DuckDB SQL",
        1 / 20,
        lambda: features(events, AS_OF),
        in_sql,
        rounds=30,
        runs=20,
    )


def from_parquet() -> Row:
    """Both begin with a Parquet file in the canonical order, in the page cache."""
    events = merchant(1_000_000)
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
        return compare("1,000,000 events, Parquet to features", "DuckDB SQL", 0.6, read_and_score, in_sql, rounds=15)


def from_postgresql() -> Row:
    """Both read all 20 columns of the same rows by binary COPY; ours also decodes them and computes."""
    events = merchant(10_000)
    with _postgresql() as server:
        return asyncio.run(_copied(server.url(), events))


async def _copied(url: str, events: np.ndarray) -> Row:
    connection = await asyncpg.connect(url)
    loop = asyncio.get_running_loop()
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

        def waited() -> bytes:
            return asyncio.run_coroutine_threadsafe(read(), loop).result()

        def read_and_score() -> Features:
            return features(decode_copy(waited()), AS_OF)

        def measured() -> Row:
            _same(read_and_score(), features(events, AS_OF))
            work = "10,000 events straight from PostgreSQL"
            return compare(work, "bare binary COPY", 1.3, read_and_score, waited, rounds=60)

        return await asyncio.to_thread(measured)
    finally:
        await connection.close()


@contextmanager
def _postgresql() -> Generator[EmbeddedPostgres]:
    folder = Path(mkdtemp(prefix="payflux-bench-"))
    folder.chmod(0o711)  # under root the server runs as a user who must pass through
    server = EmbeddedPostgres(folder / "pg", find_binaries(None), durable=False)
    try:
        server.start()
        yield server
    finally:
        server.release()
        rmtree(folder)


def _features(database: duckdb.DuckDBPyConnection) -> Features:
    (row,) = database.execute(SQL, PARAMETERS).fetchall()
    return Features(int(row[0]), int(row[1]), *row[2:])


def _same(ours: Features, theirs: Features) -> None:
    """A faster wrong answer is no answer."""
    if not all(math.isclose(a, b, rel_tol=1e-9) for a, b in zip(ours, theirs, strict=True)):
        raise AssertionError(f"the two ways disagree: {ours} and {theirs}")
