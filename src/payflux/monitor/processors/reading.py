"""The lists of one pull: readers that fetch pages and do not wait for the database, and one writer that stores whatever
has come in, events together with their windows' cursors, in one transaction."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.database import driver_connection
from payflux.monitor.processors.events import moment
from payflux.monitor.processors.models import Connection, ConnectionStatus, HistoryPull, PullPurpose, PullWindow
from payflux.monitor.processors.resources import PAGE_SIZE, RESOURCES, PageOfEvents
from payflux.monitor.processors.store import apply_to_rollups, upsert_events
from payflux.monitor.processors.windows import Sample, Window, expected_pages, pages_left, remaining
from payflux.world.bootstrap import World
from payflux.world.stripe import PermissionMissing, StripeReader

_READERS = 12
"""Chains of requests kept going while there is enough left: at 25 requests/s they cover half a second a page."""

LONGEST_LISTING = timedelta(hours=6)
"""An account whose charges would take longer to list is read from reports."""

_SAMPLED_PAGES = 5  # of each window of charges: one burst of sales is no account too large
_WAITING_PAGES = 64  # read and not stored yet; readers pause beyond it
_PAGES_A_TRANSACTION = 16

_MOVE_CURSORS = """
    UPDATE pull_windows AS stored
    SET cursor = new.cursor, from_at = new.from_at, done = new.done,
        pages = stored.pages + new.pages, objects = stored.objects + new.objects
    FROM unnest($3::text[], $4::smallint[], $5::text[], $6::text[], $7::timestamptz[], $8::boolean[], $9::bigint[],
        $10::bigint[]) AS new (resource, number, before, cursor, from_at, done, pages, objects)
    WHERE stored.account_id = $1 AND stored.pull_id = $2 AND stored.resource = new.resource
    AND stored.number = new.number AND stored.cursor = new.before AND NOT stored.done
"""


class PullTakenOver(Exception):
    """Another worker has moved this pull's cursors meanwhile; it goes on, we stop."""


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


