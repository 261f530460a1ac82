"""What can be exported, for how long an export is kept, and which bytes of it a request asks for. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from payflux.kit.messages import gettext as _
from payflux.monitor.evidence.models import Content, Every, Format

KEPT_FOR = timedelta(days=7)
"""How long the file of an export can be fetched."""

CHUNK = 256 * 1024
"""Bytes of a file that are stored, and read, together."""

MOST_IN_PDF = 200
"""Artifacts of one PDF: more than that nobody reads on paper."""

MOST_AT_ONCE = 5
"""Exports of a workspace that may wait or be made at the same time."""

MOST_RANGE = 1_000_000
"""Artifacts of one export."""

REPORT_TIME = time(8)
"""When reports are sent, in UTC."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What somebody asks for. `last` None is the newest artifact; the dossier takes no numbers."""

    content: Content
    format: Format
    first: int = 1
    last: int | None = None


def problems_of(wanted: Wanted, *, count: int) -> dict[str, str]:
    """What is wrong with `wanted` of a ledger with `count` artifacts, by field."""
    if wanted.content is Content.DOSSIER:
        return {} if wanted.format is Format.PDF else {"format": _("The dossier is a PDF.")}
    last = count if wanted.last is None else wanted.last
    if count == 0:
        return {"first": _("The ledger is empty as yet. Its first artifacts come with your first projection.")}
    if not 1 <= wanted.first <= count:
        return {"first": _("Name an artifact from 1 to %(count)s.") % {"count": count}}
    if not wanted.first <= last <= count:
        return {"last": _("Name an artifact from %(first)s to %(count)s.") % {"first": wanted.first, "count": count}}
    number = last - wanted.first + 1
    if wanted.format is Format.PDF and number > MOST_IN_PDF:
        return {"format": _("A PDF holds %(most)s artifacts at most. Choose fewer, or JSONL.") % {"most": MOST_IN_PDF}}
    if number > MOST_RANGE:
        return {"last": _("Export %(most)s artifacts at most at a time.") % {"most": MOST_RANGE}}
    return {}


class ByteRange(NamedTuple):
    """The bytes `first` to `last` of a file, both included, counted from 0."""

    first: int
    last: int


class Unsatisfiable(Exception):
    """A range that begins behind the end of the file."""


_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def read_range(header: str, *, size: int, etag: str, if_range: str = "") -> ByteRange | None:
    """The bytes that `Range` asks for; None for the whole: without the header, where it is none that we know, where it
    asks for several parts, or where `If-Range` is of another file. Raises Unsatisfiable.

    Source: RFC 9110, sections 13.1.5 and 14.2, which let a server answer every range that it does not like as a whole.
    """
    found = _RANGE.fullmatch(header.strip())
    if found is None or (if_range and if_range != etag):
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if not first:
        if int(last) == 0 or size == 0:
            raise Unsatisfiable
        return ByteRange(max(size - int(last), 0), size - 1)
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise Unsatisfiable
    return ByteRange(int(first), min(int(last), size - 1) if last else size - 1)


def next_time(every: Every, after: datetime) -> datetime:
    """The first Monday, or first day of a month, at :data:`REPORT_TIME` that is later than `after`."""
    day = after.astimezone(UTC).date()
    while True:
        due = datetime.combine(day, REPORT_TIME, tzinfo=UTC)
        if due > after and (day.weekday() == 0 if every is Every.WEEK else day.day == 1):
            return due
        day += timedelta(days=1)
