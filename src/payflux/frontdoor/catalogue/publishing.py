"""Publish plans: each publication is a new version, and what is sold from then on. Published versions never change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.catalogue.content import (
    Difference,
    PlanContent,
    as_json,
    compare,
    content_problems,
    entry_content,
    from_json,
)
from payflux.frontdoor.catalogue.file import Catalogue, read_catalogue
from payflux.frontdoor.catalogue.models import (
    CatalogueState,
    FeatureFlag,
    PlanBilling,
    PlanFeatureDefault,
    PlanLimits,
    PlanVersion,
)
from payflux.frontdoor.catalogue.queries import every_plan, feature_flags
from payflux.frontdoor.catalogue.versions import bump_catalogue
from payflux.kit.database import Base
from payflux.kit.errors import InvalidInput

Source = Literal["catalogue", "staff"]


async def differences(session: AsyncSession, catalogue: Catalogue) -> dict[str, list[Difference]]:
    """Where the catalogue file differs from what is sold now, by plan; plans that do not differ are left out."""
    sold = {each.plan: each.content for each in await every_plan(session)}
    found = {plan: compare(sold.get(plan), entry_content(catalogue, plan)) for plan in catalogue.plans}
    return {plan: different for plan, different in found.items() if different}


async def different_words(session: AsyncSession, catalogue: Catalogue) -> list[Difference]:
    """The features whose public words in the catalogue file are not those in force."""
    words = await feature_flags(session)
    return [
        Difference(key, words.get(key), description)
        for key, description in catalogue.features.items()
        if words.get(key) != description
    ]


async def publish(
    session: AsyncSession,
    *,
    plan: str,
    content: PlanContent,
    source: Source,
    now: datetime,
    published_by: str | None = None,
) -> int:
    """Sell `plan` as `content` says from now on, as a new version; returns its number.

    Publishing what is sold already changes nothing. The prices at Stripe are those of a version: the new one has none
    before they are synced. Raises InvalidInput.
    """
    await lock_catalogue(session)
    flags = await feature_flags(session)
    if problems := content_problems(content, flags):
        raise InvalidInput(problems)
    sold = {each.plan: each for each in await every_plan(session)}.get(plan)
    newest = (
        await session.execute(select(func.max(PlanVersion.version)).where(PlanVersion.plan == plan))
    ).scalar_one_or_none()
    if sold and newest and sold.content == content:
        return newest
    version = (newest or 0) + 1
    fields = msgspec.structs.asdict(content)
    limits, features = fields.pop("limits"), fields.pop("features")
    await _upsert(session, PlanLimits, {**limits, "plan": plan, "version": version}, "plan")
    ids: dict[str, object] = {"stripe_monthly_price_id": None, "stripe_annual_price_id": None, "updated_at": now}
    await _upsert(session, PlanBilling, {**fields, **ids, "plan": plan}, "plan")
    for feature in flags:
        row = {"plan": plan, "feature": feature, "enabled": feature in features}
        await _upsert(session, PlanFeatureDefault, row, "plan", "feature")
    session.add(
        PlanVersion(
            plan=plan,
            version=version,
            content=as_json(content),
            source=source,
            published_by=published_by,
            published_at=now,
        )
    )
    await session.flush()
    await bump_catalogue(session)
    return version


async def seed_catalogue(session: AsyncSession, *, now: datetime, replace: bool = False) -> int:
    """Publish each plan whose entry in the catalogue file is not the one that was published from it last: what the
    staff have published since stays. With `replace`, each that differs from what is sold now.

    As the owner of the schema or the system role. Running it again changes nothing. Returns the number of plans.
    """
    catalogue = read_catalogue()
    await lock_catalogue(session)
    await _write_feature_words(session, catalogue, replace=replace)
    published = await _published_from_file(session)
    for plan in catalogue.plans:
        content = entry_content(catalogue, plan)
        if replace or published.get(plan) != content:
            await publish(session, plan=plan, content=content, source="catalogue", now=now)
    return len(catalogue.plans)


async def _published_from_file(session: AsyncSession) -> dict[str, PlanContent]:
    """What was published from the catalogue file last, by plan."""
    query = (
        select(PlanVersion.plan, PlanVersion.content)
        .where(PlanVersion.source == "catalogue")
        .ext(distinct_on(PlanVersion.plan))
        .order_by(PlanVersion.plan, PlanVersion.version.desc())
    )
    return {plan: from_json(content) for plan, content in await session.execute(query)}


async def _write_feature_words(session: AsyncSession, catalogue: Catalogue, *, replace: bool) -> None:
    for key, description in catalogue.features.items():
        row = insert(FeatureFlag).values(key=key, description=description)
        replaced = row.on_conflict_do_update(index_elements=["key"], set_={"description": description})
        await session.execute(replaced if replace else row.on_conflict_do_nothing())


async def lock_catalogue(session: AsyncSession) -> None:
    """One publication at a time, until this transaction ends, so that each gets a number of its own."""
    await session.execute(select(CatalogueState.id).with_for_update())


async def _upsert(session: AsyncSession, table: type[Base], row: Mapping[str, object], *key: str) -> None:
    await session.execute(insert(table).values(row).on_conflict_do_update(index_elements=key, set_=row))
