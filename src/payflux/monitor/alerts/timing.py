"""When a mail about an alert goes out: at once, after quiet hours, or with the others once a day. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

BREAKS_THROUGH = 5
"""A reading of this tier is mailed at once, whatever the hour."""


@dataclass(frozen=True)
class MailTimes:
    """Times of day in `time_zone`. Between `quiet_from` and `quiet_until`, over midnight where the first is later, no
    mail goes out; with `digest_at`, mails go out together at that time alone."""

    quiet_from: time | None = None
    quiet_until: time | None = None
    digest_at: time | None = None
    time_zone: str = "UTC"


def mail_at(times: MailTimes, now: datetime, *, risk_tier: int) -> datetime:
    """The instant, from `now` on, at which a mail about an alert of a reading of `risk_tier` goes out."""
    if risk_tier >= BREAKS_THROUGH:
        return now
    if times.digest_at is not None:
        return _next(times.digest_at, now, times.time_zone)
    if times.quiet_from is None or times.quiet_until is None:
        return now
    clock = now.astimezone(ZoneInfo(times.time_zone)).time()
    start, end = times.quiet_from, times.quiet_until
    quiet = start <= clock < end if start <= end else clock >= start or clock < end
    return _next(end, now, times.time_zone) if quiet else now


def _next(at: time, now: datetime, time_zone: str) -> datetime:
    """The next instant, from `now` on, at which clocks in `time_zone` show `at`. In the hour that a clock leaves out,
    it is the one as long after midnight."""
    zone = ZoneInfo(time_zone)
    today = now.astimezone(zone).date()
    for days in range(3):
        found = datetime.combine(today + timedelta(days=days), at, tzinfo=zone).astimezone(UTC)
        if found >= now:
            return found
    raise AssertionError("a time of day comes within two days")


@cache
def time_zones() -> tuple[str, ...]:
    """The zones that may be chosen, UTC first."""
    return ("UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/")))
