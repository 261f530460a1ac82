"""Exports of evidence: ask for one, see how far it is, and fetch its file."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from payflux.activation.service import get_workspace
from payflux.api.paging import Cursor, Limit, Page, page_of, read_cursor
from payflux.api.problems import API_PATH, Responses
from payflux.api.repeating import IdempotencyKey, once
from payflux.monitor.evidence.exporting import ask_for_export
from payflux.monitor.evidence.models import Content, EvidenceExport, ExportState, Format
from payflux.monitor.evidence.queries import get_export, list_exports
from payflux.monitor.evidence.rules import Wanted
from payflux.web.downloads import export_file
from payflux.web.guards import CurrentWorld, Tenant, Who
from payflux.web.policies import guard

router = APIRouter(prefix="/exports", tags=["exports"])

FEATURE = "evidence_export"
GUARD = [guard(capability="evidence.export", feature=FEATURE, metered=True, scope="exports:write")]
UNKNOWN: Responses = {404: {"description": "no export of yours, or it is kept no longer"}}
WRONG: Responses = {422: {"description": "there is no such range, or not in that format"}}
USED: Responses = {409: {"description": "the Idempotency-Key came with another request"}}

_BYTES = {"schema": {"type": "string", "format": "binary"}}
_FILES = dict.fromkeys(("application/x-ndjson", "text/csv", "application/pdf"), _BYTES)
FILE: Responses = {
    200: {"description": "the file", "content": _FILES},
    206: {"description": "the bytes that `Range` asks for", "content": _FILES},
    304: {"description": "the file whose ETag was sent"},
    409: {"description": "the file is not ready"},
    416: {"description": "the range begins behind the end of the file"},
}

LARGEST = 2**63 - 1


class NewExport(BaseModel):
    """What to export: `artifacts` from `first` to `last`, both included and the newest where it is left out, or the
    `dossier`, a PDF, as things stand."""

    content: Content = Content.ARTIFACTS
    format: Format = Format.JSONL
    first: int = Field(1, ge=1, le=LARGEST)
    last: int | None = Field(None, ge=1, le=LARGEST)


class Export(BaseModel):
    """An export. `done` of `total` artifacts are written; `size` (bytes) and `sha256` (hex) are those of the file at
    `download_path`, both null until it is ready."""

    id: UUID
    content: Content
    format: Format
    first: int | None
    last: int | None
    state: ExportState
    done: int
    total: int
    asked_at: datetime
    finished_at: datetime | None
    expires_at: datetime
    size: int | None
    sha256: str | None
    download_path: str | None
    problem: str | None = Field(None, description="why it failed")


@router.get("", dependencies=GUARD, responses=WRONG)
async def exports(
    who: Who, session: Tenant, world: CurrentWorld, limit: Limit = 20, cursor: Cursor = ""
) -> Page[Export]:
    """The exports that are kept, the newest first."""
    workspace = await get_workspace(session, account_id=who.account_id)
    rows = await list_exports(
        session,
        account_id=who.account_id,
        workspace_id=workspace.id,
        now=world.clock.now(),
        before=read_cursor(cursor, datetime, UUID),
        limit=limit + 1,
    )
    shown, following = page_of(rows, limit, lambda row: (row.asked_at, row.id))
    return Page(data=[_export(each) for each in shown], next_cursor=following)


@router.post(
    "", dependencies=GUARD, status_code=HTTPStatus.ACCEPTED, response_model=Export, responses={**WRONG, **USED}
)
async def ask(
    request: Request,
    who: Who,
    session: Tenant,
    world: CurrentWorld,
    asked: NewExport,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Have an export made. It is kept for seven days."""

    async def add() -> Export:
        workspace = await get_workspace(session, account_id=who.account_id)
        export = await ask_for_export(
            session,
            Wanted(content=asked.content, format=asked.format, first=asked.first, last=asked.last),
            account_id=who.account_id,
            workspace_id=workspace.id,
            asked_by=who.user_id,
            now=world.clock.now(),
        )
        return _export(export)

    return await once(request, session, world, who, idempotency_key, add, status=HTTPStatus.ACCEPTED)


@router.get("/{export_id}", dependencies=GUARD, responses=UNKNOWN)
async def export(who: Who, session: Tenant, world: CurrentWorld, export_id: UUID) -> Export:
    """How far an export is."""
    return _export(await get_export(session, account_id=who.account_id, export_id=export_id, now=world.clock.now()))


@router.get("/{export_id}/download", dependencies=GUARD, response_class=Response, responses={**FILE, **UNKNOWN})
async def download(request: Request, who: Who, session: Tenant, world: CurrentWorld, export_id: UUID) -> Response:
    """The file. Send `Range` with `If-Range` to go on where a download broke off."""
    found = await get_export(session, account_id=who.account_id, export_id=export_id, now=world.clock.now())
    return export_file(request, world, found)


def _export(row: EvidenceExport) -> Export:
    ready = row.state == ExportState.READY
    return Export(
        id=row.id,
        content=Content(row.content),
        format=Format(row.format),
        first=row.first_sequence,
        last=row.last_sequence,
        state=ExportState(row.state),
        done=row.done,
        total=row.total,
        asked_at=row.asked_at,
        finished_at=row.finished_at,
        expires_at=row.expires_at,
        size=row.size if ready else None,
        sha256=row.sha256 if ready else None,
        download_path=f"{API_PATH}/exports/{row.id}/download" if ready else None,
        problem=row.problem.replace("\n", " ") or None,
    )
