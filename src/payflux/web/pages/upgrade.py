"""Why something is not in the plan, and which plan has it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.web.guards import CurrentWorld, Tenant, Who
from payflux.web.policies import guard
from payflux.web.walls import upgrade_page

router = APIRouter()


@router.get("/upgrade", dependencies=[guard(verified=False)])
async def upgrade(
    request: Request, who: Who, world: CurrentWorld, session: Tenant, feature: str = "", limit: str = ""
) -> Response:
    """What it takes to have `feature`, or more of `limit`."""
    return await upgrade_page(request, session, world, who, feature=feature, limit=limit)
