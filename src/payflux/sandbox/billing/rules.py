"""The arithmetic and the statuses of billing; no I/O, no clock. Times are unix seconds, amounts integer minor units.

docs.stripe.com/billing/subscriptions: billing-cycle (anchors and short months), prorations (to the second), overview
(statuses); docs.stripe.com/billing/revenue-recovery (retries).
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

DAY = 86_400
HOUR = 3_600
DRAFT_TIME = HOUR  # how long a renewal's invoice stays a draft
INCOMPLETE_TIME = 23 * HOUR  # how long the first payment, or that of a resumption, may take
TRIAL_NOTICE = 3 * DAY
RETRY_DAYS = (1, 3, 5, 7)  # days from the first failed attempt to each retry
LONGEST_TRIAL = 730  # days
MOST_ITEMS = 20

_FIXED = {"day": DAY, "week": 7 * DAY}
_MONTHS = {"month": 1, "year": 12}

TRANSITIONS: dict[str, frozenset[str]] = {
    "incomplete": frozenset({"active", "trialing", "incomplete_expired", "canceled"}),
    "incomplete_expired": frozenset(),
    "trialing": frozenset({"active", "past_due", "paused", "canceled"}),
    "active": frozenset({"past_due", "trialing", "paused", "canceled", "incomplete"}),
    "past_due": frozenset({"active", "trialing", "unpaid", "paused", "canceled"}),
    "unpaid": frozenset({"active", "trialing", "canceled"}),
    "paused": frozenset({"active", "trialing", "past_due", "canceled"}),
    "canceled": frozenset(),
}
"""The statuses of a subscription, and those that each can turn into."""
ENDED = frozenset(status for status, following in TRANSITIONS.items() if not following)


def turned(status: str, into: str) -> str:
    """`into`; raises ValueError where a subscription of `status` cannot become that."""
    if into != status and into not in TRANSITIONS[status]:
        raise ValueError(f"A subscription that is {status} cannot become {into}.")
    return into


class Recurrence(NamedTuple):
    """How often something is billed: every `count` intervals of a `day`, `week`, `month` or `year`."""

    interval: str
    count: int


def boundary(anchor: int, every: Recurrence, number: int) -> int:
    """Where the cycle anchored at `anchor` turns for the `number`-th time; negative before the anchor.

    Months keep the anchor's day and time of day; a month without that day turns on its last.
    """
    if every.interval in _FIXED:
        return anchor + number * every.count * _FIXED[every.interval]
    moment = datetime.fromtimestamp(anchor, UTC)
    months = moment.year * 12 + moment.month - 1 + number * every.count * _MONTHS[every.interval]
    year, month = divmod(months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return int(moment.replace(year=year, month=month + 1, day=day).timestamp())


def full_period(anchor: int, every: Recurrence, within: int) -> tuple[int, int]:
    """The whole period of the cycle that `within` lies in: its start, included, and its end, excluded."""
    if every.interval in _FIXED:
        number = (within - anchor) // (every.count * _FIXED[every.interval])
    else:
        number = (_month_number(within) - _month_number(anchor)) // (every.count * _MONTHS[every.interval])
        if boundary(anchor, every, number) > within:
            number -= 1
    return boundary(anchor, every, number), boundary(anchor, every, number + 1)


def next_boundary(anchor: int, every: Recurrence, after: int) -> int:
    """The first turn of the cycle after `after`."""
    return full_period(anchor, every, after)[1]


def _month_number(moment: int) -> int:
    at = datetime.fromtimestamp(moment, UTC)
    return at.year * 12 + at.month


def prorated(amount: int, period: tuple[int, int], start: int, end: int) -> int:
    """What `amount`, the price of the whole `period`, comes to for the seconds from `start` to `end`; half a unit
    rounds away from zero."""
    whole, part = period[1] - period[0], max(end - start, 0)
    sign = -1 if amount < 0 else 1
    return sign * ((2 * abs(amount) * part + whole) // (2 * whole))


class Reduction(NamedTuple):
    """What a coupon takes off: a percentage, or an amount of the whole."""

    percent: float | None
    amount: int | None


def reductions(amounts: Sequence[int], off: Reduction) -> list[int]:
    """How much a coupon takes off each of the `amounts`, never more than there is; credits are left alone.

    An amount is spread in proportion, and what rounding leaves goes to the largest remainders: the parts add up.
    """
    positive = [max(amount, 0) for amount in amounts]
    total = sum(positive)
    if off.percent is not None:
        rate = round(off.percent * 10_000)  # of a million
        return [(2 * amount * rate + 1_000_000) // 2_000_000 for amount in positive]
    spread = min(off.amount or 0, total)
    if not spread:
        return [0] * len(amounts)
    parts = [amount * spread // total for amount in positive]
    by_remainder = sorted(range(len(parts)), key=lambda n: (-(positive[n] * spread % total), n))
    for n in by_remainder[: spread - sum(parts)]:
        parts[n] += 1
    return parts


def retry_delay(attempts: int) -> int | None:
    """Seconds until a payment that has failed `attempts` times is tried again; None after the last retry."""
    if attempts > len(RETRY_DAYS):
        return None
    return (RETRY_DAYS[attempts - 1] - (RETRY_DAYS[attempts - 2] if attempts > 1 else 0)) * DAY
