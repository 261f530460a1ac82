"""The summary of files of any size, by DuckDB: memory stays within a limit, what is over it lies on disk.

The result equals, to the bit, the summary of the same files read without DuckDB; a file of ten thousand rows and one of
a hundred million take the same memory.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np

from payflux.monitor.processors.codes import COUNTED_KINDS
from payflux.monitor.processors.events import EVENT_DTYPE, moment, stable_hash
from payflux.monitor.processors.exports.report import ReadReport
from payflux.monitor.processors.exports.tables import Progress, UnreadableFileError
from payflux.monitor.risk.engines.definitions import definition, parts
from payflux.monitor.risk.engines.files import open_source
from payflux.monitor.risk.engines.staging import Run, Staging
from payflux.monitor.risk.rules.summary import (
    CARD_DTYPE,
    CONVERSION_DTYPE,
    GROUP_DTYPE,
    HISTORY_DAYS,
    TICKET_DTYPE,
    Customers,
    Summary,
    in_key_order,
)

MEMORY_LIMIT = "2GB"
_PARTS = parts(definition("summary.sql"))
_LOOK = 0.2  # seconds between two looks at the progress
_IDS = ("source", "charge", "card", "customer")

# where the order of equal moments counts: a failed and a successful attempt of one card, and two different charges of
# one id, in the same second
_TIES = """
    SELECT source AS id FROM events SEMI JOIN (
        SELECT card, "at" FROM events WHERE kind = 1 AND status IN (1, 2) AND card <> 0
        GROUP BY card, "at" HAVING min(status) < max(status)
    ) USING (card, "at") WHERE kind = 1
    UNION ALL
    SELECT source AS id FROM events SEMI JOIN (
        SELECT charge, "at" FROM events WHERE kind = 1 AND charge <> 0
        GROUP BY charge, "at" HAVING min(network) < max(network) OR min(method) < max(method)
    ) USING (charge, "at") WHERE kind = 1
