"""A limit on how often we ask another service, that gives way when the service says it is too often or too much."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable

Sleep = Callable[[float], Awaitable[None]]

_SHORTEST_PAUSE = 0.0001  # seconds


class AdaptiveLimiter:
    """At most `rate` requests in any second; half of it after a 429, then one more a second for each calm second.

    A second's worth may leave at once, and as many again when the first of them are a second old. (A token bucket would
    let twice the rate leave within the second after a pause.) Of a rate that is no whole number, the next whole number
    of requests leaves in accordingly more than a second. Where the service says that too many are under way at the
    same time, half as many are, and one more after as many calm answers.
    """

    def __init__(self, rate: float, *, monotonic: Callable[[], float] = time.monotonic, sleep: Sleep = asyncio.sleep):
        self.ceiling = self.rate = max(1.0, rate)
        self.at_once = float("inf")
        self._monotonic, self._sleep = monotonic, sleep
        self._left: deque[float] = deque(maxlen=math.ceil(self.rate))
        self._under_way = 0
        self._halved_at = self._thinned_at = float("-inf")
        self._turn, self._room = _Turn(), asyncio.Event()

    async def acquire(self, behind: float = math.inf) -> None:
        """Wait for one's turn to send a request; :meth:`release` when it is answered.

        `behind` is about how many requests can only follow this one. The longest chain goes first, so that all end
        together and the rate is used to the end; among equals, who came first.
        """
        await self._turn.take(behind)
        try:
            while self._under_way + 1 > self.at_once:
                self._room.clear()
                await self._room.wait()
            while (pause := self._pause()) > 0:
                # a pause that rounds to nothing would never end
                await self._sleep(max(pause, _SHORTEST_PAUSE))
            self._left.append(self._monotonic())
            self._under_way += 1
        finally:
            self._turn.pass_on()

    def release(self) -> None:
        """A request is no longer under way, whatever came of it."""
        self._under_way -= 1
        self._room.set()

    def throttled(self) -> None:
        """The service says: too often. The other answers to the same burst do not halve the rate again."""
        now = self._monotonic()
        if now - self._halved_at >= 1:
            self._halved_at, self.rate = now, max(1.0, self.rate / 2)
            self._left.extend([now] * math.ceil(self.rate))  # nothing more leaves for a second

    def crowded(self) -> None:
        """The service says: too many at the same time. The other answers to the same burst change nothing more."""
        now = self._monotonic()
        if now - self._thinned_at >= 1:
            self._thinned_at = now
            self.at_once = max(1.0, min(self.at_once, self._under_way) / 2)

    def succeeded(self) -> None:
        self.rate = min(self.ceiling, self.rate + 1 / self.rate)
        self.at_once += 1 / self.at_once

    def _pause(self) -> float:
        """Seconds until the next request may leave."""
        together = math.ceil(self.rate)
        if len(self._left) < together:
            return 0.0
        return self._left[-together] + together / self.rate - self._monotonic()


class _Turn:
    """A lock that the waiter with the highest rank gets first; among equals, who came first."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._arrivals = itertools.count()

    async def take(self, rank: float) -> None:
        if not self._taken:
            self._taken = True
            return
        called = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (-rank, next(self._arrivals), called))
        try:
            await called
        except asyncio.CancelledError:
            if not called.cancelled():  # called already
                self.pass_on()
            raise

    def pass_on(self) -> None:
        while self._waiting:
            called = heapq.heappop(self._waiting)[-1]
            if not called.done():
                called.set_result(None)
                return
        self._taken = False
