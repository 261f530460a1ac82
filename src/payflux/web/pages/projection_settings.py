"""What the workspace's projections go by: its own reserve terms, and how far ahead to look."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.models import Workspace
from payflux.activation.service import get_workspace
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team.capabilities import holders, may
from payflux.kit.errors import InvalidInput
from payflux.kit.messages import sentence_start
from payflux.monitor.projections.settings import ProjectionSettings
from payflux.monitor.projections.terms import FURTHEST, MOST_ADDED, added_horizons, set_terms, settings_of
from payflux.web.forms import Text
from payflux.web.guards import CurrentSubscription, CurrentWorld, Tenant, Who
from payflux.web.policies import guard
from payflux.web.product import product_context
from payflux.web.readouts import current_readout
from payflux.web.rendering import render, see_other

router = APIRouter()

PAGE = "/settings/projections"
TEMPLATE = "projection_settings.html"


@router.get(PAGE, dependencies=[guard(capability="monitor.read", feature="reserve_projection")])
async def show(
    request: Request, who: Who, session: Tenant, world: CurrentWorld, subscription: CurrentSubscription
) -> Response:
    """The terms as they are, beside what is projected now."""
    workspace = await get_workspace(session, account_id=who.account_id)
    settings = await settings_of(session, account_id=who.account_id, workspace_id=workspace.id)
    context = await _context(session, who, workspace) | product_context(world, workspace, subscription)
    return render(request, TEMPLATE, typed=_typed(settings), errors={}, **context)


@router.post(PAGE, dependencies=[guard(capability="projections.manage", feature="reserve_projection")])
async def change(
    request: Request,
    who: Who,
    session: Tenant,
    world: CurrentWorld,
    subscription: CurrentSubscription,
    rate: Text = "",
    hold_days: Text = "",
    horizons: Text = "",
) -> Response:
    """Keep the terms, and have the workspace projected by them."""
    workspace = await get_workspace(session, account_id=who.account_id)
    try:
        await set_terms(
            session,
            account_id=who.account_id,
            workspace_id=workspace.id,
            rate=rate,
            hold_days=hold_days,
            horizons=horizons,
            actor_id=who.user_id,
            now=world.clock.now(),
        )
    except InvalidInput as wrong:
        typed = {"rate": rate, "hold_days": hold_days, "horizons": horizons}
        context = await _context(session, who, workspace) | product_context(world, workspace, subscription)
        return render(request, TEMPLATE, wrong.status, typed=typed, errors=wrong.fields, **context)
    return see_other("/projections?asked=yes")


async def _context(session: AsyncSession, who: SignedIn, workspace: Workspace) -> dict[str, object]:
    current = await current_readout(session, workspace)
    return {
        "may_change": may(who.role, "projections.manage"),
        "who_may": sentence_start(holders("projections.manage")),
        "projection": current.projection if current else None,
        "furthest": FURTHEST,
        "most_added": MOST_ADDED,
    }


def _typed(settings: ProjectionSettings) -> dict[str, str]:
    return {
        "rate": "" if settings.rate is None else f"{settings.rate * 100:.4g}",
        "hold_days": "" if settings.hold_days is None else str(settings.hold_days),
        "horizons": ", ".join(map(str, added_horizons(settings))),
    }
