"""The pages that stand where the plan does not reach: the wall behind a trial, and what a larger plan holds."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.service import get_workspace
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.billing.queries import newest_subscription
from payflux.frontdoor.billing.rules import FREE_PLAN, standing_of, state_of
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.frontdoor.funnel.events import TrialEndedWallShown
from payflux.kit.errors import PaymentRequired
from payflux.web.billing_words import LOCKED, PREVIEW
from payflux.web.choosing import choosing_context
from payflux.web.guards import current_world
from payflux.web.offers import offer_of_feature, offer_of_limit
from payflux.web.product import product_context
from payflux.web.refusals import WorkspacePaused
from payflux.web.rendering import render, see_other
from payflux.web.visits import record_view
from payflux.world.bootstrap import World


async def wall(request: Request, who: SignedIn, refusal: PaymentRequired) -> Response:
    """The page that stands where `refusal` stopped `who`, at the same address: how the account stands, and the ways
    on; in a further workspace, who can go them."""
    world = current_world(request)
    async with world.database.tenant(who.account_id) as session:
        subscription = await newest_subscription(session, account_id=who.account_id)
        standing = standing_of(subscription) if subscription else None
        state = state_of(standing, world.clock.now())
        paused = isinstance(refusal, WorkspacePaused)
        if paused or (who.parent_id is not None and state in LOCKED):
            workspace = await get_workspace(session, account_id=who.account_id)
            return render(
                request,
                "workspaces/paused.html",
                refusal.status,
                who=who,
                **product_context(world, workspace, subscription),
            )
        if state not in LOCKED:
            if standing and standing.plan == FREE_PLAN and request.method == "GET" and request.url.path == "/dashboard":
                return see_other(PREVIEW)
            details = refusal.details
            feature, limit = str(details.get("feature", "")), str(details.get("limit_key", ""))
            return await upgrade_page(
                request, session, world, who, feature=feature, limit=limit, refusal=refusal, status=refusal.status
            )
        if state == "trial_ended":
            await record_view(request, TrialEndedWallShown(), who)
        return render(
            request,
            "wall.html",
            refusal.status,
            errors={},
            **await choosing_context(session, world, who, standing),
            **product_context(world, await get_workspace(session, account_id=who.account_id), subscription),
        )


async def upgrade_page(
    request: Request,
    session: AsyncSession,
    world: World,
    who: SignedIn,
    *,
    feature: str = "",
    limit: str = "",
    refusal: PaymentRequired | None = None,
    status: int = HTTPStatus.OK,
) -> Response:
    """What was blocked and why, which plans have it, and who can choose one."""
    subscription = await newest_subscription(session, account_id=who.account_id)
    standing = standing_of(subscription) if subscription else None
    held = await entitlements_of(session, world, account_id=who.account_id)
    offer = await (offer_of_feature(session, held, feature) if feature else offer_of_limit(session, held, limit))
    return render(
        request,
        "upgrade.html",
        status,
        offer=offer,
        refusal=refusal,
        **await choosing_context(
            session, world, who, standing, wished=offer.by_checkout[0] if offer and offer.by_checkout else ""
        ),
        **product_context(world, await get_workspace(session, account_id=who.account_id), subscription),
    )