"""


class StagedFiles:
    """Files that have been read into a DuckDB database, and the summaries that can be made of them."""

    def __init__(self, database: duckdb.DuckDBPyConnection, staging: Staging) -> None:
        self._database, self._staging = database, staging
        self._give_ties_their_order()

    @property
    def report(self) -> ReadReport:
        return self._staging.report

    def last_before(self, now: datetime) -> datetime | None:
        """The time of the last event that is not after `now`; None without one."""
        query = 'SELECT max("at") FROM events WHERE "at" <= $now'
        (last,) = self._database.execute(query, {"now": int(now.timestamp())}).fetchall()[0]
        return None if last is None else moment(last)

    def summary(self, as_of: datetime, window_days: int = 90) -> Summary:
        """As `summarise` of the same events. Raises ValueError for an `as_of` without a time zone."""
        if as_of.tzinfo is None:
            raise ValueError("as_of needs a time zone")
        now = int(as_of.timestamp())
        bound = {"now": now, "window": window_days, "history": HISTORY_DAYS}
        # a view cannot hold parameters; these are our own integers
        known = re.sub(r"\$(\w+)", lambda name: str(bound[name[1]]), _PARTS["known"])
        self._database.execute(f"CREATE OR REPLACE TEMP VIEW known AS {known}")
        currency = self._rows("currency", bound)
        beyond = 'SELECT count(*) FROM events WHERE "at" > $now AND kind < $end'
        later = self._database.execute(beyond, {"now": now, "end": COUNTED_KINDS.stop}).fetchall()
        return Summary(
            groups=self._array("groups", bound, GROUP_DTYPE),
            tickets=self._array("tickets", bound, TICKET_DTYPE),
            cards=self._array("cards", bound, CARD_DTYPE),
            holds=self._holds(bound),
            conversions=self._array("conversions", bound, CONVERSION_DTYPE),
            customers=Customers(*(int(number) for number in self._rows("customers", bound)[0])),
            currency=currency[0][0] if currency else 0,
            later=later[0][0],
        )

    def _rows(self, part: str, bound: dict[str, int]) -> list[tuple]:
        return self._run(part, bound).fetchall()

    def _array(self, part: str, bound: dict[str, int], dtype: np.dtype) -> np.ndarray:
        columns = self._run(part, bound).fetchnumpy()
        rows: np.ndarray = np.zeros(len(next(iter(columns.values()))), dtype)
        for name, values in zip(dtype.names or (), columns.values(), strict=True):
            rows[name] = values
        return rows

    def _run(self, part: str, bound: dict[str, int]) -> duckdb.DuckDBPyConnection:
        statement = _PARTS[part]
        return self._database.execute(statement, {name: n for name, n in bound.items() if f"${name}" in statement})

    def _holds(self, bound: dict[str, int]) -> np.ndarray:
        """Holds and releases, their ids as `stable_hash` has them."""
        holds = self._array("holds", bound, EVENT_DTYPE)
        if not len(holds):
            return holds
        ids = f"SELECT unnest([{', '.join(_IDS)}]) AS id FROM events WHERE kind IN (6, 7)"  # noqa: S608 -- our own names
        found = sorted((id_, stable_hash(text)) for id_, text in self._staging.texts_of(ids))
        known = np.array([id_ for id_, _ in found], np.int64)
        hashes = np.array([hashed for _, hashed in found], np.int64)
        for name in _IDS:
            place = np.minimum(np.searchsorted(known, holds[name]), len(known) - 1)
            holds[name] = np.where(known[place] == holds[name], hashes[place], holds[name])
        return in_key_order(holds)

    def _give_ties_their_order(self) -> None:
        found = [(id_, stable_hash(text)) for id_, text in self._staging.texts_of(_TIES)]
        if not found:
            return
        ids, hashes = (list(column) for column in zip(*found, strict=True))
        self._database.execute(
            "CREATE TEMP TABLE ties AS SELECT unnest($ids) AS id, unnest($hashes) AS hashed",
            {"ids": ids, "hashes": hashes},
        )
        self._database.execute("UPDATE events SET source = hashed FROM ties WHERE events.source = ties.id AND kind = 1")


@contextmanager
def stage_files(
    paths: Sequence[Path],
    *,
    now: datetime,
    memory_limit: str = MEMORY_LIMIT,
    progress: Progress | None = None,
) -> Generator[StagedFiles]:
    """Read files of plain payment events (CSV, perhaps gzipped, or Parquet) of one merchant account.

    `memory_limit` is what DuckDB may take, as it writes amounts ("2GB"); what it stages lies in a temporary folder that
    goes with the block, about 60 bytes an event. Raises UnreadableFileError for a file that this engine does not read,
    and ValueError for a limit that is none.
    """
    sources = [open_source(path) for path in dict.fromkeys(paths)]
    with tempfile.TemporaryDirectory(prefix="payflux-") as folder:
        try:
            database = duckdb.connect(
                str(Path(folder) / "events.duckdb"),
                config={
                    "memory_limit": memory_limit,
                    "temp_directory": folder,
                    "autoinstall_known_extensions": False,
                    "autoload_known_extensions": False,
                },
            )
        except duckdb.Error as error:
            raise ValueError(f"{memory_limit!r} is no amount of memory such as 2GB: {_first_line(error)}") from None
        with database, ThreadPoolExecutor(1) as thread:
            try:
                staging = Staging(database, sources, now)
                staging.fill(lambda path: _watched(database, thread, path, progress))
                yield StagedFiles(database, staging)
            except duckdb.Error as error:
                names = ", ".join(str(source.path) for source in sources)
                raise UnreadableFileError(f"DuckDB could not read {names}: {_first_line(error)}") from error


def _watched(
    database: duckdb.DuckDBPyConnection, thread: ThreadPoolExecutor, path: Path, progress: Progress | None
) -> Run:
    """Runs a statement, and says now and then how far it is, in percent."""

    def run(statement: str, parameters: dict[str, object]) -> None:
        work = thread.submit(database.execute, statement, parameters)
        while wait([work], timeout=_LOOK).not_done:
            if progress:
                progress(path, max(0, int(database.query_progress())), 100)
        work.result()
        if progress:
            progress(path, 100, 100)

    return run


def _first_line(error: duckdb.Error) -> str:
    return str(error).splitlines()[0]
