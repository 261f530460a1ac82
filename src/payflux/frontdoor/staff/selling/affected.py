"""Who is affected by a change of a plan: the accounts that follow it, and the buyers who keep what they bought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import Account, Membership
from payflux.frontdoor.billing.models import Subscription
from payflux.frontdoor.billing.rules import TRIAL_PLAN

MOST_NAMED = 100


@dataclass(frozen=True)
class AffectedAccount:
    """One account with a subscription to the plan. `version` is the one it bought, None where it follows the plan."""

    account_id: UUID
    name: str
    status: str
    version: int | None
    members: int


@dataclass(frozen=True)
class Affected:
    """`following` accounts have the plan as it is sold, `bought` ones keep the version they bought unless they are
    moved. Of each group at most :data:`MOST_NAMED` are named, by name."""

    following: int
    followers: list[AffectedAccount]
    bought: int
    buyers: list[AffectedAccount]


async def affected_by(session: AsyncSession, *, plan: str, now: datetime) -> Affected:
    """Who a new version of `plan` affects, as the system role reads it. A running trial has what the trial's plan has,
    whatever it goes on with."""
    runs = and_(Subscription.status == "trialing", Subscription.current_period_end > now)
    follows = or_(Subscription.plan == plan, runs) if plan == TRIAL_PLAN else Subscription.plan == plan
    followers = await _accounts(session, and_(Subscription.plan_version.is_(None), follows))
    buyers = await _accounts(session, and_(Subscription.plan_version.is_not(None), Subscription.plan == plan))
    return Affected(*followers, *buyers)


async def _accounts(session: AsyncSession, which: ColumnElement[bool]) -> tuple[int, list[AffectedAccount]]:
    members = select(func.count()).where(Membership.account_id == Account.id).scalar_subquery()
    query = (
        select(Account.id, Account.name, Subscription.status, Subscription.plan_version, members, func.count().over())
        .join(Subscription, Subscription.account_id == Account.id)
        .where(Subscription.status != "canceled", which)
        .order_by(Account.name, Account.id)
        .limit(MOST_NAMED)
    )
    rows = (await session.execute(query)).all()
    return (rows[0][-1] if rows else 0), [AffectedAccount(*row[:-1]) for row in rows]
