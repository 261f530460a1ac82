"""Evidence from elsewhere: bring a file, and read what it held under its own mark."""

from __future__ import annotations

import json
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from payflux.activation.service import get_workspace
from payflux.api.paging import Cursor, Limit, Page, page_of, read_cursor
from payflux.api.problems import Responses
from payflux.api.repeating import answer
from payflux.monitor.evidence.importing import ImportedBefore, import_evidence
from payflux.monitor.evidence.models import EvidenceImport, Form, ImportedRecord
from payflux.monitor.evidence.queries import get_import, imports_of, records_of
from payflux.web.guards import CurrentWorld, Tenant, Who
from payflux.web.policies import guard

router = APIRouter(prefix="/evidence/imports", tags=["evidence"])

READ = [guard(capability="monitor.read", entitled=True, history=True, metered=True, scope="evidence:read")]
BRING = [guard(capability="evidence.export", feature="evidence_export", metered=True, scope="evidence:write")]
UNKNOWN: Responses = {404: {"description": "no import of yours"}}
WRONG: Responses = {422: {"description": "a parameter is wrong"}}

LARGEST_FILE = 64 * 1024 * 1024
"""Bytes of a file that is brought."""

EXAMPLE = '{"at":"2024-05-01T10:00:00Z","kind":"reserve.letter","body":{"rate":0.1}}'
_LINES = {"application/x-ndjson": {"schema": {"type": "string", "examples": [EXAMPLE]}}}
FILE = {"requestBody": {"required": True, "content": _LINES}}


class Import(BaseModel):
    """A file that was brought. PayFlux vouches for when it came and for its SHA-256, by the artifact `sequence` of your
    ledger, and not for what it says. `origin` names whose ledger it is, null for plain records."""

    id: UUID
    form: Form
    file_name: str
    source_hash: str = Field(description="SHA-256 of the file, in hex")
    origin: str | None
    records: int
    imported_at: datetime
    imported_by: UUID
    sequence: int


class Record(BaseModel):
    """One record of a file, in its own words; `body` is null where its origin had kept it no longer."""

    number: int
    kind: str
    at: datetime
    body: dict[str, Any] | None


@router.get("", dependencies=READ, responses=WRONG)
async def imports(who: Who, session: Tenant, limit: Limit = 20, cursor: Cursor = "") -> Page[Import]:
    """What was brought from elsewhere, the newest first."""
    workspace = await get_workspace(session, account_id=who.account_id)
    rows = await imports_of(
        session,
        account_id=who.account_id,
        workspace_id=workspace.id,
        before=read_cursor(cursor, datetime, UUID),
        limit=limit + 1,
    )
    shown, following = page_of(rows, limit, lambda row: (row.imported_at, row.id))
    return Page(data=[_import(each) for each in shown], next_cursor=following)


@router.post(
    "",
    dependencies=BRING,
    status_code=HTTPStatus.CREATED,
    response_model=Import,
    responses={
        200: {"description": "the very same file was brought before: what became of it then", "model": Import},
        422: {"description": "the file is wrong; nothing was taken, and the line is named"},
    },
    openapi_extra=FILE,
)
async def bring_evidence(
    request: Request,
    who: Who,
    session: Tenant,
    world: CurrentWorld,
    file_name: Annotated[str, Query(max_length=100, description="what the file is called, for people")] = "",
) -> Response:
    """Keep a file beside your ledger: an exported ledger of another installation, every signature of which has to hold,
    or one record a line: at, kind and body. Up to 10,000 records and 64 MiB. It is taken whole or not at all, and the
    same file only once."""
    workspace = await get_workspace(session, account_id=who.account_id)
    try:
        brought = await import_evidence(
            world,
            session,
            await request.body(),
            account_id=who.account_id,
            workspace_id=workspace.id,
            file_name=file_name,
            imported_by=who.user_id,
        )
    except ImportedBefore as before:
        return answer(_import(before.brought))
    return answer(_import(brought), HTTPStatus.CREATED)


@router.get("/{import_id}", dependencies=READ, responses=UNKNOWN)
async def brought(who: Who, session: Tenant, import_id: UUID) -> Import:
    """One file that was brought."""
    return _import(await get_import(session, account_id=who.account_id, import_id=import_id))


@router.get("/{import_id}/records", dependencies=READ, responses={**UNKNOWN, **WRONG})
async def records(who: Who, session: Tenant, import_id: UUID, limit: Limit = 50, cursor: Cursor = "") -> Page[Record]:
    """What a file held, in its order."""
    found = await get_import(session, account_id=who.account_id, import_id=import_id)
    place = read_cursor(cursor, int)
    after = place[0] if place else 0
    rows = await records_of(
        session,
        account_id=who.account_id,
        import_id=found.id,
        after=min(after, found.records) if isinstance(after, int) else 0,
        limit=limit + 1,
    )
    shown, following = page_of(rows, limit, lambda row: (row.number,))
    return Page(data=[_record(each) for each in shown], next_cursor=following)


def _import(row: EvidenceImport) -> Import:
    return Import(
        id=row.id,
        form=Form(row.form),
        file_name=row.file_name,
        source_hash=row.source_hash,
        origin=row.origin or None,
        records=row.records,
        imported_at=row.imported_at,
        imported_by=row.imported_by,
        sequence=row.sequence,
    )


def _record(row: ImportedRecord) -> Record:
    return Record(number=row.number, kind=row.kind, at=row.at, body=None if row.body is None else json.loads(row.body))
