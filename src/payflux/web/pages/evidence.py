"""The evidence: what was said, each with its proof, and exports of it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.service import get_workspace
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team.capabilities import may
from payflux.frontdoor.accounts.team.queries import members
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.kit.errors import InvalidInput
from payflux.kit.messages import gettext as _
from payflux.monitor.evidence.exporting import ask_for_export
from payflux.monitor.evidence.models import Content, Every, EvidenceExport, Format, ReportContent
from payflux.monitor.evidence.queries import get_export, imports_of, list_exports, reports_of
from payflux.monitor.evidence.rules import Wanted
from payflux.monitor.ledger.queries import count_artifacts, get_artifact, inclusion_proof, list_artifacts
from payflux.web.downloads import export_file
from payflux.web.evidence_views import KINDS, Filter, artifact_view, read_filter
from payflux.web.forms import Text
from payflux.web.guards import CurrentSubscription, CurrentWorld, Tenant, Who
from payflux.web.live import version_of_exports
from payflux.web.policies import guard
from payflux.web.product import product_context
from payflux.web.rendering import render, see_other
from payflux.world.bootstrap import World

HERE = "/evidence"
router = APIRouter(prefix=HERE)

CAPABILITY, FEATURE = "evidence.export", "evidence_export"
READ = [guard(capability="monitor.read", entitled=True, history=True)]
EXPORT = [guard(capability=CAPABILITY, feature=FEATURE)]

SHOWN = 25
LARGEST = 2**63 - 1


@router.get("", dependencies=READ)
async def evidence(
    request: Request,
    who: Who,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    kind: str = "",
    first_day: Annotated[str, Query(alias="from")] = "",
    last_day: Annotated[str, Query(alias="to")] = "",
    before: Annotated[int | None, Query(ge=1, le=LARGEST)] = None,
) -> Response:
    """The ledger as a timeline, the newest first, with what can be done with it."""
    form = {"kind": kind, "from": first_day, "to": last_day}
    return await evidence_page(request, who, world, session, subscription, form=form, before=before)


@router.get("/exports/version", dependencies=EXPORT)
async def exports_version(who: Who, world: CurrentWorld, session: Tenant) -> dict[str, str]:
    """What the list of exports rests on, so that the page finds out whether one has gone on."""
    return {"version": version_of_exports(await _exports(session, world, who))}


@router.get("/{sequence}", dependencies=READ)
async def artifact(
    request: Request,
    who: Who,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    sequence: Annotated[int, Path(ge=1, le=LARGEST)],
) -> Response:
    """One artifact: what it says, and its proof."""
    workspace = await get_workspace(session, account_id=who.account_id)
    found = await get_artifact(session, account_id=who.account_id, workspace_id=workspace.id, sequence=sequence)
    return render(
        request,
        "evidence/artifact.html",
        artifact=artifact_view(found),
        proof=await inclusion_proof(session, account_id=who.account_id, workspace_id=workspace.id, sequence=sequence),
        count=await count_artifacts(session, account_id=who.account_id, workspace_id=workspace.id),
        may_export=await _may_export(session, world, who),
        site=world.settings.url,
        **product_context(world, workspace, subscription),
    )


@router.post("/exports", dependencies=EXPORT)
async def export(
    request: Request,
    who: Who,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    content: Text = "",
    format_: Annotated[str, Form(alias="format")] = "",
    first: Text = "1",
    last: Text = "",
) -> Response:
    """Have an export made."""
    workspace = await get_workspace(session, account_id=who.account_id)
    try:
        await ask_for_export(
            session,
            _wanted(content, format_, first, last),
            account_id=who.account_id,
            workspace_id=workspace.id,
            asked_by=who.user_id,
            now=world.clock.now(),
        )
    except InvalidInput as wrong:
        return await evidence_page(request, who, world, session, subscription, errors=wrong.fields)
    return see_other(f"{HERE}#exports")


@router.get("/exports/{export_id}/download", dependencies=EXPORT)
async def download(request: Request, who: Who, world: CurrentWorld, session: Tenant, export_id: UUID) -> Response:
    """The file of an export, or the part of it that is missing."""
    found = await get_export(session, account_id=who.account_id, export_id=export_id, now=world.clock.now())
    return export_file(request, world, found)


def _wanted(content: str, format_: str, first: str, last: str) -> Wanted:
    problems = {}
    if content not in set(Content):
        problems["content"] = _("Choose artifacts or the dossier.")
    if format_ not in set(Format):
        problems["format"] = _("Choose JSONL, CSV or PDF.")
    for name, typed in (("first", first), ("last", last)):
        if typed and not (typed.isascii() and typed.isdigit() and len(typed) < 19):
            problems[name] = _("Write a whole number.")
    if problems:
        raise InvalidInput(problems)
    return Wanted(
        content=Content(content),
        format=Format(format_),
        first=int(first) if first else 1,
        last=int(last) if last else None,
    )


async def _exports(session: AsyncSession, world: World, who: SignedIn) -> list[EvidenceExport]:
    workspace = await get_workspace(session, account_id=who.account_id)
    return await list_exports(session, account_id=who.account_id, workspace_id=workspace.id, now=world.clock.now())


async def _may_export(session: AsyncSession, world: World, who: SignedIn) -> bool:
    held = await entitlements_of(session, world, account_id=who.account_id)
    return may(who.role, CAPABILITY) and held.features[FEATURE]


async def names_of(session: AsyncSession, who: SignedIn) -> dict[UUID, str]:
    """The names of the members, by id."""
    return {member.user_id: member.name for member in await members(session, account_id=who.account_id)}


async def evidence_page(
    request: Request,
    who: SignedIn,
    world: World,
    session: AsyncSession,
    subscription: CurrentSubscription,
    *,
    form: dict[str, str] | None = None,
    before: int | None = None,
    errors: dict[str, str] | None = None,
) -> Response:
    """The page of all evidence, filtered by what its `form` asks for, with the `errors` of one that was refused, by
    field; of the artifacts those `before` a number."""
    form, errors = form or {"kind": "", "from": "", "to": ""}, dict(errors or {})
    chosen = Filter()
    try:
        chosen = read_filter(kind=form["kind"], first_day=form["from"], last_day=form["to"])
    except InvalidInput as wrong:
        errors |= wrong.fields
    workspace = await get_workspace(session, account_id=who.account_id)
    place = {"account_id": who.account_id, "workspace_id": workspace.id}
    asked, exports = {name: value for name, value in form.items() if value}, await _exports(session, world, who)
    page = await list_artifacts(
        session,
        account_id=who.account_id,
        workspace_id=workspace.id,
        kinds=chosen.kinds,
        since=chosen.since,
        until=chosen.until,
        before=before,
        limit=SHOWN,
    )
    return render(
        request,
        "evidence/list.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK,
        artifacts=[artifact_view(each) for each in page.artifacts],
        count=await count_artifacts(session, **place),
        kinds=KINDS,
        form=form,
        filtered=bool(asked),
        older=f"?{urlencode(asked | {'before': str(page.next_before)})}" if page.next_before else "",
        errors=errors,
        may_export=await _may_export(session, world, who),
        exports=exports,
        live_version=version_of_exports(exports),
        reports=await reports_of(session, **place),
        report_contents=[each.value for each in ReportContent],
        everies=[each.value for each in Every],
        imports=await imports_of(session, account_id=who.account_id, workspace_id=workspace.id),
        names=await names_of(session, who),
        site=world.settings.url,
        **product_context(world, workspace, subscription),
    )
