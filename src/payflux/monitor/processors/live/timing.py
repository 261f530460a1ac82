"""How often a connection is asked for news: as often as its share of Stripe's read allowance lets us. Pure.

Stripe allows so many reads for each transaction of an account (docs.stripe.com/rate-limits, "API read request
allocations"). Of our part of them half goes to polling and a quarter to catching up; the rest is left to the objects
that events name.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from payflux.monitor.processors.backfill.rules import ALLOWANCE_PERIOD, reads_allowed
from payflux.monitor.processors.connecting.event_types import EVENT_TYPES
from payflux.monitor.processors.resources import PAGE_SIZE, RESOURCES

_MOST_TYPES = 20  # that Stripe takes in one request
TYPES_ASKED_FOR = tuple(EVENT_TYPES[start : start + _MOST_TYPES] for start in range(0, len(EVENT_TYPES), _MOST_TYPES))
"""The event types that polling asks for, one request each."""

CATCH_UP_READS = 2 + sum(len(resource.types) for resource in RESOURCES.values())
"""Requests of catching up with a calm account: its lists, its state and its balance."""

SHORTEST_POLL, LONGEST_POLL = timedelta(minutes=5), timedelta(hours=1)
SHORTEST_CATCH_UP, LONGEST_CATCH_UP = timedelta(hours=1), timedelta(hours=12)

_RECENT = timedelta(days=3)
_MOST_RECENT = 200 * PAGE_SIZE


def poll_every(transactions: int) -> timedelta:
    """How often the events of an account are asked for that had so many payments in the last 30 days."""
    return _every(SHORTEST_POLL, LONGEST_POLL, len(TYPES_ASKED_FOR), reads_allowed(transactions) / 2)


def catch_up_every(transactions: int) -> timedelta:
    """How often the recent objects of such an account are read again."""
    return _every(SHORTEST_CATCH_UP, LONGEST_CATCH_UP, CATCH_UP_READS, reads_allowed(transactions) / 4)


def recent(transactions: int) -> timedelta:
    """How far back the payments of such an account are read again: three days, or as many as fit in 200 pages."""
    return min(_RECENT, ALLOWANCE_PERIOD * (_MOST_RECENT / max(transactions, 1)))


def is_due(last: datetime | None, every: timedelta, now: datetime) -> bool:
    return last is None or now - last >= every


def _every(shortest: timedelta, longest: timedelta, reads: int, allowed: float) -> timedelta:
    return min(longest, max(shortest, ALLOWANCE_PERIOD * (reads / allowed)))
