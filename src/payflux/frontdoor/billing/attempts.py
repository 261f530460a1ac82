"""The end of a trip to Checkout, whoever learns of it first."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.billing.models import CheckoutAttempt
from payflux.frontdoor.funnel.events import BillingInterval, CatalogueKey, CheckoutAbandoned, CheckoutCompleted
from payflux.frontdoor.funnel.recording import record


async def close_attempt(
    session: AsyncSession, attempt: CheckoutAttempt, status: Literal["complete", "expired"], *, now: datetime
) -> None:
    """End `attempt`, which is open. What Stripe had not opened yet was not abandoned by anybody."""
    attempt.status, attempt.closed_at = status, now
    kind = CheckoutCompleted if status == "complete" else CheckoutAbandoned
    if attempt.stripe_session_id is not None:
        event = kind(CatalogueKey(attempt.plan), interval=BillingInterval(attempt.billing_interval))
        await record(session, event, at=now, account_id=attempt.account_id, user_id=attempt.created_by)
