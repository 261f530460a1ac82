"""PayFlux's own plain format: CSV or Parquet whose columns are the fields of a payment event.

`kind, source_id, occurred_at, status, amount, currency` are needed, the other fields may be left out. Amounts are
integer minor units, times ISO 8601 (UTC where no zone is named), kinds, statuses and the like the lower-case names of
their values, `three_d_secure` true, false or empty.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable
from datetime import datetime
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import TypeVar

import msgspec

from payflux.monitor.processors.codes import Kind, Method, Network, Outcome, RiskLevel, Status
from payflux.monitor.processors.events import PaymentEvent
from payflux.monitor.processors.exports.amounts import LARGEST
from payflux.monitor.processors.exports.layouts.layout import Found, Layout
from payflux.monitor.processors.exports.report import Trouble
from payflux.monitor.processors.exports.rows import RefusedRowError, Row
from payflux.monitor.processors.exports.tables import engine

Named = TypeVar("Named", bound=IntEnum)
FIELDS: tuple[str, ...] = tuple(field.name for field in msgspec.structs.fields(PaymentEvent))
_REQUIRED = ("kind", "source_id", "occurred_at", "status", "amount", "currency")
_YES_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def read(row: Row) -> Found:
    """The event of a row. Texts are taken as they stand, so that what was written is read again."""
    currency = row.required_currency("currency")
    amount = _integer(row, "amount")
    kind = _named(row, "kind", Kind)
    row.required("source_id")
    source_id = row.raw("source_id")
    return [
        PaymentEvent(
            kind=kind,
            source_id=source_id,
            occurred_at=row.required_time("occurred_at"),
            status=_named(row, "status", Status),
            amount=amount,
            currency=currency,
            settled_amount=_integer(row, "settled_amount") if row.text("settled_amount") else amount,
            settled_currency=row.currency("settled_currency") or currency,
            charge_id=row.raw("charge_id") or (source_id if kind == Kind.CHARGE else ""),
            charge_occurred_at=row.time("charge_occurred_at"),
            network=_named(row, "network", Network, Network.UNKNOWN),
            method=_named(row, "method", Method, Method.UNKNOWN),
            outcome=_named(row, "outcome", Outcome, Outcome.UNKNOWN),
            risk_level=_named(row, "risk_level", RiskLevel, RiskLevel.UNKNOWN),
            three_d_secure=_yes_no(row, "three_d_secure"),
            country=row.country("country"),
            reason=row.raw("reason"),
            card=row.raw("card"),
            customer=row.raw("customer"),
            ends_at=row.time("ends_at"),
        )
    ]


def _named(row: Row, column: str, values: type[Named], default: Named | None = None) -> Named:
    """The value named in a cell; `default` for an empty one, which is an error without one."""
    if default is not None and not row.text(column):
        return default
    return row.choice(column, _names(values))


@cache
def _names(values: type[Named]) -> dict[str, Named]:
    return {value.name.lower(): value for value in values}


def _integer(row: Row, column: str) -> int:
    value = row.required(column)
    if value.startswith("-") and value[1:].isdecimal():
        raise RefusedRowError(Trouble.NEGATIVE_AMOUNT, f"{row.name(column)} {value!r} is negative where it cannot be")
    if not (value.isascii() and value.isdecimal() and len(value) < 20 and int(value) <= LARGEST):
        raise RefusedRowError(
            Trouble.WRONG_AMOUNT, f"{row.name(column)} {value!r} is not a whole number of minor units such as 1999"
        )
    return int(value)


def _yes_no(row: Row, column: str) -> bool | None:
    value = row.text(column).lower()
    if value not in _YES_NO and value:
        raise RefusedRowError(Trouble.UNKNOWN_VALUE, f"{row.name(column)} {value!r} is neither true nor false")
    return _YES_NO.get(value)


def write_plain(events: Iterable[PaymentEvent], path: Path) -> None:
    """Write `events` so that reading `path` gives them again, equal; `.parquet` writes Parquet, anything else CSV.

    Raises OSError when the place cannot be written.
    """
    if path.suffix != ".parquet":
        _write_csv(events, path)
        return
    with tempfile.TemporaryDirectory() as folder:
        staged = Path(folder) / "events.csv"
        _write_csv(events, staged)
        amounts = {"amount", "settled_amount"}
        chosen = ", ".join(f"{name}::BIGINT AS {name}" if name in amounts else name for name in FIELDS)
        with engine() as connection:
            rows = connection.read_csv(
                str(staged), header=True, all_varchar=True, sep=",", quotechar='"', escapechar='"'
            )
            rows.project(chosen).write_parquet(str(path))


def _write_csv(events: Iterable[PaymentEvent], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(FIELDS)
        writer.writerows([_cell(getattr(event, name)) for name in FIELDS] for event in events)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, IntEnum):
        return value.name.lower()
    return value.isoformat() if isinstance(value, datetime) else str(value)


LAYOUT = Layout(
    name="plain",
    title="plain payment events",
    authority=4,
    required=_REQUIRED,
    optional=tuple(name for name in FIELDS if name not in _REQUIRED),
    read=read,
)
