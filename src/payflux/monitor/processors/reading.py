"""The work of one pull: readers that fetch pages and do not wait for the database, and one writer that stores whatever
has come in, events together with their windows' cursors, in one transaction."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.database import driver_connection
from payflux.monitor.processors.account_state import AccountState, read_state, stored_state
from payflux.monitor.processors.events import moment
from payflux.monitor.processors.models import Connection, ConnectionStatus, HistoryPull, PullWindow
from payflux.monitor.processors.resources import PAGE_SIZE, RESOURCES, PageOfEvents
from payflux.monitor.processors.store import upsert_events
from payflux.monitor.processors.windows import Window, remaining
from payflux.world.bootstrap import World
from payflux.world.stripe import PermissionMissing, StripeReader

STATE_LIFETIME = timedelta(minutes=5)
"""An account's state younger than this is not asked for again."""

_READERS = 12
"""Chains of requests kept going while there is enough left: at 25 requests/s they cover half a second a page."""

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


class ReadPage(NamedTuple):
    """A page as it came in. `before` is its window as it stood, `after` what is left of it, None when it is done;
    `cut_off` are new windows. `page` is None where the key may not read the resource."""

    before: Window
    page: PageOfEvents | None
    read_at: datetime
    after: Window | None = None
    cut_off: tuple[Window, ...] = ()


class Reading:
    """One run of one pull. `numbers` counts the windows of each resource that the pull has, done or not."""

    def __init__(
        self, world: World, reader: StripeReader, connection: Connection, pull: HistoryPull, numbers: Counter[str]
    ) -> None:
        self._world, self._reader, self._connection, self._pull = world, reader, connection, pull
        self._numbers = numbers
        self._pages: asyncio.Queue[ReadPage | None] = asyncio.Queue(_WAITING_PAGES)
        self._readers = asyncio.TaskGroup()
        self._active = 0

    async def run(self, windows: Iterable[Window]) -> AccountState:
        """Read `windows` to their ends and store them; the account's state, renewed where it has aged.

        Raises StripeFailure or PullTakenOver.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                state = tasks.create_task(self._state())
                tasks.create_task(self._write())
                async with self._readers:
                    for window in windows:
                        self._start_reading(window)
                await self._pages.put(None)
            return state.result()
        except ExceptionGroup as failures:
            raise _first_of(failures) from None

    async def _state(self) -> AccountState:
        known = stored_state(self._connection.snapshot)
        now = self._world.clock.now()
        if known.account is not None and known.account.taken_at > now - STATE_LIFETIME:
            return known
        return await read_state(self._reader, now=now, livemode=self._connection.livemode)

    def _start_reading(self, window: Window) -> None:
        self._active += 1
        self._readers.create_task(self._read(window)).add_done_callback(self._stop_reading)

    def _stop_reading(self, _task: asyncio.Task[None]) -> None:
        self._active -= 1

    async def _read(self, window: Window) -> None:
        resource, top, left = RESOURCES[window.resource], window.end, window
        while True:
            read_at = self._world.clock.now()
            try:
                page = resource.read(await self._reader.get(resource.path, _query(left)))
            except PermissionMissing:
                if resource.essential:
                    raise
                await self._pages.put(ReadPage(left, None, read_at))
                return
            if not page.has_more:
                await self._pages.put(ReadPage(left, page, read_at))
                return
            newest, *others = remaining(left, top=top, oldest=page.oldest, idle=_READERS - self._active)
            after = msgspec.structs.replace(left, start=newest[0], cursor=page.last_id)
            cut_off = tuple(self._cut_off(left, start, end) for start, end in others)
            await self._pages.put(ReadPage(left, page, read_at, after, cut_off))
            for other in cut_off:
                self._start_reading(other)
            top, left = page.oldest, after

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
        await upsert_events(session, self._connection, readings)
        session.add_all(window_row(self._pull, window) for read in batch for window in read.cut_off)
        await session.flush()
        await self._move_cursors(session, batch)
        forbidden = {read.before.resource: "forbidden" for read in batch if read.page is None}
        if forbidden:
            mine = (Connection.account_id == self._connection.account_id, Connection.id == self._connection.id)
            await session.execute(
                update(Connection)
                .where(*mine, Connection.status != ConnectionStatus.DISCONNECTED)
                .values(
                    capabilities=Connection.capabilities.op("||")(forbidden),
                    status=ConnectionStatus.DEGRADED,
                )
            )

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


def _first_of(failures: ExceptionGroup) -> Exception:
    found: Exception = failures
    while isinstance(found, ExceptionGroup):
        found = found.exceptions[0]
    return found
