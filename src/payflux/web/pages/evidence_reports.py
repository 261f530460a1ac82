"""Reports of the evidence, mailed to members again and again."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from payflux.activation.service import get_workspace
from payflux.frontdoor.accounts.team.capabilities import may
from payflux.frontdoor.accounts.team.queries import members
from payflux.kit.errors import InvalidInput
from payflux.kit.messages import gettext as _
from payflux.monitor.evidence.models import ReportContent
from payflux.monitor.evidence.reporting import add_report, remove_report
from payflux.web.forms import Text
from payflux.web.guards import CurrentSubscription, CurrentWorld, Tenant, Who
from payflux.web.pages.evidence import CAPABILITY, EXPORT, HERE, evidence_page
from payflux.web.rendering import see_other

router = APIRouter(prefix=HERE)


@router.post("/reports", dependencies=EXPORT)
async def report(
    request: Request,
    who: Who,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    content: Text = "",
    every: Text = "",
    recipients: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Have a report mailed to members from now on."""
    workspace = await get_workspace(session, account_id=who.account_id)
    asked = set(recipients or [])
    chosen = [each for each in await members(session, account_id=who.account_id) if str(each.user_id) in asked]
    unable = [each.name for each in chosen if not may(each.role, CAPABILITY)]
    try:
        if content == ReportContent.DOSSIER and unable:
            told = _("The dossier cannot be fetched by %(names)s. Send them the summary, or change their role.")
            raise InvalidInput({"recipients": told % {"names": ", ".join(unable)}})
        await add_report(
            session,
            account_id=who.account_id,
            workspace_id=workspace.id,
            content=content,
            every=every,
            recipients={each.user_id for each in chosen},
            actor_id=who.user_id,
            now=world.clock.now(),
        )
    except InvalidInput as wrong:
        return await evidence_page(request, who, world, session, subscription, errors=wrong.fields)
    return see_other(f"{HERE}#reports")


@router.post("/reports/{report_id}/remove", dependencies=EXPORT)
async def stop_report(who: Who, world: CurrentWorld, session: Tenant, report_id: UUID) -> Response:
    """Mail a report no more."""
    await remove_report(
        session, account_id=who.account_id, report_id=report_id, actor_id=who.user_id, now=world.clock.now()
    )
    return see_other(f"{HERE}#reports")
