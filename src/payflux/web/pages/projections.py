"""How the readout has moved: every reading of the connected processor, as a chart and as a table; and another one."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.activation.routing import Page, elsewhere
from payflux.activation.service import get_workspace
from payflux.monitor.processors.news import ReadingReason, enqueue_reading
from payflux.monitor.projections.timeline import newest_points, points_over_time
from payflux.web.charts import tier_timeline_chart, trapped_timeline_chart
from payflux.web.freshness import freshness_line
from payflux.web.guards import CurrentSubscription, CurrentWorld, Tenant, Who
from payflux.web.live import version_of
from payflux.web.policies import guard
from payflux.web.product import product_context
from payflux.web.readouts import REASONS, current_readout
from payflux.web.rendering import render, see_other

router = APIRouter()

CHARTED = timedelta(days=90)
POINTS = 90
"""Readings of a chart, at most."""

LISTED = 60
"""Readings of the table."""


@router.get("/projections", dependencies=[guard(capability="monitor.read", feature="reserve_projection")])
async def projections(
    request: Request, who: Who, session: Tenant, world: CurrentWorld, subscription: CurrentSubscription
) -> Response:
    """The readings so far; until there is one, the page that leads to it."""
    workspace = await get_workspace(session, account_id=who.account_id)
    if to := elsewhere(Page.PROJECTIONS, workspace, world.clock.now()):
        return see_other(to)
    current = await current_readout(session, workspace)
    if current is None:
        return see_other("/activate/arming")
    connection, currency = current.connection, current.projection.currency
    since = world.clock.now() - CHARTED
    points = await points_over_time(session, connection, since=since, at_most=POINTS)
    charted = [point for point in points if point.currency == currency]
    return render(
        request,
        "projections.html",
        surface=current.surface,
        projection=current.projection,
        reading=current.line,
        freshness=await freshness_line(session, world, connection, figures_as_of=current.known_until),
        reasons=REASONS,
        asked="asked" in request.query_params,
        live_version=await version_of(session, workspace),
        readings=await newest_points(session, connection, limit=LISTED),
        left_out=len(points) - len(charted),
        trapped_charts=[trapped_timeline_chart(charted, width) for width in (720, 360)] if len(charted) > 1 else [],
        tier_charts=[tier_timeline_chart(charted, width) for width in (720, 360)] if len(charted) > 1 else [],
        **product_context(world, workspace, subscription),
    )


@router.post("/projections", dependencies=[guard(capability="monitor.read", feature="reserve_projection")])
async def read_again(who: Who, session: Tenant) -> Response:
    """Have the stored history read again now, as far as the plan's projections reach."""
    workspace = await get_workspace(session, account_id=who.account_id)
    await enqueue_reading(
        session, account_id=who.account_id, workspace_id=workspace.id, reason=ReadingReason.ASKED, urgent=True
    )
    return see_other("/projections?asked=yes")
