"""A file of plain payment events as DuckDB sees it: every field as text, and the same field as EVENT_DTYPE's integer.

A row is clear when each field is written in the usual way, so that SQL reads it as the reader in Python would.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from payflux.monitor.processors.codes import REASONS, Kind, Method, Network, Outcome, RiskLevel, Status
from payflux.monitor.processors.events import PaymentEvent
from payflux.monitor.processors.exports.amounts import LARGEST
from payflux.monitor.processors.exports.layouts import plain
from payflux.monitor.processors.exports.layouts.layout import SUMMARY
from payflux.monitor.processors.exports.reader import columns_of, describe, detect
from payflux.monitor.processors.exports.report import FileReport, Trouble
from payflux.monitor.processors.exports.rows import Row
from payflux.monitor.processors.exports.tables import UnreadableFileError, open_table

_CODES: dict[str, type[IntEnum]] = {
    "kind": Kind,
    "status": Status,
    "network": Network,
    "method": Method,
    "outcome": Outcome,
    "risk_level": RiskLevel,
}
_PLACES = {name: place for place, name in enumerate(plain.FIELDS)}

TYPES = "; ".join(
    f"CREATE TYPE {name} AS ENUM ({', '.join(repr(word) for word in words)})"
    for name, words in {
        **{name: [code.name.lower() for code in codes] for name, codes in _CODES.items()},
        "reason": REASONS,
    }.items()
)
"""Statements that make the enumerations which :data:`CLEAR` and :data:`INTEGERS` read words by."""

_TIME = r"(19[7-9]\d|20\d\d)-\d\d-\d\d[T ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|\+00(:00)?)?"
_AMOUNT = r"\d{1,15}"
assert LARGEST >= 10**15 - 1


def _matches(name: str, pattern: str, *, empty: bool = False) -> str:
    return f"regexp_full_match({name}, '{f'({pattern})?' if empty else pattern}')"


def _known(name: str) -> str:
    empty = "" if name in plain.LAYOUT.required else f" OR {name} = ''"
    return f"(TRY_CAST({name} AS {name}) IS NOT NULL{empty})"


def _instant(name: str) -> str:
    return f"TRY_CAST(left({name}, 19) AS TIMESTAMP)"


def _seconds(name: str) -> str:
    return f"coalesce(epoch_ms({_instant(name)}) // 1000, 0)"


def _letters(name: str, count: int) -> str:
    digits = [f"(ascii(upper({name}[{n}])) - 64)" for n in range(1, count + 1)]
    packed = digits[0]
    for digit in digits[1:]:
        packed = f"({packed} * 27 + {digit})"
    return f"CASE WHEN {name} = '' THEN 0 ELSE {packed} END"


def identity(text: str) -> str:
    """SQL for an integer that stands for an id; 0 for an empty one. It is DuckDB's own hash, not `stable_hash`."""
    return f"CASE WHEN {text} = '' THEN 0 ELSE CAST(hash({text}) >> 1 AS BIGINT) END"


CLEAR = " AND ".join(
    [
        *(_known(name) for name in _CODES),
        "regexp_matches(source_id, '[!-~]')",
        f"NOT suffix(source_id, '{SUMMARY}')",
        _matches("occurred_at", _TIME),
        f"{_instant('occurred_at')} IS NOT NULL",
        *(_matches(name, _TIME, empty=True) for name in ("charge_occurred_at", "ends_at")),
        *(f"({name} = '' OR {_instant(name)} IS NOT NULL)" for name in ("charge_occurred_at", "ends_at")),
        _matches("amount", _AMOUNT),
        _matches("settled_amount", _AMOUNT, empty=True),
        _matches("currency", "[A-Za-z]{3}"),
        _matches("settled_currency", "[A-Za-z]{3}", empty=True),
        _matches("country", "[A-Za-z]{2}", empty=True),
        "three_d_secure IN ('', 'true', 'false')",
        f"{_seconds('occurred_at')} <= $latest",
    ]
)
"""Whether a row of texts is clear; $latest, in unix seconds, is the last instant that is no surprise."""

