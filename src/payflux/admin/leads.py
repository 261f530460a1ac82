"""Who asked to talk to sales, and how far each of them is."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.admin.guards import PATH, STAFF, CurrentStaff
from payflux.frontdoor.sales.queries import SHOWN, changes_of, leads_by_status, newest_leads
from payflux.frontdoor.sales.rules import LeadStatus
from payflux.frontdoor.sales.service import change_status, erase_lead
from payflux.kit.errors import InvalidInput
from payflux.web.forms import Text
from payflux.web.guards import CurrentWorld
from payflux.web.rendering import render, see_other

router = APIRouter()

LEADS = f"{PATH}/leads"


@router.get(LEADS, dependencies=STAFF)
async def leads_page(request: Request, staff: CurrentStaff, world: CurrentWorld, status: str = "") -> Response:
    """The newest leads, of one status where it is named, with what the staff did about each."""
    chosen = status if status in set(LeadStatus) else ""
    async with world.database.system() as session:
        leads = await newest_leads(session, status=chosen)
        changes = await changes_of(session, [lead.id for lead in leads])
        counts = await leads_by_status(session)
    return render(
        request,
        "admin/leads.html",
        staff=staff,
        leads=[(lead, changes.get(lead.id, [])) for lead in leads],
        statuses=list(LeadStatus),
        counts=counts,
        chosen=chosen,
        shown=SHOWN,
    )


@router.post(f"{LEADS}/{{lead_id}}/status", dependencies=STAFF)
async def move_lead(staff: CurrentStaff, world: CurrentWorld, lead_id: UUID, status: Text = "") -> Response:
    """Say how far the lead is."""
    if status not in set(LeadStatus):
        raise InvalidInput({"status": f"Choose one of {', '.join(LeadStatus)}."})
    async with world.database.system() as session:
        await change_status(
            session,
            lead_id=lead_id,
            status=LeadStatus(status),
            staff_id=staff.id,
            by=str(staff),
            now=world.clock.now(),
        )
    return see_other(LEADS)


@router.post(f"{LEADS}/{{lead_id}}/erase", dependencies=STAFF)
async def forget_lead(staff: CurrentStaff, world: CurrentWorld, lead_id: UUID) -> Response:
    """Erase the lead, as whoever sent it has asked for."""
    async with world.database.system() as session:
        await erase_lead(session, lead_id=lead_id, staff_id=staff.id)
    return see_other(LEADS)
