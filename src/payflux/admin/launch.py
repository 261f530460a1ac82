"""The switch of the launch, who may come in before, and accounts that pay nothing."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.admin.guards import PATH, STAFF, STEPPED_UP, CurrentStaff
from payflux.frontdoor.billing import launch
from payflux.frontdoor.billing.complimentary import grant_complimentary
from payflux.frontdoor.staff.acts import record_act, require_reason
from payflux.kit.errors import InvalidInput
from payflux.web.forms import Text
from payflux.web.guards import CurrentWorld
from payflux.web.rendering import render, see_other

router = APIRouter()

LAUNCH = f"{PATH}/launch"
SWITCH: dict[str, bool | None] = {"on": True, "off": False, "as configured": None}


@router.get(LAUNCH, dependencies=STAFF)
async def launch_page(request: Request, staff: CurrentStaff, world: CurrentWorld) -> Response:
    """Who may register by themselves now, and who said so."""
    async with world.database.system() as session:
        state = await launch.launch_status(session, world.settings)
    return render(request, "admin/launch.html", staff=staff, launch=state, configured=world.settings.self_serve_enabled)


@router.post(f"{LAUNCH}/switch", dependencies=STEPPED_UP)
async def switch(staff: CurrentStaff, world: CurrentWorld, position: Text = "") -> Response:
    """Let everybody in, or invited people and listed addresses alone."""
    if position not in SWITCH:
        raise InvalidInput({"position": f"Choose one of {', '.join(SWITCH)}."})
    async with world.database.system() as session:
        await launch.switch_self_serve(session, SWITCH[position], by=str(staff), now=world.clock.now())
    return see_other(LAUNCH)


@router.post(f"{LAUNCH}/allowed", dependencies=STAFF)
async def allow(staff: CurrentStaff, world: CurrentWorld, email: Text = "") -> Response:
    """Put an address on the list."""
    async with world.database.system() as session:
        await launch.allow(session, email=email, by=str(staff), now=world.clock.now())
    return see_other(LAUNCH)


@router.post(f"{LAUNCH}/allowed/remove", dependencies=STAFF)
async def disallow(staff: CurrentStaff, world: CurrentWorld, email: Text = "") -> Response:
    """Take an address off the list."""
    async with world.database.system() as session:
        await launch.disallow(session, email=email)
    return see_other(LAUNCH)


@router.post(f"{PATH}/accounts/{{account_id}}/complimentary", dependencies=STEPPED_UP)
async def give_complimentary(staff: CurrentStaff, world: CurrentWorld, account_id: UUID, reason: Text = "") -> Response:
    """Give one account Pro without a price; its members are mailed."""
    why, now = require_reason(reason), world.clock.now()
    async with world.database.tenant(account_id) as session:
        given = await grant_complimentary(session, account_id=account_id, now=now, actor_id=staff.id)
        await record_act(
            session,
            staff,
            account_id=account_id,
            act="complimentary_granted",
            subject=str(given.id),
            at=now,
            reason=why,
        )
    return see_other(f"{PATH}/accounts/{account_id}")
