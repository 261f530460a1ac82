"""Files of plain payment events as one DuckDB table of integers, whatever their size.

DuckDB takes in the clear rows itself. Any other row (an unusual way to write a time, a wrong amount, a date still to
come) goes through the reader in Python, and so do the rows that tell of one event more than once: the same rows are
used, refused or merged as without DuckDB, for the same reasons.
"""

# ruff: noqa: S608 -- statements are made of our own names, and of paths that are quoted
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import duckdb
import numpy as np

from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.events import EVENT_DTYPE, PaymentEvent, event_record, moment, unpack_letters
from payflux.monitor.processors.exports.layouts import plain
from payflux.monitor.processors.exports.layouts.layout import SUMMARY
from payflux.monitor.processors.exports.merge import Facts
from payflux.monitor.processors.exports.reader import unseen
from payflux.monitor.processors.exports.report import ReadReport, Trouble
from payflux.monitor.processors.exports.rows import RefusedRowError
from payflux.monitor.processors.exports.tables import UnreadableFileError
from payflux.monitor.risk.engines.files import CHARGE_ID, CLEAR, INTEGERS, TYPES, Source, identity

Run = Callable[[str, dict[str, object]], None]
"""Runs one long statement with its parameters, telling how far it is."""

BATCH = 20_000
"""How many rows are taken out of DuckDB at once for the reader in Python."""

_COLUMNS = ", ".join(
    f'"{name}" {"BIGINT" if field[0].itemsize == 8 else "SMALLINT"}'
    for name, field in (EVENT_DTYPE.fields or {}).items()
)
_IDS = {"source": "source_id", "charge": "charge_id", "card": "card", "customer": "customer"}
_ROWS_KEPT = "The line numbers of refused rows count rows, as if no cell held a line break."


