"""What accounts pay a month."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.billing.models import Subscription
from payflux.frontdoor.billing.rules import PAYING, is_paid, monthly_cents
from payflux.frontdoor.catalogue.models import StripePrice


async def paying_accounts(session: AsyncSession, *, account_id: UUID | None = None) -> dict[UUID, int]:
    """The accounts that pay, or the one that is asked for, each with its US cents a month: the price that was bought
    times the seats, a year's by twelve, before discounts and tax. As the system role."""
    query = select(Subscription, StripePrice).join(StripePrice, StripePrice.id == Subscription.stripe_price_id)
    if account_id is not None:
        query = query.where(Subscription.account_id == account_id)
    return {
        held.account_id: monthly_cents(price.unit_amount_cents, held.seat_limit or 1, price.billing_interval)
        for held, price in await session.execute(query.where(Subscription.status.in_(PAYING)))
        if is_paid(held.plan, held.status)
    }


async def monthly_revenue(session: AsyncSession, *, account_id: UUID | None = None) -> int:
    """US cents a month of all accounts, or of one. As the system role."""
    return sum((await paying_accounts(session, account_id=account_id)).values())
