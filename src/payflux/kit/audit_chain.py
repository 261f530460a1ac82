"""The audit log as a chain of hashes: what an entry's hash covers, and how a chain is checked. Pure.

Each entry of an account carries the next number and the SHA-256 of its own fields together with the hash of the entry
before it, so that an entry that was changed, removed, put in or moved no longer fits. The fields are hashed as JSON
with sorted keys, no spaces, UTF-8 and whole numbers without a fraction, which survives being stored as jsonb.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

FIRST_HASH = bytes(32)
"""What stands in for the hash before an account's first entry."""

Flaw = Literal["changed", "missing", "misplaced", "cut off"]


@dataclass(frozen=True)
class Link:
    """One entry as the chain sees it: its number, its fields, and the two hashes it carries."""

    sequence: int
    fields: Mapping[str, object]
    previous_hash: bytes
    hash: bytes


@dataclass(frozen=True)
class Break:
    """Where a chain does not hold: at the entry numbered `sequence`, and how."""

    sequence: int
    flaw: Flaw


def entry_hash(fields: Mapping[str, object], *, sequence: int, previous_hash: bytes) -> bytes:
    """The hash of an entry: 32 bytes over its fields, its number and the hash before it."""
    sealed = {**fields, "sequence": sequence, "previous_hash": previous_hash.hex()}
    text = json.dumps(_plain(sealed), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).digest()


def find_breaks(links: Iterable[Link], *, last_sequence: int, last_hash: bytes) -> list[Break]:
    """Every place where the chain does not hold, given its entries by number and the end it is known to have."""
    breaks = []
    sequence, before = 0, FIRST_HASH
    for link in links:
        if link.sequence != sequence + 1:
            breaks.append(Break(sequence + 1, "missing"))
        elif link.previous_hash != before:
            breaks.append(Break(link.sequence, "misplaced"))
        if entry_hash(link.fields, sequence=link.sequence, previous_hash=link.previous_hash) != link.hash:
            breaks.append(Break(link.sequence, "changed"))
        sequence, before = link.sequence, link.hash
    if (sequence, before) != (last_sequence, last_hash):
        breaks.append(Break(max(sequence, last_sequence), "cut off"))
    return breaks


def _plain(value: object) -> object:
    """`value` in the one form that its JSON can have, before and after the database."""
    match value:
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case UUID():
            return str(value)
        case float() if value.is_integer():
            return int(Decimal(repr(value)))  # exactly the digits that are written, not the bits behind them
        case _:
            return value
