"""Read an account's subscription."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.billing.models import Subscription


async def live_subscription(session: AsyncSession, *, account_id: UUID) -> Subscription | None:
    """The account's subscription that is not canceled; whether it still runs is for the rules to say."""
    return (
        await session.execute(
            select(Subscription).where(Subscription.account_id == account_id, Subscription.status != "canceled")
        )
    ).scalar_one_or_none()


async def newest_subscription(session: AsyncSession, *, account_id: UUID) -> Subscription | None:
    """The account's subscription that is not canceled, else the one that was canceled last."""
    return (
        await session.execute(
            select(Subscription)
            .where(Subscription.account_id == account_id)
            .order_by((Subscription.status == "canceled").asc(), Subscription.canceled_at.desc().nulls_last())
            .order_by(Subscription.created_at.desc(), Subscription.id.desc())
            .limit(1)
        )
    ).scalar_one_or_none()
