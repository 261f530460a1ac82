"""The pages of a pull's lists as they come in: chains of requests side by side, the longest first, and what is left of
a long one cut again."""

from __future__ import annotations

import asyncio
import math
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from payflux.kit.clock import Clock
from payflux.monitor.processors.resources import PAGE_SIZE, RESOURCES, PageOfEvents
from payflux.monitor.processors.windows import Sample, Window, cut, expected_pages, pages_left, parts_of
from payflux.world.stripe import PermissionMissing, StripeReader

LONGEST_LISTING = timedelta(hours=6)
"""An account whose charges would take longer to list is read from reports."""

_MOST_CHAINS = 32  # at a quarter of a second a page they use 128 requests a second
_SAMPLED_PAGES = 5  # of each window of charges: one burst of sales is no account too large


class TooManyToList(Exception):
    """The account has so many charges that listing them would take longer than LONGEST_LISTING."""


class ReadPage(NamedTuple):
    """A page as it came in. `before` is its window as it stood, `after` what is left of it, None when it is done;
    `cut_off` are new windows. `page` is None where the key may not read the resource."""

    before: Window
    page: PageOfEvents | None
    read_at: datetime
    after: Window | None = None
    cut_off: tuple[Window, ...] = ()


Keep = Callable[[ReadPage], Awaitable[None]]


class Listing:
    """One reading of a pull's `windows` that are not done; `free` is the first number of each resource that none of its
    windows has, done or not. `at_once` says how many windows are read at the same time, None for all; no page is asked
    for after `until`. With `may_be_too_many`, the first charges tell whether the rest is listed at all."""

    def __init__(
        self,
        reader: StripeReader,
        clock: Clock,
        windows: Iterable[Window],
        free: Counter[str],
        *,
        at_once: int | None = None,
        until: datetime | None = None,
        may_be_too_many: bool = False,
    ) -> None:
        self._reader, self._clock, self._until = reader, clock, until
        self._windows, self._free = list(windows), free
        self._chains = asyncio.TaskGroup()
        self._turns = asyncio.Semaphore(at_once or sys.maxsize)
        # as many as requests may leave together, so that whatever the limit lets go, somebody goes
        self._wanted = at_once or min(math.ceil(reader.rate), _MOST_CHAINS)
        self._left: dict[tuple[str, int], float | None] = {}  # pages of each chain; None where none has come in
        fresh = [window for window in self._windows if window.resource == "charges" and not window.cursor]
        whole = may_be_too_many and len(fresh) == free["charges"]
        self._unsampled = {window.number: window for window in fresh} if whole else {}
        self._samples: list[Sample] = []

    async def read(self, keep: Keep) -> None:
        """Read the windows to their ends, or until the time is over, and `keep` each page, those of one window in
        their order, and a window before what is cut off it.

        Raises a group of StripeFailure, TooManyToList or what `keep` raises.
        """
        async with self._chains:
            for window in self._windows:
                self._start(window, keep, None)

    def _start(self, window: Window, keep: Keep, pages: float | None) -> None:
        self._left[window.resource, window.number] = pages
        self._chains.create_task(self._read(window, keep))

    async def _read(self, window: Window, keep: Keep) -> None:
        async with self._turns:
            await self._read_pages(window, keep)
        del self._left[window.resource, window.number]

    async def _read_pages(self, window: Window, keep: Keep) -> None:
        resource, top, left, pages = RESOURCES[window.resource], window.end, window, 0
        while self._until is None or self._clock.now() < self._until:
            read_at = self._clock.now()
            try:
                body = await self._reader.get(resource.path, _query(left), behind=self._behind(window))
            except PermissionMissing:
                if resource.essential:
                    raise
                await keep(ReadPage(left, None, read_at))
                return
            page = resource.read(body)
            pages += 1
            if window.resource == "charges" and (pages == _SAMPLED_PAGES or not page.has_more):
                self._sample(window.number, pages, down_to=page.oldest if page.has_more else left.start)
            if not page.has_more:
                await keep(ReadPage(left, page, read_at))
                return
            stretches = self._divide(left, top=top, oldest=page.oldest)
            after = msgspec.structs.replace(left, start=stretches[0][0], cursor=page.last_id)
            cut_off = tuple(self._cut_off(left, start, end) for start, end in stretches[1:])
            await keep(ReadPage(left, page, read_at, after, cut_off))
            for other in cut_off:
                self._start(other, keep, self._left[window.resource, window.number])
            top, left = page.oldest, after

    def _behind(self, window: Window) -> float:
        """How many pages may follow the window's next one, as far as is known."""
        left = self._left[window.resource, window.number]
        # a sample of every window is needed before the rest of any
        unsampled = window.resource == "charges" and window.number in self._unsampled
        return math.inf if left is None or unsampled else left

    def _divide(self, window: Window, *, top: int, oldest: int) -> list[tuple[int, int]]:
        """The stretches, the newest first, in which to go on after a page that reached from `top` to `oldest`."""
        pages = pages_left(window, top=top, oldest=oldest)
        self._left[window.resource, window.number] = pages
        # where nothing has come in yet, it is taken to be like this window
        total = sum(
            (pages if name == window.resource else 0.0) if left is None else left
            for (name, _), left in self._left.items()
        )
        stretches = cut(window.start, oldest, parts_of(pages, total=total, at_once=self._wanted))
        self._left[window.resource, window.number] = pages / len(stretches)
        return stretches

    def _sample(self, number: int, pages: int, *, down_to: int) -> None:
        """Take what was read of a window of charges as a sample of how dense they are; with the last, judge."""
        window = self._unsampled.pop(number, None)
        if window is None:
            return
        self._samples.append(Sample(window.end - window.start + 1, window.end - down_to + 1, pages))
        seconds = expected_pages(self._samples) / self._reader.rate
        if not self._unsampled and seconds > LONGEST_LISTING.total_seconds():
            raise TooManyToList(f"about {seconds / 3600:.0f} hours of charges")

    def _cut_off(self, window: Window, start: int, end: int) -> Window:
        number = self._free[window.resource]
        self._free[window.resource] += 1
        return msgspec.structs.replace(window, number=number, start=start, end=end, cursor="")


def _query(window: Window) -> dict[str, str | int | list[str]]:
    resource = RESOURCES[window.resource]
    query: dict[str, str | int | list[str]] = {
        "limit": PAGE_SIZE,
        "created[gte]": window.start,
        "created[lte]": window.end,
    }
    if resource.expand:
        query["expand[]"] = list(resource.expand)
    if window.filter:
        query["type"] = window.filter
    if window.cursor:
        query["starting_after"] = window.cursor
    return query
