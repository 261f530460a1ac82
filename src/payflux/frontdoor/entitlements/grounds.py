"""Read the rows that an account's entitlements rest on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.billing.queries import newest_subscription
from payflux.frontdoor.billing.rules import TRIAL_PLAN, standing_of
from payflux.frontdoor.catalogue.models import FeatureFlag, PlanFeatureDefault, PlanLimits, PlanVersion
from payflux.frontdoor.entitlements.models import AccountFeatureOverride, AccountLimitOverride
from payflux.frontdoor.entitlements.rules import FLOOR_PLAN, Grounds, Override, PlanHeld

LIMIT_KEYS = tuple(column.key for column in PlanLimits.__table__.columns if column.key not in ("plan", "version"))
"""Every limit that a plan has, by its column."""


async def grounds_of(session: AsyncSession, *, account_id: UUID, now: datetime) -> Grounds:
    """All that decides what the account may do, as it is known at `now`."""
    subscription = await newest_subscription(session, account_id=account_id)
    standing = standing_of(subscription) if subscription is not None else None
    own = standing.plan if standing is not None else FLOOR_PLAN
    sold = await plans_sold(session, {own, TRIAL_PLAN, FLOOR_PLAN})
    held = sold[own]
    if standing is not None and standing.plan_version is not None:
        held = await _version(session, standing.plan, standing.plan_version)
    return Grounds(
        known_at=now,
        standing=standing,
        own=held,
        trial=sold[TRIAL_PLAN],
        floor=sold[FLOOR_PLAN],
        overrides=await _overrides(session, account_id=account_id),
        features=tuple((await session.execute(select(FeatureFlag.key).order_by(FeatureFlag.key))).scalars()),
        limits=LIMIT_KEYS,
    )


async def plans_sold(session: AsyncSession, plans: Iterable[str]) -> dict[str, PlanHeld]:
    """What each of `plans` holds as it is sold now."""
    wanted = list(plans)
    defaults = select(PlanFeatureDefault).where(PlanFeatureDefault.plan.in_(wanted))
    features: dict[str, dict[str, bool]] = {plan: {} for plan in wanted}
    for row in (await session.execute(defaults)).scalars():
        features[row.plan][row.feature] = row.enabled
    limits = await session.execute(select(PlanLimits).where(PlanLimits.plan.in_(wanted)))
    return {
        row.plan: PlanHeld(row.plan, None, features[row.plan], {key: getattr(row, key) for key in LIMIT_KEYS})
        for row in limits.scalars()
    }


async def _version(session: AsyncSession, plan: str, version: int) -> PlanHeld:
    published = select(PlanVersion.content).where(PlanVersion.plan == plan, PlanVersion.version == version)
    content = (await session.execute(published)).scalar_one()
    return PlanHeld(plan, version, content["features"], content["limits"])


async def _overrides(session: AsyncSession, *, account_id: UUID) -> tuple[Override, ...]:
    features = select(AccountFeatureOverride).where(AccountFeatureOverride.account_id == account_id)
    limits = select(AccountLimitOverride).where(AccountLimitOverride.account_id == account_id)
    return (
        *(_of(row, row.feature, row.enabled) for row in (await session.execute(features)).scalars()),
        *(_of(row, row.limit_key, row.value) for row in (await session.execute(limits)).scalars()),
    )


def _of(row: AccountFeatureOverride | AccountLimitOverride, key: str, value: int | None) -> Override:
    return Override(key, value, row.reason, row.author, row.starts_at, row.expires_at, row.revoked_at)
