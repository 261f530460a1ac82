"""The website scan for programs: the same engine, public, and limited by network."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from payflux.api.problems import TOO_MANY
from payflux.kit.messages import gettext as _
from payflux.monitor.scan.crawling import PROBLEMS
from payflux.monitor.scan.models import AskedBy, ScanStatus, SiteScan
from payflux.monitor.scan.queries import assessment_of, recent_scan_for_programs
from payflux.monitor.scan.rules.findings import Finding, Severity, Status
from payflux.monitor.scan.service import asked_website, start_scan
from payflux.web.browsers import client_of
from payflux.web.guards import CurrentWorld
from payflux.web.policies import Audience, guard
from payflux.web.scan_views import finding_view
from payflux.web.scanning import require_turn

router = APIRouter(prefix="/risk", tags=["risk"])

KEPT_FOR = timedelta(hours=1)
"""How long a scan answers those who ask for the same website again."""

DIRECTIONAL = "Directional: from public pages alone. It says nothing about payments, and no processor's decision."


class _Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class WebsiteFinding(_Camel):
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


class WebsiteRisk(_Camel):
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


@router.get("", dependencies=[guard(Audience.PUBLIC)], responses={202: {"model": WebsiteRisk}} | TOO_MANY)
async def website_risk(
    request: Request,
    response: Response,
    world: CurrentWorld,
    url: Annotated[str, Query(description="The website, such as shop.example.com", max_length=2000)],
) -> WebsiteRisk:
    """What a processor's reviewer would find on the public pages of `url`.

    The first call starts the scan and answers 202 with `Retry-After`; ask again with the same address until `status` is
    `done` or `failed`. One that is younger than an hour is answered at once.
    """
    address, now = asked_website(url, world.settings), world.clock.now()
    async with world.database.system() as session:
        scan = await recent_scan_for_programs(session, url=address, now=now, within=KEPT_FOR)
        if scan is None:
            require_turn(world, client_of(request).address, address)
            scan = await start_scan(session, address, asked_by=AskedBy.API, now=now)
    if not scan.is_over:
        response.status_code = 202
        response.headers["Retry-After"] = "2"
    return _risk_of(scan)


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
