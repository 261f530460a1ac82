"""When the holds that are open now are given back."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from payflux.monitor.processors.codes import Kind
from payflux.monitor.projections.projection import Release
from payflux.monitor.risk.rules.history import History
from payflux.monitor.risk.rules.holds import DEFAULT_HOLD_DAYS, Holds
from payflux.monitor.risk.rules.summary import DAY

OVERDUE = int(np.iinfo(np.int64).max)
"""The end of a hold without a date that is older than any assumed one."""


def release_calendar(history: History, holds: Holds) -> tuple[Release, ...]:
    """Every open hold of the main currency by the UTC day it ends on, earliest first, overdue ones last.

    The amounts add up to what is held now. Holds that the processor scheduled and those whose end is assumed (90 days
    after the booking) stand apart.
    """
    moved = history.summary.holds
    undated = moved["at"][(moved["kind"] == Kind.RESERVE_HOLD) & (moved["ends_at"] == 0)]
    assumed = np.isin(holds.ends_at, np.append(undated + DEFAULT_HOLD_DAYS * DAY, OVERDUE))
    entries: dict[tuple[int, bool], tuple[int, int]] = {}
    for end, guessed, amount in zip(holds.ends_at.tolist(), assumed.tolist(), holds.amounts.tolist(), strict=True):
        key = (OVERDUE if end == OVERDUE else end // DAY, guessed)
        whole, count = entries.get(key, (0, 0))
        entries[key] = (whole + amount, count + 1)
    return tuple(
        Release(
            on=None if day == OVERDUE else datetime.fromtimestamp(day * DAY, UTC).date(),
            amount=amount,
            count=count,
            assumed=guessed,
        )
        for (day, guessed), (amount, count) in sorted(entries.items())
    )


def releases_by_day(history: History, holds: Holds, days: int) -> tuple[tuple[int, int], ...]:
    """(day from now, minor units released) of the next `days` days; a hold counts until the day it ends is over."""
    day = (holds.ends_at - history.now + DAY - 1) // DAY
    return tuple((int(when), int(holds.amounts[day == when].sum())) for when in np.unique(day) if when <= days)
