"""Publish what the catalogue file says."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.catalogue.models import FeatureFlag, PlanBilling, PlanFeatureDefault, PlanLimits
from payflux.kit.database import Base


async def plan_has_feature(session: AsyncSession, *, plan: str, feature: str) -> bool:
    """Whether the catalogue gives `feature` to `plan`."""
    held = select(PlanFeatureDefault.enabled).where(
        PlanFeatureDefault.plan == plan, PlanFeatureDefault.feature == feature
    )
    return bool((await session.execute(held)).scalar_one_or_none())


async def seed_catalogue(session: AsyncSession) -> int:
    """Write the catalogue file to its tables, as the owner of the schema; running it again changes nothing.

    Returns the number of plans.
    """
    catalogue = read_catalogue()
    unlimited = {column.key: None for column in PlanLimits.__table__.columns if column.key != "version"}
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
