"""What has gone wrong between Stripe and us about who pays for what, and the two ways to have it looked at again."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.admin.guards import PATH, STAFF, CurrentStaff
from payflux.frontdoor.billing import queries
from payflux.frontdoor.billing.applying import UnknownPrice, refresh_account
from payflux.frontdoor.billing.inbox import apply_again
from payflux.frontdoor.billing.reconciling import KINDS, reconcile_subscriptions
from payflux.frontdoor.staff.acts import record_act
from payflux.kit.errors import Conflict, Unavailable
from payflux.web.guards import CurrentWorld
from payflux.web.rendering import render, see_other
from payflux.world.stripe.errors import StripeFailure

router = APIRouter()

BILLING = f"{PATH}/billing"
DONE = {
    "again": "The event is tried again now.",
    "read": "The account was read again at Stripe. What it says is in the account's log.",
    "compared": "Stripe and PayFlux were compared just now.",
}


@router.get(BILLING, dependencies=STAFF)
async def billing_page(request: Request, staff: CurrentStaff, world: CurrentWorld, done: str = "") -> Response:
    """The events that were given up, and what differs."""
    async with world.database.system() as session:
        failed, differences = await queries.failed_events(session), await queries.open_differences(session)
        waiting = await queries.waiting_events(session)
    return render(
        request,
        "admin/billing.html",
        staff=staff,
        failed=failed,
        differences=differences,
        kinds=KINDS,
        waiting=waiting,
        done=DONE.get(done, ""),
    )


@router.post(f"{BILLING}/events/{{event_id}}/again", dependencies=STAFF)
async def try_event_again(world: CurrentWorld, event_id: str) -> Response:
    """Have a failed event applied once more."""
    async with world.database.system() as session:
        await apply_again(session, event_id, now=world.clock.now())
    return see_other(f"{BILLING}?done=again")


@router.post(f"{BILLING}/accounts/{{account_id}}/read", dependencies=STAFF)
async def read_account_again(staff: CurrentStaff, world: CurrentWorld, account_id: UUID) -> Response:
    """Bring one account to what Stripe says."""
    try:
        outcome = await refresh_account(world, account_id)
    except UnknownPrice as trouble:
        raise Conflict(f"Nothing was changed: {trouble}.", way_out="Move it to a price of ours at Stripe.") from None
    except StripeFailure as failure:
        raise _unavailable(failure) from None
    async with world.database.tenant(account_id) as session:
        now, subject = world.clock.now(), str(account_id)
        await record_act(
            session, staff, account_id=account_id, act="billing_read", subject=subject, at=now, outcome=outcome
        )
    return see_other(f"{BILLING}?done=read")


@router.post(f"{BILLING}/compare", dependencies=STAFF)
async def compare_now(world: CurrentWorld) -> Response:
    """Compare with Stripe without waiting for the night."""
    try:
        await reconcile_subscriptions(world)
    except StripeFailure as failure:
        raise _unavailable(failure) from None
    return see_other(f"{BILLING}?done=compared")


def _unavailable(failure: StripeFailure) -> Unavailable:
    return Unavailable(f"Nothing was changed: {failure}.", way_out="Try again in a few minutes.")
