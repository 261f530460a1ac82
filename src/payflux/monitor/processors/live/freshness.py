"""What "showing data through …" says of a connection, and when that is too long ago. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from payflux.monitor.processors.connecting.signing import Reach
from payflux.monitor.processors.live.timing import LONGEST_CATCH_UP, catch_up_every, poll_every
from payflux.monitor.processors.models import Connection, ConnectionStatus

LONGEST_QUIET = timedelta(days=2)
"""A processor that posts to us is expected to have news within this time."""

_SLACK = timedelta(minutes=15)
_MISSED = 2  # times that may be missed in a row before somebody is told


class Staleness(StrEnum):
    """Why data is not as fresh as it should be."""

    NONE = ""
    ENDED_HERE = "ended_here"  # by the merchant, in PayFlux
    ENDED_THERE = "ended_there"  # access was taken away at the processor
    WAITING = "waiting"  # events came in that cannot be applied yet
    SILENT = "silent"  # nothing could be read for too long
    QUIET = "quiet"  # a processor that posts to us has posted nothing for too long


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """How far a connection is read. `oldest_waiting` and `newest_applied` are instants at which events of the inbox
    were created; `payments` are those of the last 30 days."""

    status: str
    disconnected_by: str
    reach: Reach
    payments: int
    synced_through: datetime | None = None
    polled_through: datetime | None = None
    oldest_waiting: datetime | None = None
    newest_applied: datetime | None = None


class Freshness(msgspec.Struct, frozen=True):
    """Everything up to `through` is in the figures; None before the first pull is done."""

    through: datetime | None
    why: Staleness = Staleness.NONE

    @property
    def stale(self) -> bool:
        return self.why is not Staleness.NONE


def freshness(marks: Marks, now: datetime) -> Freshness:
    """How fresh the stored data of a connection is."""
    through = data_through(marks)
    if marks.status == ConnectionStatus.DISCONNECTED:
        there = marks.disconnected_by == "processor"
        return Freshness(through, Staleness.ENDED_THERE if there else Staleness.ENDED_HERE)
    if through is None or now - through <= _tolerated(marks):
        return Freshness(through)
    return Freshness(through, Staleness.WAITING if marks.oldest_waiting else Staleness.SILENT)


def freshness_of_posted(connection: Connection, now: datetime) -> Freshness:
    """The same of a connection that is posted to: nobody can be asked whether its newest event is the last."""
    through = connection.synced_through
    if connection.status == ConnectionStatus.DISCONNECTED:
        return Freshness(through, Staleness.ENDED_HERE)
    quiet = through is not None and now - through > LONGEST_QUIET
    return Freshness(through, Staleness.QUIET if quiet else Staleness.NONE)


def data_through(marks: Marks) -> datetime | None:
    """The later of the last sync and of what events have told without a gap: when they were last asked for, or, where
    they are delivered, the newest one applied; in both cases none that still waits."""
    if marks.synced_through is None:
        return None
    told = marks.polled_through if marks.reach is Reach.POLLING else marks.newest_applied
    if told is not None and marks.oldest_waiting is not None:
        told = min(told, marks.oldest_waiting)
    return max(marks.synced_through, told or marks.synced_through)


def _tolerated(marks: Marks) -> timedelta:
    """Events that are delivered may be none for hours, so only a catch-up that failed to come is noticed."""
    every = poll_every if marks.reach is Reach.POLLING else catch_up_every
    return min(every(marks.payments) * (1 + _MISSED), LONGEST_CATCH_UP * 2) + _SLACK
