"""How often something is let in, by whom it comes from."""

from __future__ import annotations

import math
from collections.abc import Hashable
from datetime import datetime

_MOST_KEYS = 10_000


class RateLimit:
    """A token bucket for each key: `rate` turns a second, and up to `burst` that were not used at once.

    Kept in this process alone: several let in as much each.
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, burst
        self._buckets: dict[Hashable, tuple[float, datetime]] = {}

    def wait(self, key: Hashable, now: datetime) -> float:
        """Take a turn of `key`: 0, or the seconds until there is one, and none is taken."""
        turns = self._turns(key, now)
        if turns < 1:
            return (1 - turns) / self._rate
        if len(self._buckets) >= _MOST_KEYS:
            self._buckets = {
                each: self._buckets[each] for each in self._buckets if self._turns(each, now) < self._burst
            }
        self._buckets[key] = turns - 1, now
        return 0.0

    def left(self, key: Hashable, now: datetime) -> int:
        """Whole turns that `key` has at `now`."""
        return int(self._turns(key, now))

    @property
    def burst(self) -> int:
        return self._burst

    @property
    def window(self) -> int:
        """Seconds in which all turns come back."""
        return math.ceil(self._burst / self._rate)

    def _turns(self, key: Hashable, now: datetime) -> float:
        left, at = self._buckets.get(key, (float(self._burst), now))
        return min(float(self._burst), left + max(0.0, (now - at).total_seconds()) * self._rate)
