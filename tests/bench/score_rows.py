"""A whole score, of small merchants and of a very large one."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np

from payflux.monitor.processors.events import EVENT_DTYPE
from payflux.monitor.risk.engines.dialects import features_sql
from payflux.monitor.risk.rules import prepare, score
from payflux.monitor.risk.surface import RiskSurface
from tests.bench.measuring import Row, compare, peak_memory
from tests.bench.merchants import AS_OF, merchant

SQL = features_sql("duckdb", now=int(AS_OF.timestamp()))
MEMORY_LIMIT = 4_096


def small_scores() -> list[Row]:
    return [scored(847, rounds=30), scored(10_000, rounds=20)]


def scored(count: int, *, rounds: int) -> Row:
    """All signals, tier, trend and hash of events in memory, against seven features alone in SQL."""
    events = merchant(count)
    with duckdb.connect() as database:
        database.register("events", {name: events[name].copy() for name in EVENT_DTYPE.names or ()})
        _check(events, database)
        return compare(
            f"whole score of {count:,} events",
            "DuckDB SQL, seven features alone",
            1,
            lambda: whole_score(events),
            lambda: database.execute(SQL).fetchall(),
            rounds=rounds,
        )


def large_score(count: int = 10_000_000) -> list[Row]:
    """One workspace with that many events: the time, and the memory of a process that does nothing else."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "events.npy"
        np.save(path, merchant(count))
        row = scored_from_file(str(path))
        memory = peak_memory(__name__, "score_alone", str(path))
    return [row, Row(f"whole score of {count:,} events, peak memory", "limit", memory, MEMORY_LIMIT, 1, "MB")]


def scored_from_file(path: str) -> Row:
    events = np.load(path)
    with duckdb.connect() as database:
        database.register("events", {name: events[name].copy() for name in EVENT_DTYPE.names or ()})
        _check(events, database)
        return compare(
            f"whole score of {len(events):,} events",
            "DuckDB SQL, seven features alone",
            2,
            lambda: whole_score(events),
            lambda: database.execute(SQL).fetchall(),
            rounds=2,
        )


def score_alone(path: str) -> None:
    """One score of the events in `path`, which are mapped, not read; its memory is measured."""
    whole_score(np.load(path, mmap_mode="r"))


def whole_score(events: np.ndarray) -> RiskSurface:
    return score(prepare(events, as_of=AS_OF))


def _check(events: np.ndarray, database: duckdb.DuckDBPyConnection) -> None:
    """A faster wrong answer is no answer: both count the same payments."""
    (row,) = database.execute(SQL).fetchall()
    history = prepare(events, as_of=AS_OF)
    if int(history.payments["count"].sum()) != row[0]:
        raise AssertionError("the two ways disagree on the number of payments")
