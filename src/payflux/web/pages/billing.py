"""Plan and billing: where the account stands, the choice of a plan, and the ways to Stripe and back."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.activation.service import get_workspace
from payflux.frontdoor.accounts.models import Account
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.billing.checkout import create_checkout_session
from payflux.frontdoor.billing.free import choose_free
from payflux.frontdoor.billing.portal import open_customer_portal
from payflux.frontdoor.billing.queries import newest_subscription
from payflux.frontdoor.billing.rules import standing_of
from payflux.frontdoor.entitlements.notices import dismiss, dismissed
from payflux.frontdoor.entitlements.state import billing_state
from payflux.frontdoor.funnel.events import PlanPickerViewed, TrialModalDismissed
from payflux.frontdoor.funnel.recording import record
from payflux.kit.errors import InvalidInput, UserError
from payflux.web.billing_words import BILLING, SELECT_PLAN, buys_by_checkout, open_notices
from payflux.web.choosing import choosing_context
from payflux.web.forms import Text
from payflux.web.guards import CurrentWorld, Tenant, Who
from payflux.web.plan_table import seats_of
from payflux.web.policies import guard
from payflux.web.product import product_context
from payflux.web.rendering import render, see_other
from payflux.web.usage import usage_rows
from payflux.web.visits import record_view
from payflux.world.bootstrap import World

router = APIRouter(prefix=BILLING)

# neither a plan nor an unproven address stands before them: whoever would pay must be able to
LOOKING = [guard(verified=False)]
PAYING = [guard(verified=False, capability="billing.manage", of_account=True)]


@router.get("", dependencies=[guard(verified=False, of_account=True)])
async def billing_page(request: Request, who: Who, world: CurrentWorld, session: Tenant, success: str = "") -> Response:
    """Where the account stands. Back from Checkout, what happened is read from our own state, never from the address:
    until Stripe has told of the payment, the page says that it waits."""
    subscription = await newest_subscription(session, account_id=who.account_id)
    # of one instant: what the page says and what it waits to see changed, whatever Stripe tells of meanwhile
    context = product_context(world, await get_workspace(session, account_id=who.account_id), subscription)
    standing, now = context["standing"], context["now"]
    state = await billing_state(session, world, account_id=who.account_id)
    account = await session.get_one(Account, who.account_id)
    waits = buys_by_checkout(standing, now)
    return render(
        request,
        "billing.html",
        plan=state.plan_billing,
        usage=await usage_rows(session, world, account_id=who.account_id, limits=state.plan_limits),
        has_customer=account.stripe_customer_id is not None,
        confirming=bool(success) and waits,
        confirmed=bool(success) and not waits,
        notices=open_notices(standing, await dismissed(session, who), now),
        **await choosing_context(session, world, who, standing),
        **context,
    )


@router.get("/select-plan", dependencies=PAYING)
async def select_plan(request: Request, who: Who, world: CurrentWorld, session: Tenant, plan: str = "") -> Response:
    await record_view(request, PlanPickerViewed(), who)
    return await _select_page(request, who, world, session, plan=plan)


@router.post("/select-plan", dependencies=PAYING)
async def checkout(request: Request, who: Who, world: CurrentWorld, plan: Text = "", seats: Text = "") -> Response:
    """On to Stripe's Checkout; where that cannot begin, back to the choice with the reason."""
    count = 0
    try:
        count = seats_of(seats)
        return see_other(await create_checkout_session(world, who, plan=plan, seats=count))
    except UserError as refusal:
        errors = refusal.fields if isinstance(refusal, InvalidInput) else {"": f"{refusal.message} {refusal.way_out}"}
        async with world.database.tenant(who.account_id) as session:
            return await _select_page(
                request, who, world, session, plan=plan, seats=count, errors=errors, status=refusal.status
            )


@router.get("/free", dependencies=PAYING)
async def free_page(request: Request, who: Who, world: CurrentWorld, session: Tenant) -> Response:
    """What Free means, before it is chosen."""
    subscription = await newest_subscription(session, account_id=who.account_id)
    workspace = await get_workspace(session, account_id=who.account_id)
    return render(request, "keep_free.html", **product_context(world, workspace, subscription))


@router.post("/free", dependencies=PAYING)
async def keep_free(who: Who, world: CurrentWorld, session: Tenant) -> Response:
    await choose_free(session, who, world.clock.now())
    return see_other(BILLING)


@router.post("/portal", dependencies=PAYING)
async def portal(who: Who, world: CurrentWorld) -> Response:
    """On to Stripe's page for the card, the invoices and the end of the plan."""
    return see_other(await open_customer_portal(world, who))


@router.post("/notices/{notice}", dependencies=LOOKING)
async def close_notice(who: Who, world: CurrentWorld, session: Tenant, notice: str, then: Text = "") -> Response:
    """Show the member a notice no more, and lead on to the choice of a plan, where that is their answer."""
    now = world.clock.now()
    await dismiss(session, who, notice, now=now)
    if notice == "trial_ending":
        await record(session, TrialModalDismissed(), account_id=who.account_id, user_id=who.user_id, at=now)
    return see_other(SELECT_PLAN if then == "plans" else "/start")


async def _select_page(
    request: Request,
    who: SignedIn,
    world: World,
    session: Tenant,
    *,
    plan: str = "",
    seats: int = 0,
    errors: dict[str, str] | None = None,
    status: int = HTTPStatus.OK,
) -> Response:
    subscription = await newest_subscription(session, account_id=who.account_id)
    standing = standing_of(subscription) if subscription else None
    return render(
        request,
        "select_plan.html",
        status,
        errors=errors or {},
        **await choosing_context(session, world, who, standing, wished=plan, seats=seats),
        **product_context(world, await get_workspace(session, account_id=who.account_id), subscription),
    )
