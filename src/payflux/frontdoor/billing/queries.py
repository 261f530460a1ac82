"""Read an account's subscription, and for the staff what has gone wrong with Stripe."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.family import paying_account
from payflux.frontdoor.billing.models import BillingDifference, StripeEvent, Subscription


async def live_subscription(session: AsyncSession, *, account_id: UUID) -> Subscription | None:
    """The subscription of the account, or of the one that pays for it, that is not canceled; whether it still runs is
    for the rules to say."""
    of_account = Subscription.account_id == paying_account(account_id)
    return (
        await session.execute(select(Subscription).where(of_account, Subscription.status != "canceled"))
    ).scalar_one_or_none()


async def newest_subscription(session: AsyncSession, *, account_id: UUID) -> Subscription | None:
    """The subscription of the account, or of the one that pays for it, that is not canceled, else the one that was
    canceled last; as it stands now, also where the session has seen it before."""
    return (
        await session.execute(
            select(Subscription)
            .where(Subscription.account_id == paying_account(account_id))
            .order_by((Subscription.status == "canceled").asc(), Subscription.canceled_at.desc().nulls_last())
            .order_by(Subscription.created_at.desc(), Subscription.id.desc())
            .limit(1)
            .execution_options(populate_existing=True)
        )
    ).scalar_one_or_none()


async def failed_events(session: AsyncSession, *, limit: int = 200) -> Sequence[StripeEvent]:
    """The events that were given up, the newest first; as the system role."""
    query = select(StripeEvent).where(StripeEvent.state == "failed").order_by(StripeEvent.received_at.desc())
    return (await session.execute(query.limit(limit))).scalars().all()


async def open_differences(session: AsyncSession) -> Sequence[BillingDifference]:
    """What differs between Stripe and us, the oldest first; as the system role."""
    query = select(BillingDifference).where(BillingDifference.resolved_at.is_(None))
    return (await session.execute(query.order_by(BillingDifference.found_at))).scalars().all()


async def waiting_events(session: AsyncSession) -> int:
    """How many events have not been applied yet."""
    query = select(func.count()).select_from(StripeEvent).where(StripeEvent.state == "waiting")
    return (await session.execute(query)).scalar_one()
