"""What the workspace is made of: whether it is live, and where each part of it is set."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.activation.conditions import conditions_of
from payflux.activation.service import get_workspace
from payflux.activation.watching import may_be_monitored
from payflux.frontdoor.accounts.team.capabilities import may
from payflux.frontdoor.entitlements.notices import SETUP_STEPS, dismissed
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.web.guards import CurrentSubscription, CurrentWorld, Tenant, Who
from payflux.web.policies import guard
from payflux.web.product import product_context
from payflux.web.rendering import render, see_other

router = APIRouter()


@router.get("/settings", dependencies=[guard(capability="monitor.read", entitled=True)])
async def settings(
    request: Request, who: Who, session: Tenant, world: CurrentWorld, subscription: CurrentSubscription
) -> Response:
    """The five conditions of a live workspace, and the way to everything that can be set."""
    workspace = await get_workspace(session, account_id=who.account_id)
    held = await entitlements_of(session, world, account_id=who.account_id)
    return render(
        request,
        "settings.html",
        conditions=conditions_of(workspace, entitled=may_be_monitored(held)),
        may_see_audit=may(who.role, "audit.read"),
        steps_hidden=SETUP_STEPS in await dismissed(session, who),
        **product_context(world, workspace, subscription),
    )


@router.get("/connectors", dependencies=[guard(capability="monitor.read")])
async def connectors() -> Response:
    """The other name of the page of what is connected."""
    return see_other("/connection")
