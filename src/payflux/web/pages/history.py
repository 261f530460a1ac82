"""What was computed before, to read and nothing else: also behind the wall, for as long as it is readable."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.activation.service import get_workspace
from payflux.frontdoor.billing.rules import history_until
from payflux.kit.phrases import spoken
from payflux.monitor.projections.queries import latest_readouts
from payflux.web.guards import CurrentSubscription, CurrentWorld, Tenant, Who
from payflux.web.policies import guard
from payflux.web.product import product_context
from payflux.web.rendering import render

router = APIRouter()

SHOWN = 60
"""How many readouts one page holds."""


@router.get("/history", dependencies=[guard(capability="monitor.read", entitled=True, history=True)])
async def history(
    request: Request, who: Who, world: CurrentWorld, session: Tenant, subscription: CurrentSubscription
) -> Response:
    """The last readouts, each with its date; the newest whole."""
    context = product_context(world, await get_workspace(session, account_id=who.account_id), subscription)
    standing = context["standing"]
    return render(
        request,
        "history.html",
        readouts=[
            (spoken(surface), spoken(projection))
            for surface, projection in await latest_readouts(session, account_id=who.account_id, limit=SHOWN)
        ],
        history_until=history_until(standing.status, standing.ended_at) if standing else None,
        **context,
    )
