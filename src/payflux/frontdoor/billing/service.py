"""Start a trial."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.billing import rules
from payflux.frontdoor.billing.models import Subscription
from payflux.kit.audit import record_change
from payflux.kit.ids import new_id


async def start_trial(session: AsyncSession, *, account_id: UUID, now: datetime) -> Subscription:
    """Give a new account the full Pro plan for 14 days, without a card."""
    subscription = Subscription(
        id=new_id(),
        account_id=account_id,
        plan=rules.TRIAL_PLAN,
        status="trialing",
        current_period_start=now,
        current_period_end=now + rules.TRIAL,
        created_at=now,
    )
    session.add(subscription)
    await record_change(
        session,
        account_id=account_id,
        action="subscription.trial_started",
        subject=str(subscription.id),
        at=now,
        after={"plan": subscription.plan, "status": subscription.status},
    )
    return subscription
