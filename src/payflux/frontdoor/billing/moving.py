"""Move a buyer to a later version of their plan: the price at Stripe first, then what the account has."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.billing.applying import refresh_account
from payflux.frontdoor.billing.queries import live_subscription
from payflux.frontdoor.catalogue.prices import price_of
from payflux.frontdoor.catalogue.versions import bump_account
from payflux.kit.jobs import Payload, Permanent, enqueue
from payflux.world.bootstrap import World
from payflux.world.stripe.billing import StripeBilling
from payflux.world.stripe.billing_objects import Item


class NoPrice(Permanent):
    """The version has no price at Stripe for what the account pays by; the account keeps what it bought."""


async def enqueue_move(session: AsyncSession, *, account_id: UUID, version: int) -> None:
    """Have the account moved to `version` of the plan it bought, if this transaction commits."""
    payload: Payload = {"account_id": str(account_id), "version": str(version)}
    await enqueue(session, move_to_version.__name__, payload, dedupe_key=f"move:{account_id}:{version}")


async def move_to_version(world: World, payload: Payload) -> None:
    """Job: from the next period on the subscription is for the price of the later version; nothing is charged or
    credited in between. What Stripe then says is what the account has. Whoever has it, or a later one, is left alone.
    """
    account_id, version = UUID(payload["account_id"]), int(payload["version"])
    gateway = StripeBilling(world.settings, world.http)
    async with world.database.tenant(account_id) as session:
        row = await live_subscription(session, account_id=account_id)
        if row is None or row.plan_version is None or row.plan_version >= version:
            return
        if row.stripe_subscription_id is None:
            row.plan_version = version
            await session.flush()
            await bump_account(session, account_id)
            return
        interval = "year" if row.billing_interval == "year" else "month"
        price = await price_of(session, plan=row.plan, version=version, interval=interval, livemode=gateway.livemode)
    if price is None:
        raise NoPrice(f"version {version} of {row.plan} has no price by the {interval}")
    remote = await gateway.subscription(row.stripe_subscription_id)
    if remote is None or remote.has_ended:
        return
    call = gateway.v1.subscription_items.update_async(
        remote.item.id,
        {"price": price.id, "proration_behavior": "none"},
        {"idempotency_key": f"move:{remote.item.id}:{price.id}"},
    )
    await gateway.ask(call, Item)
    await refresh_account(world, account_id)
