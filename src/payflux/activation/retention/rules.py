"""How long each kind of data is kept: by itself, by an account's own choice, and within which bounds. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

NOTICE = timedelta(days=7)
"""How long before its time a shorter period is announced."""
LONGEST_TYPED = 3650
"""Days. Who wants to keep something for longer keeps it without an end."""


class Kept(StrEnum):
    """What can go before the account does. All else stays: the audit log, whose chain shows tampering only while it is
    whole; readouts and projections, which are scored and compared; hashes and signatures of the ledger."""

    EVIDENCE = "evidence"  # what artifacts of the ledger say; their hashes stay
    PAYMENT_EVENTS = "payment_events"
    DELIVERIES = "deliveries"  # what became of each mail and post about an alert


class Bounds(NamedTuple):
    """The shortest and the longest period, and the one without a choice, in days; None is without an end."""

    shortest: int
    longest: int | None
    usual: int | None


@dataclass(frozen=True)
class Choice:
    """What an account has chosen of one kind: `days` now and, once it is `coming_at`, `coming_days`. None is the usual
    period."""

    days: int | None = None
    coming_days: int | None = None
    coming_at: datetime | None = None

    def at(self, now: datetime) -> int | None:
        """What is chosen at an instant."""
        return self.coming_days if self.coming_at is not None and now >= self.coming_at else self.days


def bounds_of(kind: Kept, plan_days: int | None) -> Bounds:
    """Between what an account may choose whose plan keeps history for `plan_days`, None without an end.

    Figures rest on the payment events of the last 400 days, so those are kept at least.
    """
    match kind:
        case Kept.EVIDENCE:
            return Bounds(30, plan_days, plan_days)
        case Kept.PAYMENT_EVENTS:
            return Bounds(400, None, None)
        case Kept.DELIVERIES:
            return Bounds(7, 90, 90)


def period(kind: Kept, choice: Choice, *, plan_days: int | None, may_choose: bool, now: datetime) -> int | None:
    """For how many days what is of `kind` is kept, None without an end. A choice counts while the plan allows to
    choose, and never past the bounds."""
    bounds, chosen = bounds_of(kind, plan_days), choice.at(now)
    if chosen is None or not may_choose:
        return bounds.usual
    return chosen if bounds.longest is None else min(chosen, bounds.longest)


def chosen(kind: Kept, before: Choice, wanted: int | None, *, plan_days: int | None, now: datetime) -> Choice:
    """What stands after an account has chosen `wanted`, which is within the bounds: a longer period holds at once, a
    shorter one after :data:`NOTICE`; either takes the place of one that was still to come."""
    now_kept = before.at(now)
    present = Choice(days=now_kept)
    is_kept = period(kind, present, plan_days=plan_days, may_choose=True, now=now)
    becomes = period(kind, Choice(days=wanted), plan_days=plan_days, may_choose=True, now=now)
    if not is_shorter(becomes, is_kept):
        return Choice(days=wanted)
    return Choice(days=now_kept, coming_days=wanted, coming_at=now + NOTICE)


def is_shorter(days: int | None, than: int | None) -> bool:
    """Whether one period ends before another; None is without an end."""
    return days is not None and (than is None or days < than)
