"""How long the account keeps what: the periods, what a shorter one would drop, and choosing one."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.retention.choosing import FEATURE, Outlook, choose, look_ahead, periods_of
from payflux.activation.retention.rules import NOTICE
from payflux.activation.retention.words import NAMES
from payflux.activation.service import get_workspace
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.kit.errors import InvalidInput
from payflux.web.forms import Text
from payflux.web.guards import CurrentSubscription, CurrentWorld, Tenant, Who
from payflux.web.policies import guard
from payflux.web.product import product_context
from payflux.web.rendering import render, see_other
from payflux.world.bootstrap import World

router = APIRouter()

PAGE = "/settings/retention"
READ = [guard(capability="account.update", entitled=True)]
LOOK = [guard(capability="account.update", feature=FEATURE)]
CHANGE = [guard(capability="account.update", feature=FEATURE, grace=False, step_up=True)]


@router.get(PAGE, dependencies=READ)
async def show(
    request: Request, who: Who, session: Tenant, world: CurrentWorld, subscription: CurrentSubscription
) -> Response:
    """The period of each kind."""
    return await _page(request, who, session, world, subscription)


@router.get(f"{PAGE}/{{kind}}/review", dependencies=LOOK)
async def review(
    request: Request,
    who: Who,
    session: Tenant,
    world: CurrentWorld,
    subscription: CurrentSubscription,
    kind: str,
    days: str = "",
) -> Response:
    """What a choice would do, before it is made."""
    try:
        outlook = await look_ahead(session, world, account_id=who.account_id, kind=kind, days=days)
    except InvalidInput as wrong:
        return await _page(request, who, session, world, subscription, wrong=(kind, days, wrong))
    return await _page(request, who, session, world, subscription, outlook=outlook)


@router.post(PAGE, dependencies=CHANGE)
async def change(
    request: Request,
    who: Who,
    session: Tenant,
    world: CurrentWorld,
    subscription: CurrentSubscription,
    kind: Text = "",
    days: Text = "",
) -> Response:
    """Choose a period: a longer one holds at once, a shorter one after a week."""
    try:
        await choose(session, world, who, kind=kind, days=days)
    except InvalidInput as wrong:
        return await _page(request, who, session, world, subscription, wrong=(kind, days, wrong))
    return see_other(PAGE)


async def _page(
    request: Request,
    who: SignedIn,
    session: AsyncSession,
    world: World,
    subscription: CurrentSubscription,
    *,
    outlook: Outlook | None = None,
    wrong: tuple[str, str, InvalidInput] | None = None,
) -> Response:
    held = await entitlements_of(session, world, account_id=who.account_id)
    kind, typed, refusal = wrong or ("", "", None)
    return render(
        request,
        "retention.html",
        refusal.status if refusal else HTTPStatus.OK,
        in_plan=held.features.get(FEATURE, False),
        periods=await periods_of(session, world, account_id=who.account_id),
        names=NAMES,
        outlook=outlook,
        notice_days=NOTICE.days,
        wrong_kind=kind,
        typed=typed,
        errors={f"{kind}-days": words for words in refusal.fields.values()} if refusal else {},
        **product_context(world, await get_workspace(session, account_id=who.account_id), subscription),
    )
