"""What runs by the clock for our own billing at Stripe."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

import structlog
from sqlalchemy import and_, or_, select

from payflux.frontdoor.billing.applying import refresh_account
from payflux.frontdoor.billing.inbox import enqueue_due_events, poll_stripe_events
from payflux.frontdoor.billing.models import Subscription
from payflux.frontdoor.billing.reconciling import reconcile_subscriptions
from payflux.kit.errors import NotFound
from payflux.kit.jobs import Payload, enqueue
from payflux.world.bootstrap import World
from payflux.world.stripe.errors import StripeFailure

log = structlog.get_logger(__name__)


async def apply_due_stripe_events(world: World) -> None:
    """Every minute: a job for each event that was tried before and is due again, and for each account of which Stripe
    should have told something by now: that a trial went on, or that a subscription has ended."""
    now = world.clock.now()
    overdue = select(Subscription.account_id).where(
        Subscription.stripe_subscription_id.is_not(None),
        or_(
            and_(Subscription.status == "trialing", Subscription.current_period_end <= now),
            and_(Subscription.status.in_(("trialing", "active", "past_due")), Subscription.cancel_at <= now),
        ),
    )
    async with world.database.system() as session:
        await enqueue_due_events(session, now=now)
        for account_id in (await session.execute(overdue)).scalars():
            payload = {"account_id": str(account_id)}
            await enqueue(session, "follow_subscription", payload, dedupe_key=f"follow_subscription {account_id}")


async def follow_subscription(world: World, payload: Payload) -> None:
    """Job: bring one account to what Stripe says. Raises as :func:`refresh_account`, but for one that is gone."""
    with suppress(NotFound):
        await refresh_account(world, UUID(payload["account_id"]))


async def keep_up_with_stripe(world: World) -> None:
    """Every ten minutes: what Stripe lists and no webhook has brought."""
    if not world.settings.stripe_secret_key.get_secret_value():
        return
    try:
        await poll_stripe_events(world)
    except StripeFailure as failure:
        log.warning("Stripe's events not read", failure=str(failure))


async def reconcile_billing(world: World) -> None:
    """Every night: report what differs."""
    if not world.settings.stripe_secret_key.get_secret_value():
        return
    try:
        found = await reconcile_subscriptions(world)
    except StripeFailure as failure:
        log.warning("billing not reconciled", failure=str(failure))
    else:
        log.info("billing reconciled", differences=len(found))
