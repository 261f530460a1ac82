"""When the requests of a listing leave, and that nothing is missed, in a time that passes only while all wait."""

from __future__ import annotations

import asyncio
import bisect
import math
import random
import selectors
import statistics
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.kit.clock import StoppedClock
from payflux.monitor.processors.listing import Listing, ReadPage
from payflux.monitor.processors.models import PullPurpose
from payflux.monitor.processors.planning import plan_windows
from payflux.monitor.processors.resources import PAGE_SIZE, RESOURCES
from payflux.world.limiter import AdaptiveLimiter
from payflux.world.stripe import StripeAuth, StripeReader

CLOCK = StoppedClock(datetime(2026, 11, 22, tzinfo=UTC))
DAY = 86_400
WEEK = 7 * DAY
END = 17 * WEEK
LATENCY = 0.25  # seconds a page


class _Waiting(selectors.DefaultSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise AssertionError("everybody waits for somebody")
        self.now += max(timeout, 0.0)
        return []


class FastLoop(asyncio.SelectorEventLoop):
    """An event loop whose time leaps to whatever is due next."""

    def __init__(self) -> None:
        self._waiting = _Waiting()
        super().__init__(self._waiting)

    def time(self) -> float:
        return self._waiting.now


class Account:
    """Stripe for an account with charges `created` then and nothing else, one page every LATENCY. `asked` is when each
    request left."""

    def __init__(self, created: list[int]) -> None:
        self.created, self.asked = sorted(created), list[float]()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(asyncio.get_running_loop().time())
        await asyncio.sleep(LATENCY)
        page = range(0)
        start = 0
        if request.url.path == "/v1/charges":
            given = request.url.params
            start = bisect.bisect_left(self.created, int(given["created[gte]"]))
            after = given.get("starting_after")
            end = int(after) if after else bisect.bisect_right(self.created, int(given["created[lte]"]))
            page = range(max(start, end - PAGE_SIZE), end)
        charge = {"amount": 1, "currency": "usd", "status": "succeeded", "captured": True}
        charges = [charge | {"id": str(n), "created": self.created[n]} for n in reversed(page)]
        return httpx.Response(200, json={"data": charges, "has_more": page.start > start})

    def needed(self) -> int:
        """The fewest requests that everything can be read with."""
        others = sum(len(resource.types) for resource in RESOURCES.values()) - 1
        return others + math.ceil(len(self.created) / PAGE_SIZE)


class Stored:
    """What a pull has stored: its windows as they stand, and the charges. A page waits for one of `pauses` before it
    is; it `dies` after so many pages."""

    def __init__(self, dies: float = math.inf, pauses: tuple[float, ...] = (0.0,)) -> None:
        self.pauses, self._busy = pauses, random.Random(1)
        self.windows = {(one.resource, one.number): one for one in plan_windows(PullPurpose.FIRST, 0, END)}
        self.free = Counter(name for name, _ in self.windows)
        self.charges: list[str] = []
        self.dies = dies

    async def keep(self, read: ReadPage) -> None:
        await asyncio.sleep(self._busy.choice(self.pauses))
        self.dies -= 1
        if self.dies < 0:
            raise ConnectionError
        key = (read.before.resource, read.before.number)
        assert self.windows.pop(key).cursor == read.before.cursor
        assert read.page is not None
        self.charges += [event.source_id for event in read.page.events]
        left = [read.after, *read.cut_off] if read.after else []
        for one in read.cut_off:
            self.free[one.resource] = max(self.free[one.resource], one.number + 1)
        self.windows |= {(one.resource, one.number): one for one in left}

    async def read(self, account: Account, rate: float, at_once: int | None = None) -> None:
        limiter = AdaptiveLimiter(rate, monotonic=asyncio.get_running_loop().time)
        async with httpx.AsyncClient(transport=httpx.MockTransport(account)) as http:
            reader = StripeReader(StripeAuth("rk_test_1"), http=http, base="https://api.example", limiter=limiter)
            windows, free = self.windows.values(), Counter(self.free)
            await Listing(reader, CLOCK, windows, free, at_once=at_once).read(self.keep)


def passing(work: Coroutine[Any, Any, Any]) -> float:
    """Run it in a time of its own; how many seconds went by."""
    loop = FastLoop()
    try:
        loop.run_until_complete(work)
        return loop.time()
    finally:
        loop.close()


def sales(count: int, seed: int) -> list[int]:
    """So many charges over the whole stretch, more of them by day than by night and in some weeks than in others."""
    chance = random.Random(seed)
    weeks = [chance.lognormvariate(0, 0.2) for _ in range(END // WEEK)]
    drawn = chance.choices(range(len(weeks)), weeks, k=count)
    return [n * WEEK + chance.randrange(7) * DAY + int(chance.triangular(0, DAY, 0.6 * DAY)) for n in drawn]


@pytest.mark.parametrize("rate", [10, 25])
def test_a_large_history_is_read_about_as_fast_as_the_rate_limit_allows(rate: int) -> None:
    over = []
    for seed in range(5):
        account = Account(sales(8_000 + 700 * seed, seed))
        took = passing(Stored().read(account, rate))
        over.append(took / ((account.needed() - 1) / rate + LATENCY))
        seconds = zip(account.asked, account.asked[rate:], strict=False)
        assert all(after - before >= 1 - 1e-6 for before, after in seconds)
    assert statistics.mean(over) <= 1.1, over
    assert max(over) <= 1.15, over


@given(
    created=st.lists(st.integers(0, END) | st.integers(END - 3_600, END), max_size=200),
    times=st.integers(1, 9),
    rate=st.sampled_from([2.5, 10, 25]),
    at_once=st.none() | st.integers(1, 3),
    dies=st.integers(0, 40),
)
def test_every_charge_is_read_once_whenever_the_reading_dies(
    created: list[int], times: int, rate: float, at_once: int | None, dies: int
) -> None:
    account, stored = Account(created * times), Stored(dies, pauses=(0.0, 0.0, 5.0))
    with suppress(ExceptionGroup):
        passing(stored.read(account, rate, at_once))
    stored.dies = math.inf
    passing(stored.read(account, rate, at_once))
    assert not stored.windows
    assert sorted(stored.charges, key=int) == [str(n) for n in range(len(account.created))]
