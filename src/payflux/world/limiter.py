"""A limit on how often we ask another service, that gives way when the service says it is too often."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

Sleep = Callable[[float], Awaitable[None]]

_SHORTEST_PAUSE = 0.0001  # seconds


class AdaptiveLimiter:
    """At most `rate` requests in any one second; half of it after a 429, then one more a second for each calm second.

    Requests are let through in the order they came, and a whole second's worth may leave at once.
    """

    def __init__(self, rate: float, *, monotonic: Callable[[], float] = time.monotonic, sleep: Sleep = asyncio.sleep):
        self._ceiling = self.rate = max(1.0, rate)
        self._monotonic, self._sleep = monotonic, sleep
        self._sent: deque[float] = deque()
        self._halved_at = float("-inf")
        self._turn = asyncio.Lock()

    async def acquire(self) -> None:
        """Wait for one's turn to send a request."""
        async with self._turn:
            while True:
                now = self._monotonic()
                while self._sent and self._sent[0] <= now - 1:
                    self._sent.popleft()
                surplus = len(self._sent) - int(self.rate)
                if surplus < 0:
                    self._sent.append(now)
                    return
                # a pause that rounds to nothing would never end
                await self._sleep(max(self._sent[surplus] + 1 - now, _SHORTEST_PAUSE))

    def throttled(self) -> None:
        """A 429 came back. The other answers to the same burst do not halve the rate again."""
        now = self._monotonic()
        if now - self._halved_at >= 1:
            self._halved_at = now
            self.rate = max(1.0, self.rate / 2)

    def succeeded(self) -> None:
        self.rate = min(self._ceiling, self.rate + 1 / self.rate)
