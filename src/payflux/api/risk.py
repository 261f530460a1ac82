"""Risk for programs: what stands of the own workspace, and what a scan of a website finds."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.service import get_workspace
from payflux.api.problems import TOO_MANY
from payflux.api.structs import StructResponse
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.entitlements.usage import use
from payflux.kit.errors import NotFound
from payflux.kit.messages import gettext as _
from payflux.monitor.risk.surface import Band, RiskSurface
from payflux.monitor.scan.crawling import PROBLEMS
from payflux.monitor.scan.models import AskedBy, ScanStatus, SiteScan
from payflux.monitor.scan.queries import assessment_of, recent_scan
from payflux.monitor.scan.rules.findings import Finding, Severity, Status
from payflux.monitor.scan.service import asked_website, start_scan
from payflux.web.guards import CurrentWorld, Tenant, Who
from payflux.web.policies import guard
from payflux.web.readouts import current_readout
from payflux.web.scan_views import finding_view
from payflux.web.scanning import SCANS, require_turn
from payflux.world.bootstrap import World

router = APIRouter(prefix="/risk", tags=["risk"])

KEPT_FOR = timedelta(hours=1)
"""How long a scan answers those who ask for the same website again."""

DIRECTIONAL = "Directional: from public pages alone. It says nothing about payments, and no processor's decision."


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


class WorkspaceRisk(msgspec.Struct, frozen=True, kw_only=True):
    """What stands of the workspace. `risk_tier` is 1 (low) to 5 (critical), `stability_score` 0 to 100, the calmer the
    higher; the figures hold until `known_until`."""

    merchant_id: str
    connection_id: UUID
    processor: str
    risk_tier: int
    risk_band: Band
    stability_score: int
    known_until: datetime
    surface: RiskSurface


ANSWERS = (WorkspaceRisk,)


class WebsiteFinding(BaseModel):
    """What one check found. `severity` is 0 (none) to 4 (critical); `url` and `quote` are its evidence, empty where
    there is none; `source` says why a processor cares."""

    check: str
    status: Status
    severity: int
    title: str
    said: str
    url: str
    quote: str
    why: str
    mend: str
    cannot_see: str
    source: str


class WebsiteRisk(BaseModel):
    """A scan. `status` is waiting or reading until it is done or failed, `problem` says why it failed. `tier` is 1
    (low) to 5 (critical), null where the pages allow none, for the reason in `unjudged`."""

    url: str
    status: ScanStatus
    problem: str
    pages_read: list[str]
    scanned_at: datetime | None
    rules_version: str | None
    tier: int | None
    unjudged: str
    reasons: list[str]
    findings: list[WebsiteFinding]
    basis: str = DIRECTIONAL


@router.get(
    "",
    dependencies=[
        guard(capability="monitor.read", feature="processor_connection", metered=True, scope="risk:read"),
    ],
    response_class=StructResponse,
    responses={
        200: {
            "description": "the website's risk where `url` is sent, else the workspace's",
            "content": {"application/json": {"schema": {"oneOf": [_ref("WebsiteRisk"), _ref("WorkspaceRisk")]}}},
        },
        202: {"description": "the scan runs", "model": WebsiteRisk},
        404: {"description": "nothing was scored yet"},
        422: {"description": "`url` is no address of a public website"},
    }
    | TOO_MANY,
)
async def risk(
    who: Who,
    session: Tenant,
    world: CurrentWorld,
    url: Annotated[
        str | None,
        Query(description="a website, such as shop.example.com; without it, your own workspace", max_length=2000),
    ] = None,
) -> Response:
    """How a processor sees you: your workspace's band with its reasons, signals and forecast; or, with `url`, what its
    reviewer would find on the public pages of a website.

    The first call for a website starts a scan and answers 202 with `Retry-After`; ask again with the same address until
    `status` is `done` or `failed`. One that is younger than an hour is answered at once.
    """
    if url is None:
        return StructResponse(await _workspace_risk(session, who.account_id))
    scan = await _scan(session, world, who, url)
    headers = {} if scan.is_over else {"Retry-After": "2"}
    status = HTTPStatus.OK if scan.is_over else HTTPStatus.ACCEPTED
    return JSONResponse(_risk_of(scan).model_dump(mode="json"), status, headers)


async def _workspace_risk(session: AsyncSession, account_id: UUID) -> WorkspaceRisk:
    workspace = await get_workspace(session, account_id=account_id)
    current = await current_readout(session, workspace)
    if current is None:
        raise NotFound("Nothing was scored yet.", way_out="Ask again once the workspace is live: GET /workspace says.")
    return WorkspaceRisk(
        merchant_id=current.connection.external_account_id,
        connection_id=current.connection.id,
        processor=current.connection.processor,
        risk_tier=current.surface.risk_tier,
        risk_band=current.surface.risk_band,
        stability_score=current.surface.stability_score,
        known_until=current.known_until,
        surface=current.surface,
    )


async def _scan(session: AsyncSession, world: World, who: SignedIn, url: str) -> SiteScan:
    """The account's scan of `url` of the last hour, or one that begins now and counts."""
    address, now = asked_website(url, world.settings), world.clock.now()
    scan = await recent_scan(session, account_id=who.account_id, url=address, now=now, within=KEPT_FOR)
    if scan is not None:
        return scan
    require_turn(world, "", address)
    await use(session, world, account_id=who.account_id, key=SCANS)
    return await start_scan(session, address, account_id=who.account_id, asked_by=AskedBy.API, now=now)


def _risk_of(scan: SiteScan) -> WebsiteRisk:
    found = assessment_of(scan)
    return WebsiteRisk(
        url=scan.url,
        status=ScanStatus(scan.status),
        problem=_(PROBLEMS[scan.problem]) if scan.problem else "",
        pages_read=scan.pages_read,
        scanned_at=scan.finished_at,
        rules_version=found.version if found else None,
        tier=found.tier if found else None,
        unjudged=_(found.unjudged) if found and found.unjudged else "",
        reasons=list(found.reasons) if found else [],
        findings=[_finding(each) for each in found.findings] if found else [],
    )


def _finding(finding: Finding) -> WebsiteFinding:
    view = finding_view(finding)
    return WebsiteFinding(
        check=finding.key,
        status=finding.status,
        severity=int(Severity(finding.severity)),
        title=view.title,
        said=view.said,
        url=view.url,
        quote=view.quote,
        why=view.why,
        mend=view.mend,
        cannot_see=view.unseen,
        source=view.source,
    )
