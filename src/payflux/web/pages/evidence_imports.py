"""Evidence from elsewhere: a file that is brought, and what it held."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from payflux.activation.service import get_workspace
from payflux.kit.errors import InvalidInput
from payflux.monitor.evidence.importing import ImportedBefore, import_evidence
from payflux.monitor.evidence.queries import get_import, records_of
from payflux.web.guards import CurrentSubscription, CurrentWorld, Tenant, Who
from payflux.web.pages.evidence import EXPORT, HERE, READ, evidence_page, names_of
from payflux.web.product import product_context
from payflux.web.rendering import render, see_other
from payflux.web.security import CSRF_FIELD, refuse_other_sites, refuse_wrong_token

router = APIRouter(prefix=HERE)
uploading = APIRouter()
"""What is uploaded, which is longer than other forms."""

RECORDS_SHOWN = 100


@uploading.post("/evidence", dependencies=EXPORT)
async def bring(
    request: Request, who: Who, world: CurrentWorld, session: Tenant, subscription: CurrentSubscription
) -> Response:
    """Keep evidence from elsewhere, with its mark."""
    refuse_other_sites(request)
    async with request.form(max_files=1, max_fields=1) as form:
        refuse_wrong_token(request, form.get(CSRF_FIELD))
        upload = form.get("file")
        data, name = (await upload.read(), upload.filename or "") if isinstance(upload, UploadFile) else (b"", "")
    workspace = await get_workspace(session, account_id=who.account_id)
    try:
        brought = await import_evidence(
            world,
            session,
            data,
            account_id=who.account_id,
            workspace_id=workspace.id,
            file_name=name,
            imported_by=who.user_id,
        )
    except InvalidInput as wrong:
        return await evidence_page(request, who, world, session, subscription, errors=wrong.fields)
    except ImportedBefore as before:
        return await evidence_page(request, who, world, session, subscription, errors={"file": before.message})
    return see_other(f"{HERE}/imports/{brought.id}")


@router.get("/imports/{import_id}", dependencies=READ)
async def imported(
    request: Request,
    who: Who,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    import_id: UUID,
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> Response:
    """What came from elsewhere, in its own words and under its own mark."""
    brought = await get_import(session, account_id=who.account_id, import_id=import_id)
    records = await records_of(
        session, account_id=who.account_id, import_id=import_id, after=after, limit=RECORDS_SHOWN + 1
    )
    return render(
        request,
        "evidence/import.html",
        brought=brought,
        by=(await names_of(session, who)).get(brought.imported_by),
        records=records[:RECORDS_SHOWN],
        following=records[RECORDS_SHOWN - 1].number if len(records) > RECORDS_SHOWN else None,
        **product_context(world, await get_workspace(session, account_id=who.account_id), subscription),
    )
