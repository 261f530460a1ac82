"""What was ordered about an account while it runs: it may not take payments, or is paid out less often.

An order counts from a midnight on, UTC: what the books have told of a day stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

from payflux.sandbox.merchants.purchases import midnight

CHARGES, PAYOUTS, SCHEDULE, DELAY = "charges", "payouts", "schedule", "delay"


class Schedule(NamedTuple):
    """The days of automatic payouts: of the week (0 is Monday), or of the month where `of_month` is not empty."""

    of_week: frozenset[int] = frozenset(range(5))
    of_month: frozenset[int] = frozenset()

    def pays_on(self, day: date) -> bool:
        if not self.of_month:
            return day.weekday() in self.of_week
        last = (day + timedelta(days=1)).day == 1
        return day.day in self.of_month or (last and max(self.of_month) > day.day)


class Order(NamedTuple):
    at: int  # the midnight from which it counts, unix seconds
    what: str  # one of the four above
    value: Any  # whether allowed; a Schedule; a number of days


@dataclass(frozen=True)
class Orders:
    """`amended` are the keys of charges that calls have changed, `approved` those of reviews that they have closed."""

    given: Sequence[Order] = ()
    approved: frozenset[int] = frozenset()
    amended: frozenset[int] = field(default=frozenset(), compare=False)

    def on(self, day: date, what: str, default: Any) -> Any:
        """What counts on a day."""
        found = [order for order in self.given if order.what == what and order.at <= midnight(day)]
        return max(found, key=lambda order: order.at).value if found else default

    def sells_on(self, day: date) -> bool:
        return self.on(day, CHARGES, default=True)

    def pays_on(self, day: date) -> bool:
        return self.on(day, PAYOUTS, default=True) and self.on(day, SCHEDULE, Schedule()).pays_on(day)
