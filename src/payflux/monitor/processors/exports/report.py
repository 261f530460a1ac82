"""What happened while files were read: every row is used, set aside or refused, and each is counted and explained."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from enum import StrEnum

import msgspec

PROBLEMS_KEPT = 1_000
"""How many problems are kept with file and line; all of them are counted."""


class Trouble(StrEnum):
    """What can be wrong with a row. A refused row gives no event; a row with a notice does."""

    WRONG_TIME = "wrong time"
    WRONG_AMOUNT = "wrong amount"
    NEGATIVE_AMOUNT = "negative amount"
    WRONG_CURRENCY = "wrong currency"
    UNKNOWN_VALUE = "unknown value"
    MISSING_VALUE = "missing value"
    BROKEN_ROW = "broken row"
    FUTURE_TIME = "time in the future"  # notice
    ASSUMED_TIME = "assumed time"  # notice
    IGNORED_VALUE = "ignored value"  # notice


NOTICES = frozenset({Trouble.FUTURE_TIME, Trouble.ASSUMED_TIME, Trouble.IGNORED_VALUE})
"""Troubles that a row survives."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One trouble at one place. `line` counts from 1: the header's line in a CSV file, the first row in Parquet."""

    file: str
    line: int
    trouble: Trouble
    message: str


class FileReport(msgspec.Struct, kw_only=True):
    """How one file was read. `rows` = `used` + Σ `set_aside` + `refused`; the header is no row."""

    file: str
    layout: str
    title: str
    rows: int = 0
    used: int = 0
    refused: int = 0
    set_aside: dict[str, int] = msgspec.field(default_factory=dict)  # why a sound row is no payment event → rows
    unknown_columns: tuple[str, ...] = ()
    missing_columns: tuple[str, ...] = ()  # optional ones
    notes: tuple[str, ...] = ()


class ReadReport(msgspec.Struct, kw_only=True):
    """How all files were read, together."""

    files: list[FileReport] = msgspec.field(default_factory=list)
    troubles: dict[Trouble, int] = msgspec.field(default_factory=dict)
    problems: list[Problem] = msgspec.field(default_factory=list)  # the first PROBLEMS_KEPT
    events: int = 0
    merged: int = 0  # facts told by more than one row or file, counted once
    kinds: dict[str, int] = msgspec.field(default_factory=dict)
    currencies: dict[str, int] = msgspec.field(default_factory=dict)  # settlement currency → charges
    first_at: datetime | None = None
    last_at: datetime | None = None
    unseen: tuple[str, ...] = ()  # what these files cannot show, in sentences

    @property
    def refused(self) -> int:
        """Rows that gave no event although they should have."""
        return sum(file.refused for file in self.files)

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)

    def note(self, file: FileReport, line: int, trouble: Trouble, message: str) -> None:
        """Count a trouble and keep the first ones with their place."""
        self.troubles[trouble] = self.troubles.get(trouble, 0) + 1
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append(Problem(file=file.file, line=line, trouble=trouble, message=message))

    def refuse(self, file: FileReport, line: int, trouble: Trouble, message: str) -> None:
        """Count a row that gives no event."""
        file.refused += 1
        self.note(file, line, trouble, message)


def set_aside(file: FileReport, reason: str) -> None:
    """Count a sound row that is no payment event."""
    file.set_aside[reason] = file.set_aside.get(reason, 0) + 1


def tally(values: Counter[str]) -> dict[str, int]:
    """Counts, the largest first, ties in alphabetical order."""
    return dict(sorted(values.items(), key=lambda item: (-item[1], item[0])))
