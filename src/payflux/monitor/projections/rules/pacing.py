"""When a workspace is read again, so that what is allowed a day lasts all day. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from payflux.monitor.projections.projection import ReserveProjection

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


def is_scored_too(said: ReserveProjection, scored: ReserveProjection | None, *, same_tier: bool) -> bool:
    """Whether what is `said` now is scored at its horizons, beside what of the same UTC day is `scored` already: where
    there is nothing yet, or it says something else, another tier or a figure outside the interval of before.

    One day's readings end on the same day: small steps between them would be the same score over and over.
    """
    if scored is None or not same_tier or said.currency != scored.currency:
        return True
    before = {each.horizon_days: each for each in scored.windows}
    return any(
        each.horizon_days not in before
        or not before[each.horizon_days].low <= each.trapped <= before[each.horizon_days].high
        for each in said.windows
    )
