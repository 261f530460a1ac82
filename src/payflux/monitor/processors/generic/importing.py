"""History from files: the exports that can be read anywhere, stored as the events of a connection."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.ids import new_id
from payflux.monitor.processors.events import PaymentEvent
from payflux.monitor.processors.exports import Reading, ReadReport, UnreadableFileError, read_exports
from payflux.monitor.processors.generic.applying import enqueue_history_is_in, store_told
from payflux.monitor.processors.generic.models import HistoryImport
from payflux.monitor.processors.generic.reading import EARLIEST, GRACE, Told, newness
from payflux.monitor.processors.generic.schema import is_code, is_id
from payflux.monitor.processors.models import Connection
from payflux.monitor.processors.queries import get_connection
from payflux.world.bootstrap import World

PLACES_KEPT = 50
"""Rows that were refused or noted, of which the place is kept; all are counted."""

_BATCH = 5_000  # events in one statement
_PACKED = (b"\x1f\x8b", b"PAR1")  # their size says nothing of what is in them
_VALUE = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")


async def import_history(
    world: World, *, account_id: UUID, connection_id: UUID, files: Mapping[Path, str], imported_by: UUID
) -> HistoryImport:
    """Read `files`, by path their names, and store what they tell, all of it or nothing. What was posted of an object
    at the same time or later stays. Raises UnreadableFileError, in words for whoever chose the files, and NotFound."""
    now = world.clock.now()
    try:
        reading = await asyncio.to_thread(_read, list(files), now)
    except UnreadableFileError as unreadable:
        raise UnreadableFileError(_by_name(str(unreadable), files)) from None
    told = [
        (_plain(event), newness(event.occurred_at, event.status)) for event in reading.events if _usable(event, now)
    ]
    unusable = len(reading.events) - len(told)
    async with world.database.tenant(account_id) as session:
        connection = await get_connection(session, account_id=account_id, connection_id=connection_id)
        changed = await _store(session, connection, told, now)
        imported = HistoryImport(
            account_id=account_id,
            id=new_id(),
            connection_id=connection_id,
            imported_by=imported_by,
            imported_at=now,
            rows=reading.report.rows,
            refused=reading.report.refused + unusable,
            events=len(told),
            changed=changed,
            report=kept_report(reading.report, files, unusable),
        )
        session.add(imported)
        if told:
            await enqueue_history_is_in(session, account_id=account_id, connection_id=connection_id)
    return imported


async def recent_imports(session: AsyncSession, connection: Connection, limit: int = 5) -> list[HistoryImport]:
    """The last imports of a connection, the newest first."""
    query = (
        select(HistoryImport)
        .where(HistoryImport.account_id == connection.account_id, HistoryImport.connection_id == connection.id)
        .order_by(HistoryImport.imported_at.desc())
        .limit(limit)
    )
    return list((await session.execute(query)).scalars())


def kept_report(report: ReadReport, files: Mapping[Path, str], unusable: int) -> dict[str, Any]:
    """What is kept of a report: counts, and the places of rows, without a value of any."""
    return {
        "files": [
            {
                "name": _by_name(file.file, files),
                "title": file.title,
                "rows": file.rows,
                "used": file.used,
                "refused": file.refused,
                "set_aside": file.set_aside,
                "unknown_columns": len(file.unknown_columns),
            }
            for file in report.files
        ],
        "troubles": {str(trouble): count for trouble, count in report.troubles.items()},
        "places": [
            {
                "name": _by_name(problem.file, files),
                "line": problem.line,
                "message": _VALUE.sub("…", problem.message),
            }
            for problem in report.problems[:PLACES_KEPT]
        ],
        "unusable": unusable,
        "kinds": report.kinds,
        "unseen": list(report.unseen),
    }


def _read(paths: Sequence[Path], now: datetime) -> Reading:
    for path in paths:
        with path.open("rb") as file:
            if file.read(4).startswith(_PACKED):
                raise UnreadableFileError(f"{path} is packed. Unpack it, or save it as CSV, and try again.")
    return read_exports(paths, now=now)


async def _store(session: AsyncSession, connection: Connection, told: Sequence[Told], now: datetime) -> int:
    changed = 0
    for start in range(0, len(told), _BATCH):
        changed += await store_told(session, connection, list(told[start : start + _BATCH]), now=now)
    return changed


def _usable(event: PaymentEvent, now: datetime) -> bool:
    ids = is_id(event.source_id) and (not event.charge_id or is_id(event.charge_id))
    return ids and EARLIEST <= event.occurred_at <= now + GRACE


def _plain(event: PaymentEvent) -> PaymentEvent:
    """`event` without a reason that is no code: a free text may name a person."""
    return event if not event.reason or is_code(event.reason) else msgspec.structs.replace(event, reason="")


def _by_name(text: str, files: Mapping[Path, str]) -> str:
    for path, name in files.items():
        text = text.replace(str(path), name)
    return text
