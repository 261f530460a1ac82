"""PostgreSQL's binary COPY of payment events, decoded without a loop.

Every column is fixed-width and NOT NULL, so each tuple has the same length and the whole stream is one structured
array. Format: PostgreSQL manual, "COPY", section "Binary Format".
"""

from __future__ import annotations

import struct

import numpy as np

from payflux.monitor.processors.events import EVENT_DTYPE

_SIGNATURE = b"PGCOPY\n\xff\r\n\x00"
_HEADER = struct.Struct(f">{len(_SIGNATURE)}sII")  # signature, flags, length of the header's extension
_TRAILER = b"\xff\xff"
_COLUMNS: dict[str, np.dtype] = {name: field[0] for name, field in (EVENT_DTYPE.fields or {}).items()}
_TUPLE = np.dtype(
    [("fields", ">i2")]
    + [
        part
        for name, integer in _COLUMNS.items()
        for part in ((f"{name}_length", ">i4"), (name, integer.newbyteorder(">")))
    ]
)


def decode_copy(data: bytes) -> np.ndarray:
    """The events in `data`, the output of `COPY (SELECT <columns of EVENT_DTYPE, in order>) TO … (FORMAT binary)`.

    Returns an array of :data:`EVENT_DTYPE` in the order of the rows. Raises ValueError when `data` is not such a
    stream: cut off, another column list, or a NULL.
    """
    if len(data) < _HEADER.size + len(_TRAILER):
        raise ValueError("binary COPY is cut off in its header")
    signature, _, extension = _HEADER.unpack_from(data)
    if signature != _SIGNATURE:
        raise ValueError("not a binary COPY")
    start = _HEADER.size + extension
    rows, rest = divmod(len(data) - start - len(_TRAILER), _TUPLE.itemsize)
    if rows < 0 or rest or not data.endswith(_TRAILER):
        raise ValueError("binary COPY does not hold whole events of fixed width")
    tuples: np.ndarray = np.frombuffer(data, _TUPLE, count=rows, offset=start)
    if not (tuples["fields"] == len(_COLUMNS)).all():
        raise ValueError(f"binary COPY must hold {len(_COLUMNS)} columns")
    events = np.empty(rows, EVENT_DTYPE)
    for name, integer in _COLUMNS.items():
        if not (tuples[f"{name}_length"] == integer.itemsize).all():
            raise ValueError(f"column {name} of the binary COPY has another width, or a NULL")
        events[name] = tuples[name]
    return events
