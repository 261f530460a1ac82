import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.processors.copybinary import decode_copy
from payflux.monitor.processors.events import EVENT_DTYPE

HEADER = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">II", 0, 0)
TRAILER = struct.pack(">h", -1)
WIDTHS = [field[0].itemsize for field in (EVENT_DTYPE.fields or {}).values()]
ROW = st.tuples(
    *(st.integers(-(2 ** (8 * width - 1)), 2 ** (8 * width - 1) - 1) for width in WIDTHS),
)


def encode(rows: list[tuple[int, ...]]) -> bytes:
    body = b"".join(
        struct.pack(">h", len(row))
        + b"".join(
            struct.pack(">i", width) + value.to_bytes(width, "big", signed=True)
            for width, value in zip(WIDTHS, row, strict=True)
        )
        for row in rows
    )
    return HEADER + body + TRAILER


@given(st.lists(ROW, max_size=5))
def test_what_postgres_encodes_is_decoded_unchanged(rows: list[tuple[int, ...]]) -> None:
    assert decode_copy(encode(rows)).tolist() == rows


def test_an_empty_result_gives_no_events() -> None:
    events = decode_copy(HEADER + TRAILER)
    assert events.dtype == EVENT_DTYPE
    assert len(events) == 0


def test_the_events_own_their_memory_and_can_be_changed() -> None:
    events = decode_copy(encode([tuple(range(20))]))
    events["amount"] = 7
    assert np.array_equal(events["amount"], [7])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "header"),
        (b"id,amount\n" * 4, "not a binary COPY"),
        (encode([tuple(range(20))])[:-3], "whole events"),
        (HEADER + struct.pack(">h", 1) + b"\x00" * 174 + TRAILER, "columns"),
    ],
)
def test_another_stream_is_refused_with_a_reason(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        decode_copy(data)


def test_a_column_of_another_width_is_refused_by_name() -> None:
    data = bytearray(encode([tuple(range(20))]))
    struct.pack_into(">i", data, len(HEADER) + 2, 4)
    with pytest.raises(ValueError, match="column at"):
        decode_copy(bytes(data))
