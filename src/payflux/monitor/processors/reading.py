"""The lists of one pull: readers that fetch pages and do not wait for the database, and one writer that stores whatever
has come in, events together with their windows' cursors, in one transaction."""

from __future__ import annotations

import asyncio

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.database import driver_connection
from payflux.monitor.processors.events import moment
from payflux.monitor.processors.listing import Listing, ReadPage
from payflux.monitor.processors.models import Connection, ConnectionStatus, HistoryPull, PullPurpose, PullWindow
from payflux.monitor.processors.store import apply_to_rollups, upsert_events
from payflux.monitor.processors.windows import Window
from payflux.world.bootstrap import World

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


class Reading:
    """One run of one pull over its lists."""

    def __init__(self, world: World, connection: Connection, pull: HistoryPull, listing: Listing) -> None:
        self._world, self._connection, self._pull, self._listing = world, connection, pull, listing
        self._pages: asyncio.Queue[ReadPage | None] = asyncio.Queue(_WAITING_PAGES)

    async def run(self) -> None:
        """Read the windows to their ends, or until the time is over, and store them.

        Raises StripeFailure, PullTakenOver or TooManyToList.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._write())
                await self._listing.read(self._pages.put)
                await self._pages.put(None)
        except ExceptionGroup as failures:
            raise first_of(failures) from None

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


def first_of(failures: ExceptionGroup) -> Exception:
    """The first failure itself, however deep it lies."""
    found: Exception = failures
    while isinstance(found, ExceptionGroup):
        found = found.exceptions[0]
    return found
