"""Identifiers."""

from __future__ import annotations

import os
import time
from uuid import UUID


def new_id() -> UUID:
    """A random UUID that sorts by creation time (version 7, RFC 9562)."""
    value = int(time.time_ns() // 1_000_000).to_bytes(6, "big") + os.urandom(10)
    number = int.from_bytes(value, "big")
    number = number & ~(0xF << 76) | (0x7 << 76)
    number = number & ~(0x3 << 62) | (0x2 << 62)
    return UUID(int=number)
