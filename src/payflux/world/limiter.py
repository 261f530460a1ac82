"""A limit on how often we ask another service, that gives way when the service says it is too often or too much."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

Sleep = Callable[[float], Awaitable[None]]

_SHORTEST_PAUSE = 0.0001  # seconds


class AdaptiveLimiter:
    """At most `rate` requests in any one second; half of it after a 429, then one more a second for each calm second.

    Requests are let through in the order they came, and a whole second's worth may leave at once. Where the service
    says that too many are under way at the same time, half as many are, and one more after as many calm answers.
    """

    def __init__(self, rate: float, *, monotonic: Callable[[], float] = time.monotonic, sleep: Sleep = asyncio.sleep):
        self.ceiling = self.rate = max(1.0, rate)
        self.at_once = float("inf")
        self._monotonic, self._sleep = monotonic, sleep
        self._sent: deque[float] = deque()
        self._under_way = 0
        self._halved_at = self._thinned_at = float("-inf")
        self._turn, self._room = asyncio.Lock(), asyncio.Event()

    async def acquire(self) -> None:
        """Wait for one's turn to send a request; :meth:`release` when it is answered."""
        async with self._turn:
            while self._under_way + 1 > self.at_once:
                self._room.clear()
                await self._room.wait()
            while True:
                now = self._monotonic()
                while self._sent and self._sent[0] <= now - 1:
                    self._sent.popleft()
                surplus = len(self._sent) - int(self.rate)
                if surplus < 0:
                    self._sent.append(now)
                    self._under_way += 1
                    return
                # a pause that rounds to nothing would never end
                await self._sleep(max(self._sent[surplus] + 1 - now, _SHORTEST_PAUSE))

    def release(self) -> None:
        """A request is no longer under way, whatever came of it."""
        self._under_way -= 1
        self._room.set()

    def throttled(self) -> None:
        """The service says: too often. The other answers to the same burst do not halve the rate again."""
        now = self._monotonic()
        if now - self._halved_at >= 1:
            self._halved_at = now
            self.rate = max(1.0, self.rate / 2)

    def crowded(self) -> None:
        """The service says: too many at the same time. The other answers to the same burst change nothing more."""
        now = self._monotonic()
        if now - self._thinned_at >= 1:
            self._thinned_at = now
            self.at_once = max(1.0, min(self.at_once, self._under_way) / 2)

    def succeeded(self) -> None:
        self.rate = min(self.ceiling, self.rate + 1 / self.rate)
        self.at_once += 1 / self.at_once
