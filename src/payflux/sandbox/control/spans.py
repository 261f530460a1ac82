"""Spans and moments of time as people write them. Pure."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta

LONGEST = 10 * 366 * 86_400
"""Seconds that the clock may be advanced by at once."""

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_SPAN = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*(s|m|h|d|w|mo)?")


def read_span(text: str, now: datetime) -> float:
    """The seconds of a span such as `90`, `3d`, `1.5h` or, by the calendar from `now`, `1mo`. Raises ValueError."""
    whole = _SPAN.fullmatch(text.strip())
    if whole is None:
        raise ValueError(f"{text!r} is no span of time: write seconds, or 30m, 1h, 3d, 2w, 1mo.")
    number, unit = float(whole[1]), whole[2] or "s"
    seconds = (_months_later(now, int(number)) - now).total_seconds() if unit == "mo" else number * _UNITS[unit]
    return _checked(seconds)


def read_moment(text: str, now: datetime) -> float:
    """The seconds from `now` to a moment, unix seconds or ISO 8601, UTC where it says nothing. Raises ValueError."""
    try:
        moment = datetime.fromtimestamp(float(text), UTC) if re.fullmatch(r"[\d.]+", text) else _iso(text)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{text!r} is no moment: write unix seconds, or 2026-12-24T18:00:00Z.") from None
    return _checked((moment - now).total_seconds())


def _iso(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _checked(seconds: float) -> float:
    if seconds < 0:
        raise ValueError("The clock only goes forward.")
    if seconds > LONGEST:
        raise ValueError("The clock goes forward ten years at most at once.")
    return seconds


def _months_later(now: datetime, months: int) -> datetime:
    year, month = divmod(now.year * 12 + now.month - 1 + min(months, 10_000), 12)
    if year >= 9_999:
        return now + timedelta(seconds=LONGEST + 1)
    return now.replace(year=year, month=month + 1, day=min(now.day, calendar.monthrange(year, month + 1)[1]))
