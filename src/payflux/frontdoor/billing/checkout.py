"""The way to Stripe's Checkout: one open trip of an account at a time, and nothing half-done when Stripe is down.

The row of the attempt is what keeps two requests apart, and its id is in the idempotency key: whoever takes up an
attempt that another request began asks Stripe for the same session and gets it. So no lock is held while Stripe is
asked.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import Account
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.billing.attempts import close_attempt
from payflux.frontdoor.billing.customers import customer_of
from payflux.frontdoor.billing.models import CheckoutAttempt
from payflux.frontdoor.billing.orders import Order, order_of
from payflux.frontdoor.billing.portal import change_url, portal_url
from payflux.frontdoor.billing.queries import live_subscription
from payflux.frontdoor.billing.rules import trial_end_for_checkout
from payflux.frontdoor.funnel.events import BillingInterval, CatalogueKey, CheckoutSessionCreated
from payflux.frontdoor.funnel.recording import record
from payflux.kit.audit import record_change
from payflux.kit.errors import Conflict, Unavailable
from payflux.kit.ids import new_id
from payflux.kit.messages import gettext as _
from payflux.world.bootstrap import World
from payflux.world.stripe.billing import StripeBilling
from payflux.world.stripe.billing_objects import CheckoutSession, RemoteSubscription, instant
from payflux.world.stripe.errors import StripeFailure

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams

LIFE = timedelta(hours=24)
"""How long a session can be paid; Stripe's default and most."""
TAKEN_UP = timedelta(minutes=5)
"""For how long an attempt that has no session yet is taken up by another request: its trial's end is counted from its
beginning, and must still be 48 hours away."""

log = structlog.get_logger(__name__)


class CheckoutFailed(Unavailable):
    """Stripe did not make a session. Nothing was bought, and nothing is left open."""

    code = "checkout_failed"


class CheckoutReplaced(Conflict):
    """While this one was being made, another Checkout of the account was begun, or one was paid."""

    code = "checkout_replaced"


async def create_checkout_session(
    world: World, who: SignedIn, *, plan: str, seats: int, interval: str = "month"
) -> str:
    """The address at Stripe where the account pays for `seats` seats of `plan`, each `interval` ("month" or "year").

    The same order leads to the session that is open already; another one ends it first. An account with a subscription
    that has not ended at Stripe is led to the portal instead, where it confirms the change or pays what is open:
    nobody buys twice. What is left of a trial goes along. Nothing is granted here: Stripe's events do that.

    Raises InvalidInput, PlanNotAtStripe, CheckoutFailed where Stripe does not answer, and CheckoutReplaced.
    """
    billing = StripeBilling(world.settings, world.http)
    async with world.database.tenant(who.account_id) as session:
        order = await order_of(session, plan, seats, interval, account_id=who.account_id, livemode=billing.livemode)
    try:
        customer_id = await customer_of(world, billing, who)
        running = [remote for remote in await billing.subscriptions(customer_id) if not remote.has_ended]
        if running:
            return await _instead(world, billing, order, running)
        await _end_other(world, billing, who, order)
        attempt = await _attempt(world, who, order)
        return await _session_url(world, billing, who, order, attempt, customer_id)
    except StripeFailure as failure:
        world.metrics.checkout_failures.inc()
        log.warning("checkout not started", account_id=str(who.account_id), failure=str(failure))
        await _close(world, who.account_id, unless_begun=True)
        raise CheckoutFailed(
            _("Couldn't start checkout. Try again."),
            way_out=_("Nothing was bought and your card was not charged. Try again in a few minutes."),
        ) from None


async def _instead(world: World, billing: StripeBilling, order: Order, running: list[RemoteSubscription]) -> str:
    """Where somebody is led who has a subscription: to confirm the change of it, or to the portal as it is."""
    only = running[0]
    unchanged = (only.item.price.id, only.item.quantity) == (order.price_id, order.seats)
    if len(running) > 1 or unchanged or only.status not in ("trialing", "active"):
        return await portal_url(world, billing, only.customer)
    return await change_url(
        world, billing, only, product_id=order.product_id, price_id=order.price_id, seats=order.seats
    )


async def _end_other(world: World, billing: StripeBilling, who: SignedIn, order: Order) -> None:
    """End the open session unless it is for `order` and can still be paid. Raises CheckoutReplaced for a paid one."""
    async with world.database.tenant(who.account_id) as session:
        open_one = await _open_attempt(session, who.account_id)
    if open_one is None:
        return
    if open_one.stripe_session_id is None:
        if not _same(open_one, order) or world.clock.now() - open_one.created_at >= TAKEN_UP:
            await _close(world, who.account_id, attempt_id=open_one.id)
        return
    there = await billing.checkout(open_one.stripe_session_id)
    if there is not None and there.status == "open":
        if _same(open_one, order) and open_one.url:
            return
        there = await billing.expire_checkout(there.id)
    paid = there is not None and there.status == "complete"
    await _close(world, who.account_id, attempt_id=open_one.id, status="complete" if paid else "expired")
    bought = await billing.subscription(there.subscription) if there and there.subscription else None
    if bought is not None and not bought.has_ended:
        raise CheckoutReplaced(
            _("Your payment has gone through already."),
            way_out=_("Open Billing: your plan becomes active within a minute."),
            details={"billing_url": "/account/billing?success=1"},
        )