class Reading:
    """One run of one pull over its `windows` that are not done; `numbers` counts those of each resource that the pull
    has, done or not. `at_once` says how many windows are read at the same time, None for all; no page is asked for
    after `until`. With `may_be_too_many`, the first charges tell whether the rest is listed at all."""

    def __init__(
        self,
        world: World,
        reader: StripeReader,
        connection: Connection,
        pull: HistoryPull,
        windows: Iterable[Window],
        numbers: Counter[str],
        *,
        at_once: int | None = None,
        until: datetime | None = None,
        may_be_too_many: bool = False,
    ) -> None:
        self._world, self._reader, self._connection, self._pull = world, reader, connection, pull
        self._windows, self._numbers, self._until = list(windows), numbers, until
        self._pages: asyncio.Queue[ReadPage | None] = asyncio.Queue(_WAITING_PAGES)
        self._readers, self._active = asyncio.TaskGroup(), 0
        self._wanted = min(_READERS, at_once or _READERS)
        self._turns = asyncio.Semaphore(at_once or max(_READERS, len(self._windows)))
        fresh = [window for window in self._windows if window.resource == "charges" and not window.cursor]
        whole = may_be_too_many and len(fresh) == numbers["charges"]
        self._unsampled = {window.number: window for window in fresh} if whole else {}
        self._samples: list[Sample] = []

    async def run(self) -> None:
        """Read the windows to their ends, or until the time is over, and store them.

        Raises StripeFailure, PullTakenOver or TooManyToList.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._write())
                async with self._readers:
                    for window in self._windows:
                        self._start_reading(window)
                await self._pages.put(None)
        except ExceptionGroup as failures:
            raise first_of(failures) from None

    def _start_reading(self, window: Window) -> None:
        self._active += 1
        self._readers.create_task(self._read(window)).add_done_callback(self._stop_reading)

    def _stop_reading(self, _task: asyncio.Task[None]) -> None:
        self._active -= 1

    async def _read(self, window: Window) -> None:
        async with self._turns:
            await self._read_pages(window)

    async def _read_pages(self, window: Window) -> None:
        resource, top, left, pages, behind = RESOURCES[window.resource], window.end, window, 0, math.inf
        while self._until is None or self._world.clock.now() < self._until:
            read_at = self._world.clock.now()
            try:
                page = resource.read(await self._reader.get(resource.path, _query(left), behind=behind))
            except PermissionMissing:
                if resource.essential:
                    raise
                await self._pages.put(ReadPage(left, None, read_at))
                return
            pages += 1
            if window.resource == "charges" and (pages == _SAMPLED_PAGES or not page.has_more):
                self._sample(window.number, pages, down_to=page.oldest if page.has_more else left.start)
            if not page.has_more:
                await self._pages.put(ReadPage(left, page, read_at))
                return
            newest, *others = remaining(left, top=top, oldest=page.oldest, idle=self._wanted - self._active)
            after = msgspec.structs.replace(left, start=newest[0], cursor=page.last_id)
            cut_off = tuple(self._cut_off(left, start, end) for start, end in others)
            await self._pages.put(ReadPage(left, page, read_at, after, cut_off))
            for other in cut_off:
                self._start_reading(other)
            # a sample of every window is needed before the rest of any
            sampled = window.number not in self._unsampled or window.resource != "charges"
            behind = pages_left(after, top=top, oldest=page.oldest) if sampled else math.inf
            top, left = page.oldest, after

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
        number = self._numbers[window.resource]
        self._numbers[window.resource] += 1
        return msgspec.structs.replace(window, number=number, start=start, end=end, cursor="")

    async def _write(self) -> None:
        while (first := await self._pages.get()) is not None:
            batch = [first]
            while len(batch) < _PAGES_A_TRANSACTION and not self._pages.empty():
                page = self._pages.get_nowait()
                if page is None:
                    await self._pages.put(None)
                    break
                batch.append(page)
            async with self._world.database.tenant(self._connection.account_id) as session:
                await self._store(session, batch)

    async def _store(self, session: AsyncSession, batch: list[ReadPage]) -> None:
        readings = [(event, read.read_at) for read in batch if read.page for event in read.page.events]
        changes = await upsert_events(session, self._connection, readings)
        if self._pull.purpose != PullPurpose.FIRST:  # whose end makes the rollups anew
            await apply_to_rollups(session, self._connection, *changes, self._world.clock.now())
        # before the cursors: the batch may hold a page of a window that an earlier page of it has cut off
        session.add_all(window_row(self._pull, window) for read in batch for window in read.cut_off)
        try:
            await session.flush()
        except IntegrityError:  # another worker has cut a window off under the same number
            raise PullTakenOver(f"another worker reads pull {self._pull.id}") from None
        await self._move_cursors(session, batch)
        forbidden = {read.before.resource: "forbidden" for read in batch if read.page is None}
        if forbidden:
            await add_capabilities(session, self._connection, forbidden, degrades=True)

    async def _move_cursors(self, session: AsyncSession, batch: list[ReadPage]) -> None:
        chains: dict[tuple[str, int], list[ReadPage]] = {}
        for read in batch:
            chains.setdefault((read.before.resource, read.before.number), []).append(read)
        moves = []
        for (resource, number), chain in chains.items():
            first, last = chain[0], chain[-1]
            pages = [read.page for read in chain if read.page]
            cursor = last.page.last_id if last.page and last.page.last_id else last.before.cursor
            left = last.after or last.before
            moves.append(
                (
                    resource,
                    number,
                    first.before.cursor,
                    cursor,
                    moment(left.start),
                    last.after is None,
                    len(pages),
                    sum(page.objects for page in pages),
                )
            )
        driver = await driver_connection(session)
        moved = await driver.execute(_MOVE_CURSORS, self._pull.account_id, self._pull.id, *zip(*moves, strict=True))
        if moved != f"UPDATE {len(moves)}":
            raise PullTakenOver(f"another worker reads pull {self._pull.id}")


async def add_capabilities(
    session: AsyncSession, connection: Connection, found: dict[str, str], *, degrades: bool = False
) -> None:
    """Keep what has turned out about what the connection may read, and whether figures miss something by it."""
    values: dict[str, object] = {"capabilities": Connection.capabilities.op("||")(found)}
    if degrades:
        values["status"] = ConnectionStatus.DEGRADED
    mine = (Connection.account_id == connection.account_id, Connection.id == connection.id)
    await session.execute(
        update(Connection).where(*mine, Connection.status != ConnectionStatus.DISCONNECTED).values(**values)
    )


def window_row(pull: HistoryPull, window: Window) -> PullWindow:
    """A window as a row of `pull`'s, nothing of it read yet."""
    return PullWindow(
        account_id=pull.account_id,
        pull_id=pull.id,
        workspace_id=pull.workspace_id,
        resource=window.resource,
        number=window.number,
        filter=window.filter,
        from_at=moment(window.start),
        to_at=moment(window.end),
    )


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


def first_of(failures: ExceptionGroup) -> Exception:
    """The first failure itself, however deep it lies."""
    found: Exception = failures
    while isinstance(found, ExceptionGroup):
        found = found.exceptions[0]
    return found
