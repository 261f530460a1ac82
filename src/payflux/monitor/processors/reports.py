"""Charges and refunds of very large accounts, from Stripe's itemized balance report instead of lists.

A report is asked for, waited for, and taken in row by row; its id and the number of rows taken are stored with the
events, so that a reading that dies goes on in the same file. Facts: docs.stripe.com/reports/api and
/reports/report-types. Reports list movements of money alone: attempts to pay that failed are in none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from datetime import datetime

import msgspec
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.processors.codes import Kind
from payflux.monitor.processors.events import PaymentEvent, moment
from payflux.monitor.processors.exports.layouts.layout import Ending
from payflux.monitor.processors.models import Connection, HistoryPull, PullPurpose, PullWindow
from payflux.monitor.processors.planning import REPORT, REPORTED, plan_reports, plan_windows
from payflux.monitor.processors.reading import PullTakenOver, add_capabilities, window_row
from payflux.monitor.processors.report_rows import COLUMNS, Batch, batches
from payflux.monitor.processors.resources import OBJECTS
from payflux.monitor.processors.store import apply_to_rollups, upsert_events
from payflux.monitor.processors.windows import Window
from payflux.world.bootstrap import World
from payflux.world.stripe import PermissionMissing, ProcessorUnavailable, RequestRefused, StripeReader

REPORT_TYPE = "balance_change_from_activity.itemized.6"

_SHORTEST_WAIT, _LONGEST_WAIT = 0.5, 30.0  # seconds, between two looks at a report that is being made
_OBJECTS = {Kind.CHARGE: "charge", Kind.REFUND: "refund"}


class _Available(msgspec.Struct):
    """What reports of the type can cover: from the start, included, to the end, not included."""

    data_available_start: int
    data_available_end: int

    def within(self, start: int, end: int) -> tuple[int, int]:
        """The part of `start` to `end`, both included, that a report can cover; empty when it ends before it begins."""
        return max(start, self.data_available_start), min(end, self.data_available_end - 1)


class _ReportFile(msgspec.Struct):
    url: str


class _ReportRun(msgspec.Struct):
    id: str
    status: str
    result: _ReportFile | None = None


async def replace_lists(world: World, reader: StripeReader, connection: Connection, pull: HistoryPull) -> bool:
    """Plan reports in place of `pull`'s lists of charges and refunds. False, and the lists stay, where Stripe makes no
    reports for the account or the key may not ask for them; the connection's capabilities say so."""
    start, end = int(pull.from_at.timestamp()), int(pull.to_at.timestamp())
    try:
        available = await _available(reader)
        first, last = available.within(start, end)
        if first > last:
            raise RequestRefused("no data of the stretch is available as a report")
        reports = [window_row(pull, window) for window in plan_reports(first, last)]
        reports[0].cursor = await _ask_for(reader, reports[0], available)
    except (PermissionMissing, RequestRefused) as refusal:
        state = "forbidden" if isinstance(refusal, PermissionMissing) else "not_enabled"
        async with world.database.tenant(pull.account_id) as session:
            await add_capabilities(session, connection, {"reporting": state})
        return False
    ends = [(low, high) for low, high in ((last + 1, end), (start, first - 1)) if low <= high]
    async with world.database.tenant(pull.account_id) as session:
        await session.execute(
            delete(PullWindow).where(
                PullWindow.account_id == pull.account_id,
                PullWindow.pull_id == pull.id,
                PullWindow.resource.in_(REPORTED),
            )
        )
        session.add_all([*reports, *(window_row(pull, window) for window in _lists(ends))])
        await add_capabilities(session, connection, {"reporting": "ok", "declines": "unknown"})
    return True


def _lists(stretches: Sequence[tuple[int, int]]) -> list[Window]:
    """The lists that cover what no report covers yet: the last hours, and what is older than any report."""
    windows = [
        window
        for start, end in stretches
        for window in plan_windows(PullPurpose.GAP, start, end)
        if window.resource in REPORTED
    ]
    return [msgspec.structs.replace(window, number=number) for number, window in enumerate(windows)]


async def _available(reader: StripeReader) -> _Available:
    return msgspec.json.decode(await reader.get(f"/v1/reporting/report_types/{REPORT_TYPE}"), type=_Available)


