"""Pulling a connection's history: planned as windows, read by as many workers as die on it, finished once.

A pull that dies at any point goes on from the stored cursors: pages that were read but not stored are read again, and
storing an event twice changes nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.ids import new_id
from payflux.monitor.processors.account_state import AccountState, read_state, stored_state
from payflux.monitor.processors.connecting.ending import disconnected_by_processor, ends_connection
from payflux.monitor.processors.credentials import auth_of
from payflux.monitor.processors.events import moment
from payflux.monitor.processors.listing import Listing, TooManyToList
from payflux.monitor.processors.models import (
    Connection,
    HistoryPull,
    PullPurpose,
    PullWindow,
    StoredEvent,
)
from payflux.monitor.processors.news import ReadingReason, enqueue_reading
from payflux.monitor.processors.planning import FIRST_STRETCH, REPORT, plan_windows
from payflux.monitor.processors.queries import get_connection, get_pull
from payflux.monitor.processors.reading import Reading, first_of, window_row
from payflux.monitor.processors.reconciling.service import enqueue_reconciliation
from payflux.monitor.processors.reports import ReportReading, replace_lists
from payflux.monitor.processors.resources import RESOURCES
from payflux.monitor.processors.state_history import record_state
from payflux.monitor.processors.store import lock_workspace, renew_rollups
from payflux.monitor.processors.windows import Window, complete_from
from payflux.world.bootstrap import World
from payflux.world.stripe import Disconnected, KeyRefused, StripeGateway, StripeReader

STATE_LIFETIME = timedelta(minutes=5)
"""An account's state younger than this is not asked for again."""


class Pace(NamedTuple):
    """How much of Stripe's attention, and of a worker's, one run of a pull may take."""

    share: float = 1.0  # of the requests a second that the settings allow
    at_once: int | None = None  # windows; None for all
    for_at_most: timedelta | None = None  # None until the end


AT_ONCE = Pace()
"""Somebody waits for the result."""


async def start_pull(
    session: AsyncSession,
    connection: Connection,
    now: datetime,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    purpose: PullPurpose = PullPurpose.FIRST,
    reported: bool = False,
) -> HistoryPull:
    """Plan the reading of everything created from `since` to `until`, in whole seconds; nothing is read yet.

    By default these are the 90 days up to `now`. An account that is `reported` is too large for lists of charges.
    """
    last = int((until or now).timestamp())
    start = int((since or moment(last) - FIRST_STRETCH).timestamp())
    pull = HistoryPull(
        account_id=connection.account_id,
        id=new_id(),
        workspace_id=connection.workspace_id,
        connection_id=connection.id,
        purpose=purpose,
        from_at=moment(start),
        to_at=moment(last),
        started_at=now,
    )
    session.add(pull)
    await session.flush()
    session.add_all(window_row(pull, window) for window in plan_windows(purpose, start, last, reported=reported))
    await session.flush()
    return pull


async def run_pull(world: World, account_id: UUID, pull_id: UUID, pace: Pace = AT_ONCE) -> bool:
    """Read what the pull still lacks, and, when that is all, note how far the connection is read now and renew what
    is made of it. Whether the pull is finished; one that is finished already does nothing.

    Raises KeyRefused or Disconnected, after which the connection is disconnected; PermissionMissing for an essential
    resource; ProcessorUnavailable; PullTakenOver when another worker reads the same pull; NotFound.
    """
    async with world.database.tenant(account_id) as session:
        pull = await get_pull(session, account_id=account_id, pull_id=pull_id)
        if pull.finished_at is not None:
            return True
        connection = await get_connection(session, account_id=account_id, connection_id=pull.connection_id)
    try:
        state = await _read(world, connection, pull, pace)
    except (KeyRefused, Disconnected) as failure:
        if ends_connection(connection, failure):
            async with world.database.tenant(account_id) as session:
                await disconnected_by_processor(session, world, connection)
        raise
    async with world.database.tenant(account_id) as session:
        return await _finish(session, account_id=account_id, pull_id=pull_id, state=state, now=world.clock.now())


async def pull_progress(session: AsyncSession, pull_id: UUID) -> dict[str, int]:
    """How many objects of each resource have been stored so far."""
    query = (
        select(PullWindow.resource, func.sum(PullWindow.objects))
        .where(PullWindow.pull_id == pull_id)
        .group_by(PullWindow.resource)
    )
    counted = {resource: int(objects) for resource, objects in (await session.execute(query))}
    return {resource: counted[resource] for resource in (*RESOURCES, REPORT) if resource in counted}


async def _read(world: World, connection: Connection, pull: HistoryPull, pace: Pace) -> AccountState:
    """Read what is left, and the account's state beside it."""
    reader = StripeGateway(world.settings, world.http).reader(await auth_of(world, connection), share=pace.share)
    try:
        async with asyncio.TaskGroup() as tasks:
            state = tasks.create_task(_state(world, reader, connection))
            tasks.create_task(_read_windows(world, reader, connection, pull, pace))
    except ExceptionGroup as failures:
        raise first_of(failures) from None
    return state.result()


