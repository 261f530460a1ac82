"""The account's audit log: who changed what, when and from where; as a page and as a file."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from payflux.activation.service import get_workspace
from payflux.frontdoor.accounts.audit_log import (
    MOST_EXPORTED,
    LogFilter,
    actions_of,
    actor_name,
    actors_of,
    as_csv,
    find_entries,
    read_filter,
)
from payflux.kit.audit_check import verify_log
from payflux.kit.errors import InvalidInput
from payflux.web.guards import CurrentSubscription, CurrentWorld, Tenant, Who
from payflux.web.policies import guard
from payflux.web.product import product_context
from payflux.web.rendering import render

router = APIRouter()

READING = [guard(capability="audit.read", feature="audit_log", history=True)]
PAGE_SIZE = 50


@router.get("/account/audit", dependencies=READING)
async def audit_log(
    request: Request,
    who: Who,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    actor: str = "",
    action: str = "",
    first_day: Annotated[str, Query(alias="from")] = "",
    last_day: Annotated[str, Query(alias="to")] = "",
    before: Annotated[int | None, Query(ge=0, le=2**62)] = None,
) -> Response:
    """One page of the log, newest first, and whether its chain holds."""
    form = {"actor": actor, "action": action, "from": first_day, "to": last_day}
    chosen, errors, status = LogFilter(), {}, HTTPStatus.OK
    try:
        chosen = read_filter(actor=actor, action=action, first_day=first_day, last_day=last_day)
    except InvalidInput as wrong:
        errors, status = wrong.fields, wrong.status
    found = await find_entries(session, chosen, account_id=who.account_id, limit=PAGE_SIZE + 1, before=before)
    entries = found[:PAGE_SIZE]
    actors = await actors_of(session, account_id=who.account_id)
    asked = {name: value for name, value in form.items() if value}
    return render(
        request,
        "audit.html",
        status,
        entries=entries,
        actors=actors,
        actor_name=actor_name,
        names={str(user_id): name for user_id, name in actors.items()},
        actions=await actions_of(session, account_id=who.account_id),
        breaks=await verify_log(session, account_id=who.account_id),
        form=form,
        errors=errors,
        filtered=bool(asked),
        older=f"?{urlencode(asked | {'before': entries[-1].sequence})}" if len(found) > PAGE_SIZE else "",
        file=f"/account/audit.csv?{urlencode(asked)}" if asked and not errors else "/account/audit.csv",
        **product_context(world, await get_workspace(session, account_id=who.account_id), subscription),
    )


@router.get("/account/audit.csv", dependencies=READING)
async def audit_file(
    who: Who,
    session: Tenant,
    actor: str = "",
    action: str = "",
    first_day: Annotated[str, Query(alias="from")] = "",
    last_day: Annotated[str, Query(alias="to")] = "",
) -> Response:
    """The same entries as CSV, up to the newest 50,000."""
    chosen = read_filter(actor=actor, action=action, first_day=first_day, last_day=last_day)
    entries = await find_entries(session, chosen, account_id=who.account_id, limit=MOST_EXPORTED)
    actors = await actors_of(session, account_id=who.account_id)
    headers = {"Content-Disposition": 'attachment; filename="payflux-audit-log.csv"'}
    return Response(as_csv(entries, actors), media_type="text/csv; charset=utf-8", headers=headers)
