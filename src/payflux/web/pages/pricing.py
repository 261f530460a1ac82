"""The pricing page: what is sold, from the rows that the guards go by."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from payflux.frontdoor.accounts.team.capabilities import may
from payflux.frontdoor.billing.queries import newest_subscription
from payflux.frontdoor.billing.rules import TRIAL
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.catalogue.queries import feature_flags, sold_plans
from payflux.frontdoor.funnel.events import PricingPageViewed
from payflux.web.guards import CurrentWorld, Visitor
from payflux.web.launch import require_self_serve
from payflux.web.plan_table import comparison_rows
from payflux.web.policies import Audience, guard
from payflux.web.rendering import render
from payflux.web.visits import record_view

router = APIRouter()


@router.get("/pricing", dependencies=[guard(Audience.PUBLIC), Depends(require_self_serve)])
async def pricing(request: Request, who: Visitor, world: CurrentWorld) -> Response:
    """Plans, prices, and what each allows; a member sees their own marked."""
    own = None
    await record_view(request, PricingPageViewed(), who)
    async with world.database.system() as session:
        plans = await sold_plans(session)
        features = await feature_flags(session)
    if who is not None:
        async with world.database.tenant(who.account_id) as session:
            own = await newest_subscription(session, account_id=who.account_id)
    return render(
        request,
        "pricing.html",
        plans=plans,
        rows=comparison_rows(plans, features),
        recommended=read_catalogue().recommended_plan,
        trial_days=TRIAL.days,
        own_plan=own.plan if own and own.status not in ("trialing", "canceled") else None,
        may_choose=who is not None and may(who.role, "billing.manage"),
        claims=world.settings.trust_claim_list,
        testimonial=world.settings.testimonial,
        testimonial_by=world.settings.testimonial_by,
    )
