"""How the shop's rates stand beside those of other shops of its size."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.activation.routing import Page, elsewhere
from payflux.activation.service import get_workspace
from payflux.monitor.benchmarks.rules import LEAST_SHOPS, SIZES
from payflux.monitor.benchmarks.service import compare
from payflux.web.guards import CurrentSubscription, CurrentWorld, Tenant, Who
from payflux.web.policies import guard
from payflux.web.product import product_context
from payflux.web.rendering import render, see_other
from payflux.web.standing_chart import standing_chart

router = APIRouter()


@router.get("/benchmarks", dependencies=[guard(capability="monitor.read", feature="benchmarks")])
async def benchmarks(
    request: Request, who: Who, session: Tenant, world: CurrentWorld, subscription: CurrentSubscription
) -> Response:
    """Each rate beside the middle of the others; what is missing where there is nothing to compare with."""
    workspace = await get_workspace(session, account_id=who.account_id)
    if to := elsewhere(Page.PROJECTIONS, workspace, world.clock.now()):
        return see_other(to)
    comparison = await compare(session, account_id=who.account_id)
    charts = {one.metric.key: standing_chart(one) for one in comparison.rates if one.rate is not None and one.others}
    return render(
        request,
        "benchmarks.html",
        comparison=comparison,
        charts=charts,
        least_payments=SIZES[0].least,
        least_shops=LEAST_SHOPS,
        **product_context(world, workspace, subscription),
    )