async def _ask_for(reader: StripeReader, window: PullWindow, available: _Available) -> str:
    """The id of the report run over `window`, the same one however often it is asked for; empty where no report
    reaches."""
    first, last = available.within(int(window.from_at.timestamp()), int(window.to_at.timestamp()))
    if first > last:
        return ""
    fields = {
        "report_type": REPORT_TYPE,
        "parameters[interval_start]": first,
        "parameters[interval_end]": last + 1,
        "parameters[columns][]": COLUMNS,
    }
    key = f"report {window.pull_id} {window.number} {window.pages}"
    body = await reader.post("/v1/reporting/report_runs", fields, idempotency_key=key)
    return msgspec.json.decode(body, type=_ReportRun).id


class ReportReading:
    """One run over the reports of one pull."""

    def __init__(self, world: World, reader: StripeReader, connection: Connection, pull: HistoryPull) -> None:
        self._world, self._reader, self._connection, self._pull = world, reader, connection, pull

    async def run(self, windows: Sequence[PullWindow], until: datetime | None) -> None:
        """Have the reports of `windows` made, all at once, and take them in one after another, or until the time is
        over.

        Raises StripeFailure or PullTakenOver.
        """
        available = await _available(self._reader)
        for window in windows:
            if not window.cursor:
                run_id = await _ask_for(self._reader, window, available)
                await self._note(window, cursor=run_id, done=not run_id)
        for window in windows:
            file = None if window.done else await self._made(window, until)
            if file is None and not window.done:
                return
            while file is not None and not window.done:
                taken = window.objects
                try:
                    if not await self._take_in(window, file, until):
                        return
                except ProcessorUnavailable:
                    if window.objects == taken:
                        raise

    async def _made(self, window: PullWindow, until: datetime | None) -> _ReportFile | None:
        """The file of a report, once Stripe has made it; None when the time is over first."""
        wait = _SHORTEST_WAIT
        while until is None or self._world.clock.now() < until:
            body = await self._reader.get(f"/v1/reporting/report_runs/{window.cursor}")
            run = msgspec.json.decode(body, type=_ReportRun)
            if run.result is not None:
                return run.result
            if run.status == "failed":
                await self._note(window, cursor="", pages=window.pages + 1, objects=0)
                raise ProcessorUnavailable("Stripe could not make a report; it is asked for anew")
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)
        return None

    async def _take_in(self, window: PullWindow, file: _ReportFile, until: datetime | None) -> bool:
        """Store what the report says from where it was left; False when the time is over before its end."""
        async with aclosing(self._reader.lines(file.url)) as lines:
            async for batch in batches(lines, skip=window.objects):
                if until is not None and self._world.clock.now() >= until:
                    return False
                await self._store(window, batch)
        await self._note(window, done=True)
        return True

    async def _store(self, window: PullWindow, batch: Batch) -> None:
        ended = [await self._read_again(ending) for ending in batch.endings]
        read_at = moment(int(window.to_at.timestamp()))  # whatever was read by its id is newer and tells more
        readings = [(event, read_at) for event in batch.events]
        async with self._world.database.tenant(self._pull.account_id) as session:
            changes = await upsert_events(
                session, self._connection, [*readings, *(reading for found in ended for reading in found)]
            )
            if self._pull.purpose != PullPurpose.FIRST:
                await apply_to_rollups(session, self._connection, *changes, self._world.clock.now())
            await self._move(session, window, objects=window.objects + batch.rows)

    async def _read_again(self, ending: Ending) -> list[tuple[PaymentEvent, datetime]]:
        """A charge or refund that failed after its money had moved: the report does not say how it stands."""
        one, read_at = OBJECTS[_OBJECTS[ending.kind]], self._world.clock.now()
        body = await self._reader.get(one.path(ending.source_id), one.query(ending.source_id))
        return [(event, read_at) for event in one.read(body)]

    async def _note(self, window: PullWindow, **values: object) -> None:
        async with self._world.database.tenant(self._pull.account_id) as session:
            await self._move(session, window, **values)

    async def _move(self, session: AsyncSession, window: PullWindow, **values: object) -> None:
        moved = await session.execute(
            update(PullWindow)
            .where(
                PullWindow.account_id == self._pull.account_id,
                PullWindow.pull_id == self._pull.id,
                PullWindow.resource == REPORT,
                PullWindow.number == window.number,
                PullWindow.cursor == window.cursor,
                PullWindow.objects == window.objects,
                ~PullWindow.done,
            )
            .values(**values)
            .returning(PullWindow.number)
            .execution_options(synchronize_session=False)
        )
        if moved.scalar_one_or_none() is None:
            raise PullTakenOver(f"another worker reads pull {self._pull.id}")
        for name, value in values.items():
            setattr(window, name, value)
