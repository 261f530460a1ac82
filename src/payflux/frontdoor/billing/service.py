"""Start a trial, read a subscription, and write the catalogue to the database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.billing import rules
from payflux.frontdoor.billing.models import FeatureFlag, PlanBilling, PlanFeatureDefault, PlanLimits, Subscription
from payflux.kit.audit import record_change
from payflux.kit.database import Base
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


async def live_subscription(session: AsyncSession, *, account_id: UUID) -> Subscription | None:
    """The account's subscription that is not canceled; whether it still runs is for the rules to say."""
    return (
        await session.execute(
            select(Subscription).where(Subscription.account_id == account_id, Subscription.status != "canceled")
        )
    ).scalar_one_or_none()


async def plan_has_feature(session: AsyncSession, *, plan: str, feature: str) -> bool:
    """Whether the catalogue gives `feature` to `plan`."""
    held = select(PlanFeatureDefault.enabled).where(
        PlanFeatureDefault.plan == plan, PlanFeatureDefault.feature == feature
    )
    return bool((await session.execute(held)).scalar_one_or_none())


class PlanEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One plan of the catalogue file."""

    display_name: str
    description: str
    sort_order: int
    features: frozenset[str]
    limits: dict[str, int]
    monthly_price_cents: int | None = None
    annual_price_cents: int | None = None


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The catalogue file: every feature with its public words, and the plans."""

    features: dict[str, str]
    plans: dict[str, PlanEntry]


def read_catalogue() -> Catalogue:
    """The catalogue file. Raises msgspec.ValidationError, which names the entry that is wrong."""
    return msgspec.toml.decode(files("payflux.frontdoor").joinpath("catalogue.toml").read_bytes(), type=Catalogue)


async def seed_catalogue(session: AsyncSession) -> int:
    """Write the catalogue file to its tables, as the owner of the schema; running it again changes nothing.

    Returns the number of plans.
    """
    catalogue = read_catalogue()
    unlimited = {column.key: None for column in PlanLimits.__table__.columns}
    for key, description in catalogue.features.items():
        await _upsert(session, FeatureFlag, {"key": key, "description": description}, "key")
    for plan, entry in catalogue.plans.items():
        await _upsert(session, PlanLimits, {**unlimited, **entry.limits, "plan": plan}, "plan")
        billing = msgspec.structs.asdict(entry)
        del billing["limits"], billing["features"]
        await _upsert(session, PlanBilling, {**billing, "plan": plan}, "plan")
        for feature in catalogue.features:
            row = {"plan": plan, "feature": feature, "enabled": feature in entry.features}
            await _upsert(session, PlanFeatureDefault, row, "plan", "feature")
    return len(catalogue.plans)


async def _upsert(session: AsyncSession, table: type[Base], row: Mapping[str, object], *key: str) -> None:
    await session.execute(insert(table).values(row).on_conflict_do_update(index_elements=key, set_=row))
