"""What runs by the clock for our own billing at Stripe."""

from __future__ import annotations

import structlog

from payflux.frontdoor.billing.inbox import enqueue_due_events, poll_stripe_events
from payflux.frontdoor.billing.reconciling import reconcile_subscriptions
from payflux.world.bootstrap import World
from payflux.world.stripe.errors import StripeFailure

log = structlog.get_logger(__name__)


async def apply_due_stripe_events(world: World) -> None:
    """Every minute: a job for each event that was tried before and is due again."""
    async with world.database.system() as session:
        await enqueue_due_events(session, now=world.clock.now())


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
