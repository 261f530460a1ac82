"""Changes of a person, as the logs of the accounts they belong to tell them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import Membership
from payflux.kit.audit import record_change


async def record_personal_change(session: AsyncSession, *, user_id: UUID, action: str, at: datetime) -> None:
    """Write what a user changed about themselves to the log of each of their accounts. It holds no address."""
    accounts = select(Membership.account_id).where(Membership.user_id == user_id).order_by(Membership.account_id)
    for account_id in (await session.execute(accounts)).scalars().all():
        await record_change(
            session, account_id=account_id, actor_id=user_id, action=action, subject=str(user_id), at=at
        )
