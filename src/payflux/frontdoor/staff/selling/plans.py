"""Change what a plan is from now on, after seeing who is affected; and move those who bought an older version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.billing.models import Subscription
from payflux.frontdoor.billing.moving import enqueue_move
from payflux.frontdoor.catalogue.content import Difference, PlanContent, compare, content_problems
from payflux.frontdoor.catalogue.publishing import lock_catalogue, publish
from payflux.frontdoor.catalogue.queries import LIMITS, feature_flags, sold_plan
from payflux.frontdoor.staff.acts import record_act
from payflux.frontdoor.staff.selling.affected import Affected, affected_by
from payflux.frontdoor.staff.selling.record import author_of, record_catalogue_change
from payflux.frontdoor.staff.signing_in import Staff
from payflux.kit.errors import Conflict, InvalidInput


@dataclass(frozen=True)
class PlanPreview:
    """What a save would do: `version` is sold now, `content` is what would be, and who is affected."""

    plan: str
    version: int
    content: PlanContent
    differences: list[Difference]
    affected: Affected


async def preview_plan(session: AsyncSession, *, plan: str, changes: Mapping[str, Any], now: datetime) -> PlanPreview:
    """What it would mean to sell `plan` with these fields of its content changed; `limits` holds only those that do.

    Nothing is written. Raises NotFound and InvalidInput.
    """
    sold = await sold_plan(session, plan)
    if unknown := changes.get("limits", {}).keys() - set(LIMITS):
        raise InvalidInput({f"limits.{limit}": "There is no such limit." for limit in sorted(unknown)})
    limits = sold.content.limits | dict(changes.get("limits", {}))
    content = msgspec.structs.replace(sold.content, **{**changes, "limits": limits})
    if problems := content_problems(content, await feature_flags(session)):
        raise InvalidInput(problems)
    affected = await affected_by(session, plan=plan, now=now)
    return PlanPreview(plan, sold.version, content, compare(sold.content, content), affected)


async def save_plan(
    session: AsyncSession,
    staff: Staff,
    *,
    plan: str,
    changes: Mapping[str, Any],
    version: int,
    now: datetime,
) -> int:
    """Publish the plan with these fields changed; returns the version that is sold from now on. `version` is the one
    that the editor saw.

    Raises NotFound, InvalidInput, and Conflict where another version is sold by now.
    """
    await lock_catalogue(session)
    previewed = await preview_plan(session, plan=plan, changes=changes, now=now)
    if previewed.version != version:
        raise Conflict(
            f"Version {previewed.version} of the plan was published while you edited version {version}.",
            way_out="Look at what is sold now, and make your change again.",
        )
    if not previewed.differences:
        return version
    published = await publish(
        session, plan=plan, content=previewed.content, source="staff", now=now, published_by=author_of(staff)
    )
    await record_catalogue_change(
        session,
        staff,
        action="plan_published",
        subject=plan,
        before={"version": version, **{each.field: each.before for each in previewed.differences}},
        after={"version": published, **{each.field: each.after for each in previewed.differences}},
        now=now,
    )
    return published


async def move_buyers(session: AsyncSession, staff: Staff, *, plan: str, now: datetime) -> int:
    """Move everybody who bought an older version of `plan` to the one that is sold now: a job each changes the price
    at Stripe from the next period on, and then what the account has. Returns how many. `session` is the system's.

    Raises NotFound, and Conflict where the version has no price at Stripe for what somebody pays for.
    """
    sold = await sold_plan(session, plan)
    buyers = select(Subscription).where(
        Subscription.plan == plan, Subscription.plan_version < sold.version, Subscription.status != "canceled"
    )
    rows = list((await session.execute(buyers.order_by(Subscription.account_id))).scalars())
    prices = {"month": sold.stripe_monthly_price_id, "year": sold.stripe_annual_price_id}
    for row in rows:
        if prices[row.billing_interval or "month"] is None:
            raise Conflict(
                f"Version {sold.version} has no price at Stripe for a subscription by the {row.billing_interval}.",
                way_out="Bring the plans to Stripe first, or sell the plan by that interval again.",
            )
    for row in rows:
        moved = {"plan": plan, "from_version": row.plan_version, "to_version": sold.version}
        await record_act(
            session, staff, account_id=row.account_id, act="plan_version_moved", subject=str(row.id), at=now, **moved
        )
        await enqueue_move(session, account_id=row.account_id, version=sold.version)
    return len(rows)
