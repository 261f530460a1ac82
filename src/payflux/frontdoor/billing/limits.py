"""What an account's plan allows, as plain numbers."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.billing.models import Subscription
from payflux.frontdoor.catalogue.models import PlanLimits

FLOOR_PLAN = "free"
"""The plan of an account without a subscription."""


async def seat_limit(session: AsyncSession, *, account_id: UUID) -> int | None:
    """How many seats the account's plan has; None is unlimited."""
    subscribed = select(Subscription.plan).where(
        Subscription.account_id == account_id, Subscription.status != "canceled"
    )
    plan = (await session.execute(subscribed)).scalar_one_or_none() or FLOOR_PLAN
    return (await session.execute(select(PlanLimits.seats).where(PlanLimits.plan == plan))).scalar_one()
