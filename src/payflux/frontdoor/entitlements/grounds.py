"""Read the rows that an account's entitlements rest on."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.family import parent_of
from payflux.frontdoor.billing.queries import newest_subscription
from payflux.frontdoor.billing.rules import TRIAL_PLAN, standing_of
from payflux.frontdoor.catalogue.content import PlanContent
from payflux.frontdoor.catalogue.queries import LIMITS, every_plan, feature_flags, plan_content
from payflux.frontdoor.entitlements.models import AccountFeatureOverride, AccountLimitOverride
from payflux.frontdoor.entitlements.rules import FLOOR_PLAN, Grounds, Override, PlanHeld


async def grounds_of(session: AsyncSession, *, account_id: UUID, now: datetime) -> Grounds:
    """All that decides what the account may do, as it is known at `now`; a further workspace may do what its account
    may."""
    parent_id = await parent_of(session, account_id=account_id)
    paying = parent_id or account_id
    subscription = await newest_subscription(session, account_id=paying)
    standing = standing_of(subscription) if subscription is not None else None
    sold = {each.plan: _held(each.plan, None, each.content) for each in await every_plan(session)}
    if standing is None:
        own = sold[FLOOR_PLAN]
    elif standing.plan_version is None:
        own = sold[standing.plan]
    else:
        bought = await plan_content(session, standing.plan, standing.plan_version)
        own = _held(standing.plan, standing.plan_version, bought)
    return Grounds(
        known_at=now,
        standing=standing,
        own=own,
        trial=sold[TRIAL_PLAN],
        floor=sold[FLOOR_PLAN],
        overrides=await _overrides(session, account_id=paying),
        features=tuple(await feature_flags(session)),
        limits=LIMITS,
        is_further=parent_id is not None,
    )


def _held(plan: str, version: int | None, content: PlanContent) -> PlanHeld:
    return PlanHeld(plan, version, content.features, content.limits)


async def _overrides(session: AsyncSession, *, account_id: UUID) -> tuple[Override, ...]:
    features = select(AccountFeatureOverride).where(AccountFeatureOverride.account_id == account_id)
    limits = select(AccountLimitOverride).where(AccountLimitOverride.account_id == account_id)
    # what the session has seen before may be older than the version that was just read
    anew = {"populate_existing": True}
    return (
        *(_of(each, each.feature, each.enabled) for each in (await session.scalars(features, execution_options=anew))),
        *(_of(each, each.limit_key, each.value) for each in (await session.scalars(limits, execution_options=anew))),
    )


def _of(row: AccountFeatureOverride | AccountLimitOverride, key: str, value: int | None) -> Override:
    return Override(key, value, row.reason, row.author, row.starts_at, row.expires_at, row.revoked_at)
