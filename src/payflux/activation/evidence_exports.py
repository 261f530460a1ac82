"""The job that makes an export of evidence: the monitor knows the figures, the front door whose they are."""

from __future__ import annotations

import asyncio
from typing import TypedDict
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.evidence_reports import mail_finished_report
from payflux.activation.service import get_workspace
from payflux.frontdoor.accounts.team.queries import account_name, find_member
from payflux.kit.errors import Conflict, UserError
from payflux.kit.jobs import Payload, Permanent
from payflux.kit.messages import mark
from payflux.monitor.evidence.documents import Provenance, artifacts_pdf, dossier_pdf
from payflux.monitor.evidence.dossier import gather_dossier
from payflux.monitor.evidence.exporting import ExportWriter, Superseded, begin_export, fail_export
from payflux.monitor.evidence.models import Content, EvidenceExport, Format
from payflux.monitor.evidence.tables import csv_head, csv_lines
from payflux.monitor.ledger.artifacts import Kind, sha256
from payflux.monitor.ledger.exporting import AT_ONCE, export_ledger
from payflux.monitor.ledger.models import LedgerArtifact
from payflux.monitor.ledger.queries import artifacts_between, get_artifact, newest_artifact
from payflux.monitor.ledger.recording import envelope_draft, record_artifacts
from payflux.monitor.processors.queries import get_connection
from payflux.world.bootstrap import World

log = structlog.get_logger(__name__)

NAMED = (Kind.CONNECTION, Kind.BASELINE, Kind.PROJECTION, Kind.SCORE)
"""What a dossier's envelope names, of each kind the newest."""

MOST_ATTACHED = 500
"""Artifacts that a dossier carries along, up to its envelope."""


async def make_export(world: World, payload: Payload) -> None:
    """Job: write the file of an export. What cannot be made as things stand is told, and not tried again."""
    account_id, export_id = UUID(payload["account_id"]), UUID(payload["export_id"])
    async with world.database.tenant(account_id) as session:
        export = await begin_export(session, account_id=account_id, export_id=export_id)
    try:
        if export is not None:
            await _write(world, export)
        await mail_finished_report(world, account_id=account_id, export_id=export_id)
    except Superseded:
        log.info("export made by another worker", export_id=str(export_id))
    except UserError as error:
        async with world.database.tenant(account_id) as session:
            why = (error.message, error.way_out)
            await fail_export(session, account_id=account_id, export_id=export_id, why=why, now=world.clock.now())
        raise Permanent(error.message) from error


async def record_failed_export(world: World, payload: Payload) -> None:
    """Give an export up whose job has failed for good; one that says why already keeps what it says."""
    account_id, export_id = UUID(payload["account_id"]), UUID(payload["export_id"])
    why = (mark("Something went wrong on our side."), mark("Ask for it again."))
    async with world.database.tenant(account_id) as session:
        await fail_export(session, account_id=account_id, export_id=export_id, why=why, now=world.clock.now())


async def _write(world: World, export: EvidenceExport) -> None:
    writer = ExportWriter(world.database, export)
    if export.content == Content.DOSSIER:
        await writer.write(await _dossier(world, export), done=1)
    elif export.format == Format.PDF:
        await writer.write(await _artifacts(world, export), done=export.total)
    else:
        async with world.database.tenant(export.account_id) as session:
            await _lines(world, session, export, writer)
    await writer.finish(now=world.clock.now())


async def _lines(world: World, session: AsyncSession, export: EvidenceExport, writer: ExportWriter) -> None:
    first, last = _numbers(export)
    if export.format == Format.CSV:
        await writer.write(csv_head(), done=0)
        for start in range(first, last + 1, AT_ONCE):
            end = min(start + AT_ONCE - 1, last)
            await writer.write(csv_lines(await _between(session, export, start, end)), done=end - first + 1)
        return
    done = -AT_ONCE  # the header is a piece, too
    async for piece in export_ledger(world, session, **_place(export), first=first, last=last):
        done = min(done + AT_ONCE, export.total)
        await writer.write(piece, done=max(done, 0))


async def _artifacts(world: World, export: EvidenceExport) -> bytes:
    first, last = _numbers(export)
    async with world.database.tenant(export.account_id) as session:
        artifacts = await _between(session, export, first, last)
        account = await account_name(session, account_id=export.account_id)
        ledger = await _ledger(world, session, export, first, last)
    workspace_id = str(export.workspace_id)
    return await asyncio.to_thread(
        artifacts_pdf, artifacts, account=account, workspace_id=workspace_id, ledger=ledger, at=world.clock.now()
    )


async def _dossier(world: World, export: EvidenceExport) -> bytes:
    """The dossier, whose envelope stands in the ledger before anybody is given it."""
    async with world.database.tenant(export.account_id) as session:
        workspace = await get_workspace(session, account_id=export.account_id)
        if workspace.connection_id is None:
            way_out = mark("Connect one, and ask for the dossier again.")
            raise Conflict(mark("No processor is connected."), way_out=way_out)
        connection = await get_connection(session, account_id=export.account_id, connection_id=workspace.connection_id)
        dossier, readout = await gather_dossier(session, connection, now=world.clock.now())
        document_hash = sha256(dossier.encoded()).hex()
        found = [await newest_artifact(session, **_place(export), kind=kind) for kind in NAMED]
        named = [each for each in found if each is not None]
        draft = envelope_draft(
            "reserve_review",
            [each.reference for each in named],
            document_hash=document_hash,
            export_id=export.id,
            asked_by=export.asked_by,
        )
        [recorded] = await record_artifacts(world, session, **_place(export), drafts=[draft])
        last = recorded.sequence
        first = max(min((each.sequence for each in named), default=last), last - MOST_ATTACHED + 1)
        made = Provenance(
            account=await account_name(session, account_id=export.account_id),
            workspace_id=str(workspace.id),
            made_by=await _made_by(session, export),
            made_at=world.clock.now(),
            document_hash=document_hash,
            envelope=await get_artifact(session, **_place(export), sequence=last),
            named=named,
            first_attached=first,
            installation=world.settings.url,
        )
        ledger = await _ledger(world, session, export, first, last)
    return await asyncio.to_thread(dossier_pdf, dossier, readout.projection, made, ledger)


async def _made_by(session: AsyncSession, export: EvidenceExport) -> str:
    if export.asked_by is None:
        return "a report that is due regularly"
    member = await find_member(session, account_id=export.account_id, user_id=export.asked_by)
    return member.name if member is not None else "a former member"


async def _between(session: AsyncSession, export: EvidenceExport, first: int, last: int) -> list[LedgerArtifact]:
    return await artifacts_between(session, **_place(export), first=first, last=last)


async def _ledger(world: World, session: AsyncSession, export: EvidenceExport, first: int, last: int) -> bytes:
    pieces = export_ledger(world, session, **_place(export), first=first, last=last)
    return b"".join([piece async for piece in pieces])


def _numbers(export: EvidenceExport) -> tuple[int, int]:
    assert export.first_sequence is not None
    assert export.last_sequence is not None
    return export.first_sequence, export.last_sequence


class _Place(TypedDict):
    account_id: UUID
    workspace_id: UUID


def _place(export: EvidenceExport) -> _Place:
    return {"account_id": export.account_id, "workspace_id": export.workspace_id}
