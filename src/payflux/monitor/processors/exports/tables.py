"""Files as tables: compression, encoding, delimiter and header found out, rows streamed with their line numbers."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import duckdb

Progress = Callable[[Path, int, int], None]
"""Called now and then with the file, what has been read of it and its whole (bytes of CSV, rows of Parquet)."""

EVERY = 4_096
_SNIFFED = 65_536
_DELIMITERS = ",;\t|"
_MAGIC = {
    b"PK\x03\x04": "a spreadsheet or zip archive",
    b"%PDF": "a PDF document",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
}


class UnreadableFileError(Exception):
    """A file that gives no table; the message says why and what to do."""


class BrokenRow(NamedTuple):
    """A row whose cells cannot be told apart."""

    why: str


class Table(NamedTuple):
    """A header, and the rows after it as (line number, cells or why there are none).

    `delimiter` and `encoding` are those of a CSV file, empty for Parquet.
    """

    header: list[str]
    rows: Iterator[tuple[int, list[str] | BrokenRow]]
    decimal_comma: bool = False
    notes: tuple[str, ...] = ()
    delimiter: str = ""
    encoding: str = ""


def column_key(name: str) -> str:
    """A column name as it is compared: lower case, one underscore for any run of other characters.

    >>> column_key("Created date (UTC)")
    'created_date_utc'
    """
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


@contextmanager
def open_table(path: Path, progress: Progress | None = None) -> Generator[Table]:
    """Open `path` (CSV in any of four delimiters, perhaps gzipped, or Parquet) as a table that streams.

    Raises UnreadableFileError when it cannot be opened, is empty or is another kind of file.
    """
    try:
        with path.open("rb") as raw:
            start = raw.read(4)
            raw.seek(0)
            if not start:
                raise UnreadableFileError(f"{path} is empty.")
            for magic, what in _MAGIC.items():
                if start.startswith(magic):
                    raise UnreadableFileError(f"{path} is {what}. Save or export it as CSV and try again.")
            yield _parquet(path, progress) if start == b"PAR1" else _csv(path, raw, start[:2] == b"\x1f\x8b", progress)
    except OSError as error:
        raise UnreadableFileError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (EOFError, zlib.error, duckdb.Error) as error:
        raise UnreadableFileError(f"{path} is damaged: {str(error).splitlines()[0]}") from error


def _csv(path: Path, raw: BinaryIO, gzipped: bool, progress: Progress | None) -> Table:
    size = path.stat().st_size
    data = io.BufferedReader(gzip.GzipFile(fileobj=raw)) if gzipped else io.BufferedReader(raw)  # ty: ignore[invalid-argument-type]
    encoding, notes = _encoding(data.peek(_SNIFFED)[:_SNIFFED])
    text = io.TextIOWrapper(data, encoding=encoding, errors="replace", newline="")
    first = text.readline()
    delimiter = max(_DELIMITERS, key=re.sub(r'"[^"]*"', "", first).count)
    header = next(csv.reader([first], delimiter=delimiter), [])
    reader = csv.reader(text, delimiter=delimiter)

    def rows() -> Iterator[tuple[int, list[str] | BrokenRow]]:
        count = 0
        while True:
            line = reader.line_num + 2  # the header was read apart
            try:
                cells = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                yield line, BrokenRow(str(error))
                continue
            count += 1
            if progress and count % EVERY == 0:
                progress(path, raw.tell(), size)
            if cells:
                right = len(cells) == len(header)
                yield line, cells if right else BrokenRow(f"{len(cells)} cells where the header has {len(header)}")
        if progress:
            progress(path, size, size)

    return Table(header, rows(), decimal_comma=delimiter in ";\t", notes=notes, delimiter=delimiter, encoding=encoding)


def _encoding(start: bytes) -> tuple[str, tuple[str, ...]]:
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16", ()
    try:
        start.decode()
    except UnicodeDecodeError as error:
        if len(start) < _SNIFFED or error.start < len(start) - 4:  # else a character cut by the end of the sample
            return "cp1252", ("not UTF-8: read as Windows-1252",)
    return "utf-8-sig", ()


def engine() -> duckdb.DuckDBPyConnection:
    """DuckDB in memory, kept from looking for extensions on the network."""
    return duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})


def _parquet(path: Path, progress: Progress | None) -> Table:
    connection = engine()
    found = connection.execute("SELECT count(*) FROM read_parquet($1)", [str(path)]).fetchone()
    total = found[0] if found else 0
    cursor = connection.execute("SELECT COLUMNS(*)::VARCHAR FROM read_parquet($1)", [str(path)])
    header = [column[0] for column in cursor.description or ()]

    def rows() -> Iterator[tuple[int, list[str] | BrokenRow]]:
        line = 0
        while batch := cursor.fetchmany(EVERY):
            for cells in batch:
                line += 1
                yield line, ["" if cell is None else cell for cell in cells]
            if progress:
                progress(path, line, total)
        connection.close()

    return Table(header, rows())