class Staging:
    """The table `events` of a DuckDB connection: EVENT_DTYPE's columns, the ids as DuckDB's own hashes, every event
    once. `report` says how reading went, as that of `read_exports` does."""

    def __init__(self, database: duckdb.DuckDBPyConnection, sources: Sequence[Source], now: datetime) -> None:
        self._database, self._sources = database, sources
        self._latest = int((now + timedelta(days=1)).timestamp())
        self.report = ReadReport(files=[source.file for source in sources])
        database.execute(TYPES)
        database.execute(f"CREATE TABLE events ({_COLUMNS})")

    def fill(self, run: Callable[[Path], Run]) -> None:
        """Take in every file. Raises UnreadableFileError for what cannot be told without the reader in Python."""
        for source in self._sources:
            self._take_clear_rows(source, run(source.path))
            self._take_other_rows(source)
        self._merge_repeated()
        self._describe()

    def texts_of(self, ids: str) -> Iterator[tuple[int, str]]:
        """For each integer that the query `ids` gives, the id it stands for, read from the files again."""
        self._database.execute(f"CREATE OR REPLACE TEMP TABLE wanted AS SELECT DISTINCT id FROM ({ids}) WHERE id <> 0")
        if not self._one("SELECT count(*) FROM wanted"):
            return
        texts = " UNION ALL ".join(
            f"SELECT unnest([source_id, {CHARGE_ID}, card, customer]) AS text FROM ({source.texts})"
            for source in self._sources
        )
        found = self._database.execute(
            f"SELECT DISTINCT id, text FROM (SELECT {identity('text')} AS id, text FROM ({texts})) SEMI JOIN wanted "
            "USING (id)"
        )
        while rows := found.fetchmany(BATCH):
            yield from rows

    def _take_clear_rows(self, source: Source, run: Run) -> None:
        before = self._one("SELECT count(*) FROM events")
        # a row that is not clear leaves a mark, an event of no kind, so that one reading of the file is enough
        kept = ", ".join(f"CASE WHEN clear THEN {sql} ELSE 0 END" for sql in INTEGERS.values())
        run(
            f"INSERT INTO events SELECT {kept} "
            f"FROM (SELECT *, coalesce({CLEAR}, false) AS clear FROM ({source.texts}))",
            {"latest": self._latest},
        )
        after = self._one("SELECT count(*) FROM events")
        source.file.rows = after - before
        self._database.execute("DELETE FROM events WHERE kind = 0")
        source.file.used = self._one("SELECT count(*) FROM events") - before
        for line, why in self._broken(source):
            source.file.rows += 1
            self.report.refuse(source.file, line, Trouble.BROKEN_ROW, why)

    def _broken(self, source: Source) -> list[tuple[int, str]]:
        if source.parquet:
            return []
        return self._database.execute(
            "SELECT line, min(error_message) FROM reject_errors WHERE (scan_id, file_id) IN (SELECT (scan_id, file_id) "
            "FROM reject_scans WHERE file_path = $path ORDER BY scan_id LIMIT 1) GROUP BY line ORDER BY line",
            {"path": str(source.path)},
        ).fetchall()

    def _take_other_rows(self, source: Source) -> None:
        """Hand the rows that are not clear to the reader in Python, one after another."""
        if source.file.used + source.file.refused == source.file.rows:
            return
        source.file.notes += () if source.parquet else (_ROWS_KEPT,)
        rows = self._database.cursor().execute(
            f"SELECT * FROM ({source.numbered}) WHERE NOT coalesce({CLEAR}, false) ORDER BY line",
            {"latest": self._latest},
        )
        while batch := rows.fetchmany(BATCH):
            self._add(event for line, *cells in batch if (event := self._read(source, line, cells)))

    def _read(self, source: Source, line: int, cells: Sequence[str]) -> PaymentEvent | None:
        try:
            event, notices = source.read(cells)
        except RefusedRowError as error:
            self.report.refuse(source.file, line, error.trouble, str(error))
            return None
        if event.source_id.endswith(SUMMARY):
            raise UnreadableFileError(
                f"{source.path} holds refunds or disputes that are only summed up by charge (line {line}), which the "
                "DuckDB engine cannot set against the real ones. Leave --engine out to read it."
            )
        for trouble, message in notices:
            self.report.note(source.file, line, trouble, message)
        if int(event.occurred_at.timestamp()) > self._latest:
            message = f"{event.occurred_at:%Y-%m-%d %H:%M} UTC is still to come"
            self.report.note(source.file, line, Trouble.FUTURE_TIME, message)
        source.file.used += 1
        return event

    def _add(self, events: Iterable[PaymentEvent]) -> None:
        """Insert events that Python has read, their ids as SQL would have made them."""
        known = list(events)
        records: np.ndarray = np.array([event_record(event) for event in known], EVENT_DTYPE)
        columns = {name: records[name].tolist() for name in EVENT_DTYPE.names or ()}
        columns |= {name: [getattr(event, text) for event in known] for name, text in _IDS.items()}
        chosen = ", ".join(identity(f'"{name}"') if name in _IDS else f'"{name}"' for name in columns)
        unnested = ", ".join(f'unnest(${name}) AS "{name}"' for name in columns)
        if known:
            self._database.execute(f"INSERT INTO events SELECT {chosen} FROM (SELECT {unnested})", columns)

    def _merge_repeated(self) -> None:
        """Make one event of the rows that tell of the same one, as the reader in Python does."""
        self._database.execute(
            "CREATE TABLE repeated AS SELECT source AS id FROM events GROUP BY kind, source HAVING count(*) > 1"
        )
        if not self._one("SELECT count(*) FROM repeated"):
            return
        rows = " UNION ALL ".join(
            f"SELECT {number} AS file, {identity('source_id')} AS id, * FROM ({source.numbered})"
            for number, source in enumerate(self._sources)
        )
        found = self._database.cursor().execute(
            f"SELECT * FROM ({rows}) SEMI JOIN (SELECT DISTINCT id FROM repeated) USING (id) ORDER BY id, file, line"
        )
        self._database.execute("DELETE FROM events WHERE source IN (SELECT id FROM repeated)")
        merged: list[PaymentEvent] = []
        for _, group in groupby(_fetched(found), key=itemgetter(1)):
            facts = Facts()
            for file, _, _, *cells in group:
                with suppress(RefusedRowError):  # counted when it was first read
                    facts.add(self._sources[file].read(cells)[0], plain.LAYOUT.authority)
            self.report.merged += facts.merged
            merged += facts.events()
            if len(merged) >= BATCH:
                self._add(merged)
                merged = []
        self._add(merged)

    def _describe(self) -> None:
        """What the events are, all together."""
        report = self.report
        count, first, last = self._database.execute('SELECT count(*), min("at"), max("at") FROM events').fetchall()[0]
        report.events = count
        if count:
            report.first_at, report.last_at = moment(first), moment(last)
        kinds = self._database.execute("SELECT kind, count(*) FROM events GROUP BY kind").fetchall()
        settled = self._database.execute(
            "SELECT settled_currency, count(*) FROM events WHERE kind = $kind GROUP BY settled_currency",
            {"kind": int(Kind.CHARGE)},
        ).fetchall()
        report.kinds = _largest_first((Kind(kind).name.lower(), number) for kind, number in kinds)
        report.currencies = _largest_first((unpack_letters(code).lower(), number) for code, number in settled)
        failures, cards = self._database.execute(
            "SELECT coalesce(bool_or(status = $failed), false), coalesce(bool_or(card <> 0), false) FROM events "
            "WHERE kind = $kind",
            {"failed": int(Status.FAILED), "kind": int(Kind.CHARGE)},
        ).fetchall()[0]
        layouts = {file.layout for file in report.files}
        report.unseen = unseen({Kind(kind) for kind, _ in kinds}, layouts, failures=failures, cards=cards)

    def _one(self, query: str) -> int:
        return self._database.execute(query).fetchall()[0][0]


def _fetched(result: duckdb.DuckDBPyConnection) -> Iterator[tuple]:
    while batch := result.fetchmany(BATCH):
        yield from batch


def _largest_first(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    return dict(sorted(counts, key=lambda item: (-item[1], item[0])))