async def _read_windows(
    world: World, reader: StripeReader, connection: Connection, pull: HistoryPull, pace: Pace
) -> None:
    until = world.clock.now() + pace.for_at_most if pace.for_at_most else None
    listed, reported, free = await _unread(world, pull)
    may_be_too_many = pull.purpose == PullPurpose.FIRST and not reported
    try:
        listing = Listing(
            reader,
            world.clock,
            listed,
            free,
            at_once=pace.at_once,
            until=until,
            may_be_too_many=may_be_too_many,
        )
        await Reading(world, connection, pull, listing).run()
    except TooManyToList:
        await replace_lists(world, reader, connection, pull)
        listed, reported, free = await _unread(world, pull)
        await Reading(world, connection, pull, Listing(reader, world.clock, listed, free)).run()
    if reported:
        await ReportReading(world, reader, connection, pull).run(reported, until)


async def _unread(world: World, pull: HistoryPull) -> tuple[list[Window], list[PullWindow], Counter[str]]:
    """The windows of lists and of reports that are not done, the newest first, and the first free number of each
    resource: pages of a dead worker that came in late may be stored where earlier ones are not."""
    query = select(PullWindow).where(*_windows_of(pull)).order_by(PullWindow.to_at.desc(), PullWindow.number)
    async with world.database.tenant(pull.account_id) as session:
        rows = (await session.execute(query)).scalars().all()
    left = [row for row in rows if not row.done]
    free: Counter[str] = Counter()
    for row in rows:
        free[row.resource] = max(free[row.resource], row.number + 1)
    return (
        [_window(row) for row in left if row.resource != REPORT],
        [row for row in left if row.resource == REPORT],
        free,
    )


async def _state(world: World, reader: StripeReader, connection: Connection) -> AccountState:
    known, now = stored_state(connection.snapshot), world.clock.now()
    if known.account is not None and known.account.taken_at > now - STATE_LIFETIME:
        return known
    return await read_state(reader, now=now, livemode=connection.livemode)


async def _finish(
    session: AsyncSession, *, account_id: UUID, pull_id: UUID, state: AccountState, now: datetime
) -> bool:
    pull = await get_pull(session, account_id=account_id, pull_id=pull_id)
    await lock_workspace(session, pull.workspace_id)
    await session.refresh(pull, with_for_update=True)
    if pull.finished_at is not None:
        return True
    connection = await get_connection(session, account_id=account_id, connection_id=pull.connection_id)
    await session.refresh(connection, with_for_update=True)
    rows = (await session.execute(select(PullWindow).where(*_windows_of(pull)))).scalars().all()
    await record_state(session, connection, state)
    pull.problem = ""
    _note_how_far(connection, pull, rows)
    if any(not row.done for row in rows):
        return False
    await _count_events(session, connection)
    if pull.purpose != PullPurpose.GAP:
        await renew_rollups(session, account_id=account_id, workspace_id=pull.workspace_id, now=now)
    pull.objects = sum(row.objects for row in rows)
    pull.finished_at = now
    await enqueue_reconciliation(session, connection)
    if pull.purpose != PullPurpose.FIRST:
        await enqueue_reading(
            session,
            account_id=account_id,
            workspace_id=pull.workspace_id,
            reason=ReadingReason.HISTORY,
            urgent=True,
            delay=None,
        )
    return True


def _note_how_far(connection: Connection, pull: HistoryPull, rows: Sequence[PullWindow]) -> None:
    """Move `history_from` back and `synced_through` forward to what `pull` has read whole."""
    whole_from = moment(
        complete_from(int(pull.from_at.timestamp()), (int(row.to_at.timestamp()) for row in rows if not row.done))
    )
    if whole_from > pull.to_at:
        return
    second = timedelta(seconds=1)
    if pull.purpose == PullPurpose.BACKFILL:
        if connection.history_from is not None and connection.history_from <= pull.to_at + second:
            connection.history_from = min(connection.history_from, whole_from)
        return
    if whole_from > pull.from_at:
        return
    known = connection.history_from, connection.synced_through
    if known[0] and known[1] and pull.from_at <= known[1] + second:
        connection.history_from, connection.synced_through = min(known[0], pull.from_at), max(known[1], pull.to_at)
    elif pull.purpose == PullPurpose.FIRST:
        # what was read before a pause longer than this pull is not joined to it
        connection.history_from, connection.synced_through = pull.from_at, max(known[1] or pull.to_at, pull.to_at)


async def _count_events(session: AsyncSession, connection: Connection) -> None:
    counted = select(func.count(), func.max(StoredEvent.at)).where(
        StoredEvent.account_id == connection.account_id, StoredEvent.connection_id == connection.id
    )
    connection.event_count, last = (await session.execute(counted)).one()
    connection.last_event_at = None if last is None else moment(last)


def _windows_of(pull: HistoryPull) -> tuple[ColumnElement[bool], ...]:
    return PullWindow.account_id == pull.account_id, PullWindow.pull_id == pull.id


def _window(row: PullWindow) -> Window:
    return Window(
        resource=row.resource,
        number=row.number,
        filter=row.filter,
        start=int(row.from_at.timestamp()),
        end=int(row.to_at.timestamp()),
        cursor=row.cursor,
    )
