"""PostgreSQL's binary COPY of packed rollups in, and of readings out. Format: PostgreSQL manual, "COPY"."""

from __future__ import annotations

import struct
from collections.abc import Iterable

import numpy as np

from payflux.monitor.processors.rollups import METRICS
from payflux.monitor.risk.sweep.kernel import DAYS, READING_DTYPE, read_workspaces

WORKSPACES = 256
"""How many workspaces are read in one go: their days fit a processor's cache."""

# only the days that are read leave the database; $1 is the first of them
ROLLUPS = f"""
    SELECT account_id, workspace_id, rpad(currency, 3), greatest(0, first_day - $1 + skipped), width,
        substr(vector, 1 + skipped * width, width * greatest(0, least(days, $1 - first_day + {DAYS}) - skipped))
    FROM (
        SELECT account_id, workspace_id, currency, first_day, vector, CAST(days AS int) AS days,
            CAST(octet_length(vector) / days AS int) AS width,
            greatest(0, least(CAST(days AS int), $1 - first_day)) AS skipped
        FROM daily_rollups
    ) AS placed
"""  # noqa: S608 -- our own number

_TYPES = {"f8": "double precision", "i8": "bigint", "i2": "smallint"}
READINGS = {"account_id": "uuid", "workspace_id": "uuid", "currency": "text"} | {
    name: _TYPES[field[0].str[1:]] for name, field in (READING_DTYPE.fields or {}).items()
}
"""The columns of what :meth:`Sweeper.finish` returns, and their types."""

_SIGNATURE = b"PGCOPY\n\xff\r\n\x00"
_HEADER = _SIGNATURE + bytes(8)  # no flags, no extension
_TRAILER = b"\xff\xff"
_ROW = struct.Struct(
    ">hi16si16si3siiiii"
)  # number of fields, then each with its length; of the vector its length alone
_LENGTHS = (6, 16, 16, 3, 4, 4)
_CELL = np.dtype("<i8")


def _tuple_dtype() -> np.dtype:
    keys = [("account_id", "V16"), ("workspace_id", "V16"), ("currency", "V3")]
    numbers = [(name, field[0].newbyteorder(">")) for name, field in (READING_DTYPE.fields or {}).items()]
    cells = [part for name, kind in keys + numbers for part in ((f"{name}_length", ">i4"), (name, kind))]
    return np.dtype([("fields", ">i2"), *cells])


_TUPLE = _tuple_dtype()


class Sweeper:
    """Takes a binary COPY of :data:`ROLLUPS` in pieces cut anywhere, and gives the readings as one of its own."""

    def __init__(self) -> None:
        self._rest = b""
        self._started = self._ended = False
        self._block: np.ndarray = np.zeros((WORKSPACES, DAYS, len(METRICS)), np.int64)
        self._keys: list[tuple[bytes, bytes, bytes]] = []
        self._done: list[np.ndarray] = []

    def feed(self, pieces: Iterable[bytes]) -> None:
        """Read the workspaces that are whole by now. Raises ValueError for another kind of stream."""
        data = b"".join((self._rest, *pieces))
        start = 0
        if not self._started:
            if len(data) < len(_HEADER):
                self._rest = data
                return
            if data[: len(_HEADER)] != _HEADER:
                raise ValueError("not a binary COPY")
            start, self._started = len(_HEADER), True
        while len(data) - start >= _ROW.size and data[start : start + 2] != _TRAILER:
            row = _ROW.unpack_from(data, start)
            if (row[0], row[1], row[3], row[5], row[7], row[9]) != _LENGTHS or row[11] < 0:
                raise ValueError("the binary COPY holds other columns than the rollups' or a NULL")
            vector = start + _ROW.size
            if len(data) - vector < row[11]:
                break
            self._place(data, vector, place=row[8], width=row[10], length=row[11])
            self._keys.append((row[2], row[4], row[6]))
            if len(self._keys) == WORKSPACES:
                self._read()
            start = vector + row[11]
        self._ended = data[start:] == _TRAILER
        self._rest = data[start:]

    def finish(self) -> bytes:
        """The readings of all, as a binary COPY whose columns are :data:`READINGS`.

        Raises ValueError when the stream was cut off.
        """
        if not self._ended:
            raise ValueError("the binary COPY is cut off")
        if self._keys:
            self._read()
        return b"".join([_HEADER, *(tuples.tobytes() for tuples in self._done), _TRAILER])

    @property
    def count(self) -> int:
        """How many readings there are, after :meth:`finish`."""
        return sum(map(len, self._done))

    def _place(self, data: bytes, start: int, *, place: int, width: int, length: int) -> None:
        days = self._block[len(self._keys)]
        metrics = width // _CELL.itemsize
        vector = np.frombuffer(data, _CELL, length // _CELL.itemsize, start).reshape(-1, metrics)
        if vector.shape != days.shape:
            days.fill(0)  # a shorter history, or one stored when there were fewer metrics
        days[place : place + len(vector), :metrics] = vector[:, : len(METRICS)]

    def _read(self) -> None:
        readings = read_workspaces(self._block[: len(self._keys)])
        tuples: np.ndarray = np.zeros(len(readings), _TUPLE)
        tuples["fields"] = len(_TUPLE.names or ()) // 2
        for name, column in zip(("account_id", "workspace_id", "currency"), zip(*self._keys, strict=True), strict=True):
            kind = _TUPLE[name]
            tuples[f"{name}_length"] = kind.itemsize
            tuples[name] = np.frombuffer(b"".join(column), kind)
        for name in READING_DTYPE.names or ():
            tuples[f"{name}_length"] = _TUPLE[name].itemsize
            tuples[name] = readings[name]
        self._done.append(tuples)
        self._keys = []
