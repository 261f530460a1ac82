"""End what is paid for, because the account goes."""

from __future__ import annotations

from uuid import UUID

import structlog
from sqlalchemy import select

from payflux.frontdoor.accounts.models import Account
from payflux.frontdoor.billing.models import CheckoutAttempt, Subscription
from payflux.kit.errors import Unavailable
from payflux.kit.messages import gettext as _
from payflux.world.bootstrap import World
from payflux.world.stripe.billing import StripeBilling
from payflux.world.stripe.errors import StripeFailure

log = structlog.get_logger(__name__)


async def cancel_for_deletion(world: World, account_id: UUID) -> None:
    """End at Stripe whatever could still cost something: the open Checkout, then every subscription, at once. Nothing
    is written here: who deletes the account does it first, so that nobody pays for one that is gone.

    Raises Unavailable when Stripe does not answer; what it has ended by then stays so, and may be asked for again.
    """
    async with world.database.tenant(account_id) as session:
        known = select(Account.stripe_customer_id).where(Account.id == account_id)
        customer_id = (await session.execute(known)).scalar_one_or_none()
        begun = select(CheckoutAttempt.stripe_session_id).where(
            CheckoutAttempt.account_id == account_id, CheckoutAttempt.status == "open"
        )
        open_sessions = (await session.execute(begun)).scalars().all()
        followed = select(Subscription.stripe_subscription_id).where(
            Subscription.account_id == account_id, Subscription.status != "canceled"
        )
        ids = {each for each in (await session.execute(followed)).scalars() if each}
    if customer_id is None and not ids:
        return
    billing = StripeBilling(world.settings, world.http)
    try:
        for session_id in filter(None, open_sessions):
            await billing.expire_checkout(session_id)
        if customer_id is not None:
            ids |= {remote.id for remote in await billing.subscriptions(customer_id)}
        for subscription_id in sorted(ids):
            await billing.cancel_subscription(subscription_id)
    except StripeFailure as failure:
        log.warning("subscription not ended for a deletion", account_id=str(account_id), failure=str(failure))
        raise Unavailable(
            _("Stripe does not answer, so your subscription cannot be ended there. Nothing was deleted."),
            way_out=_("Try again in a few minutes."),
        ) from None
