"""The real purchases behind every simulated merchant, and the calendar that moves them to today."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import NamedTuple

import numpy as np

DAY = 86_400
FIRST_DAY = date(1997, 1, 1)
LAST_DAY = date(1998, 6, 30)
REPLAY_DAYS = 364  # 52 weeks: a replayed day falls on the same weekday


class Purchases(NamedTuple):
    """The purchases of positive value in order of date; `rows_of[day]` are those made `day` days after FIRST_DAY."""

    customer: np.ndarray  # int64
    amount: np.ndarray  # int64, US cents
    day: np.ndarray  # int64, days after FIRST_DAY
    rows_of: list[np.ndarray]
    skipped: int  # purchases of zero value


@cache
def load_purchases() -> Purchases:
    """Read the data file that ships with the package."""
    text = gzip.decompress(resources.files("payflux.sandbox").joinpath("data/CDNOW_master.txt.gz").read_bytes())
    fields = text.decode("ascii").split()[4:]
    amount = np.rint(np.array(fields[3::4], dtype=float) * 100).astype(np.int64)
    days = np.array([f"{d[:4]}-{d[4:6]}-{d[6:]}" for d in fields[1::4]], dtype="datetime64[D]")
    day = (days - np.datetime64(FIRST_DAY, "D")).astype(np.int64)
    order = np.lexsort((np.arange(len(day)), day))
    order = order[amount[order] > 0]
    customer, amount, day = np.array(fields[0::4], dtype=np.int64)[order], amount[order], day[order]
    edges = np.searchsorted(day, np.arange((LAST_DAY - FIRST_DAY).days + 2))
    rows_of = [np.arange(low, high) for low, high in pairwise(edges)]
    return Purchases(customer, amount, day, rows_of, len(days) - len(day))


class Calendar:
    """Which day of the data is replayed on a day of the simulation.

    The data is shifted by whole weeks, so that weekdays stay, and ends on the anchor or up to six days after it. Later
    days replay the day 52 weeks before (104 and so on), for as long as the simulation runs.
    """

    def __init__(self, anchor: date) -> None:
        self.anchor = anchor
        shift = (anchor - LAST_DAY).days
        self.first = FIRST_DAY + timedelta(days=shift + (-shift) % 7)

    def source_day(self, day: date) -> int:
        """Days after FIRST_DAY of the data that stands for `day`, which is not before `first`."""
        offset, last = (day - self.first).days, (LAST_DAY - FIRST_DAY).days
        return offset if offset <= last else offset - -(-(offset - last) // REPLAY_DAYS) * REPLAY_DAYS


def midnight(day: date) -> int:
    """Unix seconds of the start of `day`, UTC."""
    return int(datetime.combine(day, time(), UTC).timestamp())
