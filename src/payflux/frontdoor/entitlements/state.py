"""One account's billing in one answer: its subscription, its plan's words and prices, its limits and features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.billing import rules
from payflux.frontdoor.billing.rules import Standing
from payflux.frontdoor.catalogue.queries import plan_content
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.world.bootstrap import World


@dataclass(frozen=True)
class SubscriptionState:
    """Where the subscription stands. `is_locked` is whether the account is behind the wall, `trial_days_left` counts
    begun days, `ends_at` is when it ends without a renewal, and `history_until` how long what was seen stays
    readable."""

    status: str
    plan: str
    current_period_start: datetime
    current_period_end: datetime | None
    cancel_at_period_end: bool
    seat_limit: int | None
    has_pro_entitlement: bool
    is_paid: bool
    is_locked: bool
    trial_days_left: int | None
    ends_at: datetime | None
    history_until: datetime | None


@dataclass(frozen=True)
class PlanWords:
    """The plan of the subscription as it was bought, or is sold now. Prices are per seat, in US cents; None where they
    are agreed on."""

    display_name: str
    monthly_price_cents: int | None
    annual_price_cents: int | None


@dataclass(frozen=True)
class BillingState:
    """The snapshot. `plan_limits` and `enabled_features` are what holds after the account's exceptions; a limit of None
    is none. `subscription` is None for an account that never had one."""

    subscription: SubscriptionState | None
    plan_billing: PlanWords
    plan_limits: Mapping[str, int | None]
    enabled_features: Mapping[str, bool]


async def billing_state(session: AsyncSession, world: World, *, account_id: UUID) -> BillingState:
    """The snapshot as of now."""
    held = await entitlements_of(session, world, account_id=account_id)
    standing = held.standing
    plan, version = (held.plan, held.version) if standing is None else (standing.plan, standing.plan_version)
    sold = await plan_content(session, plan, version)
    return BillingState(
        subscription=None if standing is None else _subscription(standing, world.clock.now()),
        plan_billing=PlanWords(sold.display_name, sold.monthly_price_cents, sold.annual_price_cents),
        plan_limits=held.limits,
        enabled_features=held.features,
    )


def _subscription(standing: Standing, now: datetime) -> SubscriptionState:
    plan, status, end = standing.plan, standing.status, standing.current_period_end
    return SubscriptionState(
        status=status,
        plan=plan,
        current_period_start=standing.current_period_start,
        current_period_end=end,
        cancel_at_period_end=standing.cancel_at_period_end,
        seat_limit=standing.seat_limit,
        has_pro_entitlement=rules.has_pro_entitlement(plan, status, end, now),
        is_paid=rules.is_paid(plan, status),
        is_locked=rules.is_locked(status, end, now),
        trial_days_left=rules.trial_days_left(status=status, current_period_end=end, now=now),
        ends_at=standing.cancel_at or standing.ended_at,
        history_until=rules.history_until(status, standing.ended_at),
    )