CHARGE_ID = "CASE WHEN charge_id = '' AND kind = 'charge' THEN source_id ELSE charge_id END"
_CODE = "coalesce(enum_code(TRY_CAST({0} AS {0})), 0) + {1}"
INTEGERS: dict[str, str] = {
    "at": _seconds("occurred_at"),
    "charge_at": _seconds("charge_occurred_at"),
    "ends_at": _seconds("ends_at"),
    "amount": "coalesce(TRY_CAST(amount AS BIGINT), 0)",
    "settled": "coalesce(TRY_CAST(settled_amount AS BIGINT), TRY_CAST(amount AS BIGINT), 0)",
    "source": identity("source_id"),
    "charge": identity(f"({CHARGE_ID})"),
    "card": identity("card"),
    "customer": identity("customer"),
    **{name: _CODE.format(name, min(_CODES[name])) for name in ("kind", "status")},
    "currency": _letters("currency", 3),
    "settled_currency": f"CASE WHEN settled_currency = '' THEN {_letters('currency', 3)} "
    f"ELSE {_letters('settled_currency', 3)} END",
    **{name: _CODE.format(name, min(_CODES[name])) for name in ("network", "method", "outcome", "risk_level")},
    "three_d_secure": "CASE three_d_secure WHEN 'true' THEN 1 WHEN 'false' THEN 0 ELSE -1 END",
    "country": _letters("country", 2),
    "reason": _CODE.format("reason", 0),
}
"""EVENT_DTYPE's columns of a clear row, in their order, as SQL on its texts."""


class Source(NamedTuple):
    """One file. `relation` is the table function that reads it, its columns text and named c0, c1, …"""

    path: Path
    header: list[str]
    columns: dict[str, int]
    relation: str
    parquet: bool
    file: FileReport

    @property
    def texts(self) -> str:
        """A query for the fields of a payment event as they stand; an absent column reads as empty."""
        cells = (f"coalesce(c{self.columns[name]}, '')" if name in self.columns else "''" for name in plain.FIELDS)
        named = ", ".join(f"{cell} AS {name}" for name, cell in zip(plain.FIELDS, cells, strict=True))
        return f"SELECT {named} FROM {self.relation}"  # noqa: S608 -- our own names; the path is quoted

    @property
    def numbered(self) -> str:
        """As `texts`, with each row's `line` as the report counts it, before them."""
        return f"SELECT row_number() OVER () + {int(not self.parquet)} AS line, * FROM ({self.texts})"  # noqa: S608

    def read(self, cells: Sequence[str]) -> tuple[PaymentEvent, list[tuple[Trouble, str]]]:
        """What the reader in Python makes of one row of `texts`, and what it notes. Raises RefusedRowError."""
        names = [self.header[self.columns[name]] if name in self.columns else name for name in plain.FIELDS]
        row = Row(cells, _PLACES, names, decimal_comma=False)
        found = plain.read(row)
        assert isinstance(found, list), "a row of the plain format is one event"
        return found[0], row.notices


def open_source(path: Path) -> Source:
    """Look at a file's header. Raises UnreadableFileError for what this engine does not read."""
    with open_table(path) as table:
        layout = detect(path, table.header)
        if layout.name != plain.LAYOUT.name:
            raise UnreadableFileError(
                f"{path} is another kind of file ({layout.title}), and the DuckDB engine reads plain payment events "
                "only. Leave --engine out to read it."
            )
        if table.delimiter and table.encoding != "utf-8-sig":
            raise UnreadableFileError(
                f"{path} is not in UTF-8, which the DuckDB engine needs. Save it as UTF-8, or leave --engine out."
            )
        file = describe(path, layout, table.header, table.notes)
        read = _parquet if not table.delimiter else _csv
        relation = read(path, table.header, table.delimiter)
        return Source(path, table.header, columns_of(layout, table.header), relation, not table.delimiter, file)


def _parquet(path: Path, header: Sequence[str], _delimiter: str) -> str:
    columns = ", ".join(f"CAST({_quoted(name, chr(34))} AS VARCHAR) AS c{place}" for place, name in enumerate(header))
    return f"(SELECT {columns} FROM read_parquet({_quoted(str(path))}))"  # noqa: S608 -- quoted


def _csv(path: Path, header: Sequence[str], delimiter: str) -> str:
    with path.open("rb") as raw:
        compression = "gzip" if raw.read(2) == b"\x1f\x8b" else "none"
    columns = ", ".join(f"c{place}: 'VARCHAR'" for place in range(len(header)))
    return (
        f"read_csv({_quoted(str(path))}, columns = {{{columns}}}, auto_detect = false, header = true, "
        f"delim = '{delimiter}', quote = '\"', escape = '\"', nullstr = '\\N', compression = '{compression}', "
        "store_rejects = true)"
    )


def _quoted(text: str, mark: str = "'") -> str:
    return mark + text.replace(mark, mark * 2) + mark
