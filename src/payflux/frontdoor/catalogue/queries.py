"""Read what is sold now, and what was once published."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnExpressionArgument, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.catalogue.content import PlanContent, from_json
from payflux.frontdoor.catalogue.models import FeatureFlag, PlanBilling, PlanFeatureDefault, PlanLimits, PlanVersion
from payflux.kit.errors import NotFound

LIMITS = tuple(column.key for column in PlanLimits.__table__.columns if column.key not in ("plan", "version"))
"""The keys of the limits that a plan may have."""


@dataclass(frozen=True)
class SoldPlan:
    """A plan as it is sold now, by which version, and what it is at Stripe for this installation's key."""

    plan: str
    version: int
    content: PlanContent
    stripe_product_id: str | None
    stripe_monthly_price_id: str | None
    stripe_annual_price_id: str | None


async def sold_plans(session: AsyncSession) -> list[SoldPlan]:
    """The plans that strangers are shown, in the order in which they are shown."""
    return await _plans(session, PlanBilling.is_public, ~PlanBilling.is_archived)


async def every_plan(session: AsyncSession) -> list[SoldPlan]:
    """All plans, also hidden and archived ones, in their order."""
    return await _plans(session)


async def sold_plan(session: AsyncSession, plan: str) -> SoldPlan:
    """One plan as it is sold now, also a hidden or archived one. Raises NotFound."""
    found = await _plans(session, PlanLimits.plan == plan)
    if not found:
        raise NotFound(f"There is no plan {plan}.", way_out="Choose one of the plans that are sold.")
    return found[0]


async def plan_content(session: AsyncSession, plan: str, version: int | None = None) -> PlanContent:
    """What `version` of a plan says; without one, the plan as it is sold now. Raises NotFound."""
    if version is None:
        return (await sold_plan(session, plan)).content
    published = select(PlanVersion.content).where(PlanVersion.plan == plan, PlanVersion.version == version)
    content = (await session.execute(published)).scalar_one_or_none()
    if content is None:
        raise NotFound(f"Version {version} of plan {plan} was never published.", way_out="Choose a published one.")
    return from_json(content)


async def plan_versions(session: AsyncSession, plan: str) -> list[PlanVersion]:
    """Every published version of a plan, the newest first."""
    query = select(PlanVersion).where(PlanVersion.plan == plan).order_by(PlanVersion.version.desc())
    return list((await session.execute(query)).scalars())


async def feature_flags(session: AsyncSession) -> dict[str, str]:
    """Every feature with its public words, by key."""
    rows = await session.execute(select(FeatureFlag.key, FeatureFlag.description).order_by(FeatureFlag.key))
    return dict(rows.all())


async def _plans(session: AsyncSession, *which: ColumnExpressionArgument[bool]) -> list[SoldPlan]:
    held = func.array_agg(PlanFeatureDefault.feature).filter(PlanFeatureDefault.enabled)
    features = select(held).where(PlanFeatureDefault.plan == PlanLimits.plan).scalar_subquery()
    query = (
        select(PlanLimits, PlanBilling, features)
        .join(PlanBilling, PlanBilling.plan == PlanLimits.plan)
        .where(*which)
        .order_by(PlanBilling.sort_order, PlanLimits.plan)
        # this session may have written them since it read them last
        .execution_options(populate_existing=True)
    )
    return [_sold(limits, billing, features) for limits, billing, features in await session.execute(query)]


def _sold(limits: PlanLimits, billing: PlanBilling, features: list[str] | None) -> SoldPlan:
    return SoldPlan(
        plan=limits.plan,
        version=limits.version,
        content=PlanContent(
            display_name=billing.display_name,
            description=billing.description,
            monthly_price_cents=billing.monthly_price_cents,
            annual_price_cents=billing.annual_price_cents,
            is_public=billing.is_public,
            is_archived=billing.is_archived,
            sort_order=billing.sort_order,
            features=frozenset(features or ()),
            limits={limit: getattr(limits, limit) for limit in LIMITS},
        ),
        stripe_product_id=billing.stripe_product_id,
        stripe_monthly_price_id=billing.stripe_monthly_price_id,
        stripe_annual_price_id=billing.stripe_annual_price_id,
    )
