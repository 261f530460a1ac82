"""When a workspace is read again, so that what is allowed a day lasts all day. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

DAY = timedelta(days=1)

ROUTINE_AT_ONCE, URGENT_AT_ONCE = 0.25, 0.75
"""The share of a day's readings that is there from its start; the rest comes evenly (assumed)."""

UNLIMITED_PACE = 720
"""Readings a day by which they are spaced where nothing limits them: one in two minutes (assumed)."""


def may_read_at(now: datetime, *, used: int, per_day: int | None, urgent: bool) -> datetime | None:
    """When the next reading may be made, `now` or later, after `used` ones since midnight UTC; None where `per_day` is
    0.

    A busy morning leaves something for a dispute in the evening, and what waits at the end of a day gets through at
    the next one's start.
    """
    if per_day == 0:
        return None
    pace = UNLIMITED_PACE if per_day is None else per_day
    at_once = max(1.0, pace * (URGENT_AT_ONCE if urgent else ROUTINE_AT_ONCE))
    if used < at_once:
        return now
    tomorrow = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + DAY
    if used >= pace:
        return tomorrow
    return max(now, tomorrow - DAY * ((pace - used - 1) / (pace - at_once)))
