"""How the numbers are made, in a merchant's words."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.activation.service import get_workspace
from payflux.monitor.projections.rules import MODEL_VERSION as PROJECTION_VERSION
from payflux.monitor.projections.rules.reserves import LIGHT_STRESS
from payflux.monitor.risk.rules.bands import MINIMUM_EVENTS, MINIMUM_PAYMENTS
from payflux.monitor.risk.rules.exposure import DELIVERY_DAYS
from payflux.monitor.risk.rules.holds import DEFAULT_HOLD_DAYS
from payflux.monitor.risk.rules.programmes.nowcast import ESCALATION
from payflux.monitor.risk.rules.scoring import MODEL_VERSION
from payflux.monitor.whatif.changes import SHIFTED_SHARE
from payflux.web.explaining import EXAMPLE_SALES, rolling_example, signal_rows, tier_rows
from payflux.web.guards import CurrentSubscription, CurrentWorld, Tenant, Who
from payflux.web.policies import guard
from payflux.web.product import product_context
from payflux.web.programmes import programme_rows
from payflux.web.rendering import render

router = APIRouter()

DEFAULTS = {
    "minimum_payments": MINIMUM_PAYMENTS,
    "minimum_events": MINIMUM_EVENTS,
    "warning_escalation": ESCALATION,
    "delivery_days": DELIVERY_DAYS,
    "hold_days": DEFAULT_HOLD_DAYS,
    "shifted_share": SHIFTED_SHARE,
    "example_sales": EXAMPLE_SALES,
    "light_stress": LIGHT_STRESS,
    "risk_model": MODEL_VERSION,
    "projection_model": PROJECTION_VERSION,
}
"""The numbers that the page's sentences state, as the models have them."""


@router.get("/how-it-works", dependencies=[guard(capability="monitor.read")])
async def how_it_works(
    request: Request, who: Who, session: Tenant, world: CurrentWorld, subscription: CurrentSubscription
) -> Response:
    """What is read, what the words mean, what is measured and what is assumed, and every rule with its source."""
    workspace = await get_workspace(session, account_id=who.account_id)
    now = world.clock.now()
    return render(
        request,
        "how_it_works.html",
        tiers=tier_rows(),
        example=rolling_example(tier=3),
        signals=signal_rows(now),
        programmes=programme_rows(now.date()),
        default=DEFAULTS,
        **product_context(world, workspace, subscription),
    )