async def _attempt(world: World, who: SignedIn, order: Order) -> CheckoutAttempt:
    """The one open attempt for `order`: the one that is there, or a new one."""
    async with world.database.tenant(who.account_id) as session:
        await _lock_account(session, who.account_id)
        open_one = await _open_attempt(session, who.account_id)
        if open_one is not None:
            if not _same(open_one, order):
                raise _replaced()
            return open_one
        now = world.clock.now()
        attempt = CheckoutAttempt(
            account_id=who.account_id,
            id=new_id(),
            plan=order.plan,
            plan_version=order.version,
            billing_interval=order.interval,
            seats=order.seats,
            status="open",
            created_by=who.user_id,
            created_at=now,
            expires_at=now + LIFE,
        )
        session.add(attempt)
        await record_change(
            session,
            account_id=who.account_id,
            actor_id=who.user_id,
            action="checkout.started",
            subject=str(attempt.id),
            at=now,
            after={"plan": order.plan, "seats": order.seats, "billing_interval": order.interval},
        )
        return attempt


async def _session_url(
    world: World, billing: StripeBilling, who: SignedIn, order: Order, attempt: CheckoutAttempt, customer_id: str
) -> str:
    if attempt.url:
        return attempt.url
    async with world.database.tenant(who.account_id) as session:
        subscription = await live_subscription(session, account_id=who.account_id)
    on_trial = subscription is not None and subscription.status == "trialing"
    promised = subscription.current_period_end if subscription and on_trial else None
    trial_end = trial_end_for_checkout(promised, attempt.created_at)
    made = await billing.create_checkout(
        _params(world, who.account_id, order, attempt.id, customer_id, trial_end),
        key=f"checkout:{who.account_id}:{order.version}:{attempt.id}",
    )
    async with world.database.tenant(who.account_id) as session:
        await _lock_account(session, who.account_id)
        stored = await _open_attempt(session, who.account_id)
        if stored is not None and stored.id == attempt.id and made.url:
            stored.stripe_session_id, stored.url = made.id, made.url
            stored.expires_at = instant(made.expires_at) or stored.expires_at
            opened = CheckoutSessionCreated(CatalogueKey(order.plan), interval=BillingInterval(order.interval))
            now, account_id = world.clock.now(), who.account_id
            await record(session, opened, at=now, account_id=account_id, user_id=who.user_id)
            return made.url
    await _withdraw(billing, made)
    raise _replaced()


def _params(
    world: World, account_id: UUID, order: Order, attempt_id: UUID, customer_id: str, trial_end: datetime | None
) -> SessionCreateParams:
    """What Stripe is asked for. The payment methods are those that the Dashboard allows."""
    told = {"account_id": str(account_id), "attempt_id": str(attempt_id), "plan": order.plan}
    data: Any = {"metadata": told} | ({"trial_end": int(trial_end.timestamp())} if trial_end else {})
    return {
        "mode": "subscription",
        "customer": customer_id,
        "line_items": [{"price": order.price_id, "quantity": order.seats}],
        "client_reference_id": str(account_id),
        "metadata": told,
        "subscription_data": data,
        "success_url": f"{world.settings.url}/account/billing?success=1",
        "cancel_url": f"{world.settings.url}/account/billing/select-plan",
    }


async def _withdraw(billing: StripeBilling, made: CheckoutSession) -> None:
    """Nobody was told the address of this session, and nobody shall pay it."""
    await billing.expire_checkout(made.id)


async def _close(
    world: World,
    account_id: UUID,
    *,
    attempt_id: UUID | None = None,
    status: Literal["complete", "expired"] = "expired",
    unless_begun: bool = False,
) -> None:
    async with world.database.tenant(account_id) as session:
        await _lock_account(session, account_id)
        open_one = await _open_attempt(session, account_id)
        if open_one is None or (attempt_id is not None and open_one.id != attempt_id):
            return
        if unless_begun and open_one.stripe_session_id is not None:
            return
        await close_attempt(session, open_one, status, now=world.clock.now())


async def _open_attempt(session: AsyncSession, account_id: UUID) -> CheckoutAttempt | None:
    query = select(CheckoutAttempt).where(CheckoutAttempt.account_id == account_id, CheckoutAttempt.status == "open")
    return (await session.execute(query)).scalar_one_or_none()


async def _lock_account(session: AsyncSession, account_id: UUID) -> None:
    await session.execute(select(Account.id).where(Account.id == account_id).with_for_update(key_share=True))


def _same(attempt: CheckoutAttempt, order: Order) -> bool:
    held = (attempt.plan, attempt.plan_version, attempt.billing_interval, attempt.seats)
    return held == (order.plan, order.version, order.interval, order.seats)


def _replaced() -> CheckoutReplaced:
    return CheckoutReplaced(
        _("Another checkout of this account was started at the same time."),
        way_out=_("Use that one, or choose again."),
    )
