"""A whole score: of small merchants in memory, of ten million events in memory, and of a file by DuckDB."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np

from payflux.monitor.processors.events import EVENT_DTYPE
from payflux.monitor.risk.engines.dialects import summary_sql
from payflux.monitor.risk.engines.duckdb import stage_files
from payflux.monitor.risk.rules import prepare, score
from payflux.monitor.risk.rules.history import history_of
from payflux.monitor.risk.rules.summary import summarise
from payflux.monitor.risk.surface import RiskSurface
from tests.bench.measuring import Row, compare, run_alone
from tests.bench.merchants import AS_OF, merchant

PARTS = summary_sql("duckdb", now=int(AS_OF.timestamp()))
PEER = "the summary alone, DuckDB SQL"
STAGING_LIMIT = 1_024


def small_scores(rounds: int = 20) -> list[Row]:
    return [scored(847, rounds=rounds), scored(10_000, rounds=rounds)]


def scored(count: int, *, rounds: int) -> Row:
    """All signals, tier, trend and hash, against what they are made of; both hold the events in memory."""
    events = merchant(count)
    with duckdb.connect() as database:
        _hold(database, events)
        groups = summarise(events, as_of=AS_OF).groups.tolist()
        if database.execute(PARTS["groups"]).fetchall() != groups:
            raise AssertionError("the two ways disagree")
        work = f"whole score of {count:,} events"
        return compare(work, PEER, 1, lambda: whole_score(events), lambda: _summarise(database), rounds=rounds)


def large_score(count: int = 10_000_000) -> list[Row]:
    """One workspace with that many events, each way once, in a process that does nothing else."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "events.npy"
        np.save(path, merchant(count))
        ours, peer = (run_alone(__name__, way, str(path)) for way in ("score_alone", "summarise_alone"))
    work = f"whole score of {count:,} events"
    size = count * EVENT_DTYPE.itemsize / 2**20
    memory = Row(f"{work}, peak memory", "the events themselves", ours.memory, size, 8, "MB")
    return [Row(work, PEER, ours.seconds, peer.seconds, 2), memory]


def large_file(count: int = 2_000_000) -> list[Row]:
    """A Parquet file of plain events to a whole score by DuckDB, against DuckDB's bare rewriting of the file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "events.parquet"
        _write_plain(path, count)
        ours = run_alone(__name__, "score_file", str(path))
        peer = run_alone(__name__, "rewrite_file", str(path))
    work = f"{count:,} events, Parquet to score, DuckDB"
    memory = Row(f"{work}, peak memory", "DuckDB's limit, twice", ours.memory, 2 * STAGING_LIMIT, 1, "MB")
    return [Row(work, "DuckDB rewriting the file", ours.seconds, peer.seconds, 4), memory]


def whole_score(events: np.ndarray) -> RiskSurface:
    return score(prepare(events, as_of=AS_OF))


def score_alone(path: str) -> None:
    """Score the events in `path`, which are mapped, not read."""
    whole_score(np.load(path, mmap_mode="r"))


def summarise_alone(path: str) -> None:
    """The peer: take the same events into DuckDB and sum them up."""
    with duckdb.connect() as database:
        _hold(database, np.load(path, mmap_mode="r"))
        _summarise(database)


def score_file(path: str) -> None:
    with stage_files([Path(path)], now=AS_OF, memory_limit=f"{STAGING_LIMIT}MB") as staged:
        score(history_of(staged.summary(AS_OF), as_of=AS_OF))


def rewrite_file(path: str) -> None:
    with duckdb.connect() as database:
        database.execute(f"COPY (SELECT * FROM '{path}') TO '{path}.again' (FORMAT parquet)").fetchall()


def _hold(database: duckdb.DuckDBPyConnection, events: np.ndarray) -> None:
    database.register("given", {name: events[name].copy() for name in EVENT_DTYPE.names or ()})
    database.execute("CREATE TABLE events AS SELECT * FROM given").fetchall()
    database.execute(f"CREATE VIEW known AS {PARTS['known']}").fetchall()


def _summarise(database: duckdb.DuckDBPyConnection) -> None:
    for name, part in PARTS.items():
        if name != "known":
            database.execute(part).fetchnumpy()


def _write_plain(path: Path, count: int) -> None:
    """`count` events as a merchant would write them, one in a hundred a dispute."""
    until = int(AS_OF.timestamp())
    with duckdb.connect() as database:
        database.execute(
            f"""
            COPY (
                SELECT
                    CASE hash(i) % 100 WHEN 0 THEN 'dispute' ELSE 'charge' END AS kind,
                    'id_' || md5(CAST(i AS VARCHAR)) AS source_id,
                    strftime(make_timestamp(({until} - CAST(hash(i + 1) % 34560000 AS BIGINT)) * 1000000),
                        '%Y-%m-%dT%H:%M:%SZ') AS occurred_at,
                    CASE hash(i) % 100 WHEN 0 THEN 'lost' WHEN 1 THEN 'failed' ELSE 'succeeded' END AS status,
                    CAST(100 + hash(i + 2) % 50000 AS BIGINT) AS amount, 'usd' AS currency,
                    CASE hash(i) % 100 WHEN 0 THEN 'id_' || md5(CAST(i - 1 AS VARCHAR)) ELSE '' END AS charge_id,
                    'visa' AS network, 'card' AS method, 'US' AS country,
                    'card_' || CAST(hash(i + 3) % ({count} // 3 + 1) AS VARCHAR) AS card
                FROM range({count}) AS numbers(i)
            ) TO '{path}' (FORMAT parquet)
            """
        ).fetchall()
