"""Bar charts as PNG, for mails: their readers draw no SVG. No text is drawn; a table beside has the numbers."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TRUE_COLOUR = 2
_PAPER, _RAIL, _BAND, _BAR = (255, 255, 255), (226, 232, 240), (158, 208, 193), (0, 104, 79)
_ROW, _MARGIN, _THICK, _LINE = 44, 12, 20, 8  # pixels


class Bar(NamedTuple):
    """A value with the interval it lies in; none is negative."""

    low: float
    value: float
    high: float


def bar_chart_png(bars: Sequence[Bar], *, width: int = 960) -> bytes:
    """Horizontal bars from 0, one below the other and in one scale, each with its interval as a band behind it. An
    image `width` pixels wide, on white, as PNG (RFC 2083)."""
    image = np.full((_ROW * len(bars), width, 3), _PAPER, dtype=np.uint8)
    room = width - 2 * _MARGIN
    scale = room / max((bar.high for bar in bars), default=0.0) if any(bar.high > 0 for bar in bars) else 0.0
    for number, bar in enumerate(bars):
        middle = number * _ROW + _ROW // 2

        def paint(start: float, end: float, thick: int, colour: tuple[int, int, int], middle: int = middle) -> None:
            first, last = _MARGIN + round(start), _MARGIN + round(end)
            image[middle - thick // 2 : middle + thick // 2, first : max(last, first + 2)] = colour

        paint(0, room, 2, _RAIL)
        paint(bar.low * scale, bar.high * scale, _THICK, _BAND)
        paint(0, bar.value * scale, _LINE, _BAR)
    return png(image)


def png(image: np.ndarray) -> bytes:
    """`image`, an array of height × width × 3 of uint8, as a PNG file."""
    height, width, _ = image.shape
    header = struct.pack(">IIBBBBB", width, height, 8, _TRUE_COLOUR, 0, 0, 0)
    unfiltered = np.zeros((height, 1 + width * 3), dtype=np.uint8)
    unfiltered[:, 1:] = image.reshape(height, width * 3)
    pixels = zlib.compress(unfiltered.tobytes(), 9)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
