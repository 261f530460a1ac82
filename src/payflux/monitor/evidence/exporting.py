"""Exports: ask for one, write its file piece by piece, and let it go when its time is over."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.database import Database
from payflux.kit.errors import InvalidInput, TooManyRequests
from payflux.kit.ids import new_id
from payflux.kit.jobs import enqueue
from payflux.kit.messages import gettext as _
from payflux.monitor.evidence.models import Content, EvidenceExport, EvidenceExportChunk, ExportState
from payflux.monitor.evidence.rules import CHUNK, KEPT_FOR, MOST_AT_ONCE, Wanted, problems_of
from payflux.monitor.ledger.queries import count_artifacts

MAKE_EXPORT = "make_export"
"""The job that makes an export, which the bridge has, for a dossier names the account."""

UNDER_WAY = (ExportState.WAITING.value, ExportState.MAKING.value)


async def ask_for_export(
    session: AsyncSession,
    wanted: Wanted,
    *,
    account_id: UUID,
    workspace_id: UUID,
    asked_by: UUID | None,
    now: datetime,
    report_id: UUID | None = None,
) -> EvidenceExport:
    """Have an export made; what a member asks for, not a report, may be refused.

    Raises InvalidInput on `format`, `first` or `last`, and TooManyRequests while several are being made.
    """
    place = {"account_id": account_id, "workspace_id": workspace_id}
    count = await count_artifacts(session, **place)
    if problems := problems_of(wanted, count=count):
        raise InvalidInput(problems)
    row = EvidenceExport
    waiting = select(func.count()).where(
        row.account_id == account_id, row.workspace_id == workspace_id, row.state.in_(UNDER_WAY)
    )
    if report_id is None and (await session.execute(waiting)).scalar_one() >= MOST_AT_ONCE:
        raise TooManyRequests(
            _("%(most)s exports are being made already.") % {"most": MOST_AT_ONCE},
            way_out=_("Wait until one of them is ready, and ask again."),
        )
    numbered = wanted.content is Content.ARTIFACTS
    export = EvidenceExport(
        **place,
        id=new_id(),
        content=wanted.content,
        format=wanted.format,
        first_sequence=wanted.first if numbered else None,
        last_sequence=(wanted.last or count) if numbered else None,
        asked_by=asked_by,
        report_id=report_id,
        asked_at=now,
        expires_at=now + KEPT_FOR,
        state=ExportState.WAITING,
    )
    session.add(export)
    await session.flush()
    await enqueue(session, MAKE_EXPORT, {"account_id": str(account_id), "export_id": str(export.id)})
    return export


async def begin_export(session: AsyncSession, *, account_id: UUID, export_id: UUID) -> EvidenceExport | None:
    """Take an export in hand, and drop what an earlier attempt wrote; None where there is nothing to make any more."""
    export = await session.get(EvidenceExport, (account_id, export_id), with_for_update=True)
    if export is None or export.state not in UNDER_WAY:
        return None
    piece = EvidenceExportChunk
    await session.execute(delete(piece).where(piece.account_id == account_id, piece.export_id == export_id))
    export.state, export.attempt, export.done = ExportState.MAKING, new_id(), 0
    export.total = (export.last_sequence or 1) - (export.first_sequence or 1) + 1
    return export


class Superseded(Exception):
    """Somebody else makes this export now, or it is gone."""


class ExportWriter:
    """Writes the file of an export that was begun, each run of pieces in a transaction of its own, so that a file of
    any length needs little memory and its progress can be seen."""

    def __init__(self, database: Database, export: EvidenceExport) -> None:
        self._database, self._export = database, export
        self._buffer, self._number, self._size = bytearray(), 0, 0
        self._hash = hashlib.sha256()

    async def write(self, data: bytes, *, done: int) -> None:
        """Add `data`, after which `done` artifacts are written. Raises Superseded."""
        self._hash.update(data)
        self._size += len(data)
        self._buffer += data
        if len(self._buffer) >= CHUNK:
            whole = len(self._buffer) // CHUNK * CHUNK
            await self._store(self._take(whole), done=done)

    async def finish(self, *, now: datetime) -> None:
        """Store what is left, and say that the file is whole. Raises Superseded."""
        finished = {
            "state": ExportState.READY.value,
            "finished_at": now,
            "size": self._size,
            "sha256": self._hash.hexdigest(),
        }
        await self._store(self._take(len(self._buffer)), done=self._export.total, **finished)

    def _take(self, length: int) -> list[bytes]:
        data = bytes(self._buffer[:length])
        del self._buffer[:length]
        return [data[start : start + CHUNK] for start in range(0, length, CHUNK)]

    async def _store(self, pieces: list[bytes], **progress: object) -> None:
        place = {"account_id": self._export.account_id, "export_id": self._export.id}
        row = EvidenceExport
        mine = (row.account_id == self._export.account_id, row.id == self._export.id)
        async with self._database.tenant(self._export.account_id) as session:
            moved = update(row).where(*mine, row.attempt == self._export.attempt).values(progress).returning(row.id)
            if (await session.execute(moved)).scalar_one_or_none() is None:
                raise Superseded
            rows = [place | {"number": number, "data": data} for number, data in enumerate(pieces, self._number)]
            if rows:
                await session.execute(insert(EvidenceExportChunk), rows)
        self._number += len(pieces)


async def fail_export(
    session: AsyncSession, *, account_id: UUID, export_id: UUID, why: Iterable[str], now: datetime
) -> None:
    """Give an export up, unless it is ready; `why` in sentences of the catalogue."""
    export = await session.get(EvidenceExport, (account_id, export_id), with_for_update=True)
    if export is not None and export.state in UNDER_WAY:
        export.state, export.attempt, export.finished_at = ExportState.FAILED, None, now
        export.problem = "\n".join(filter(None, why))


async def file_bytes(database: Database, export: EvidenceExport, first: int, last: int) -> AsyncGenerator[bytes, None]:
    """The bytes `first` to `last` of a ready export's file, each piece in a transaction of its own: whoever reads
    slowly holds nothing up."""
    piece = EvidenceExportChunk
    for number in range(first // CHUNK, last // CHUNK + 1):
        start = number * CHUNK
        async with database.tenant(export.account_id) as session:
            query = select(piece.data).where(
                piece.account_id == export.account_id, piece.export_id == export.id, piece.number == number
            )
            data = (await session.execute(query)).scalar_one()
        yield data[max(first - start, 0) : last - start + 1]


async def delete_expired_exports(session: AsyncSession, *, now: datetime) -> None:
    """Remove the exports whose time is over, with their files. Runs as the system role."""
    await session.execute(delete(EvidenceExport).where(EvidenceExport.expires_at <= now))
