"""The account's plan, for programs: how it stands, the ways to Stripe, what is used, and why something is refused."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from payflux.activation.allowances import usage_of, usages_of
from payflux.api.instants import Instant
from payflux.api.problems import Responses
from payflux.frontdoor.billing.checkout import create_checkout_session
from payflux.frontdoor.billing.orders import MOST_SEATS
from payflux.frontdoor.billing.portal import open_customer_portal
from payflux.frontdoor.billing.rules import Status
from payflux.frontdoor.entitlements.explaining import explain
from payflux.frontdoor.entitlements.rules import Claim, Source
from payflux.frontdoor.entitlements.state import billing_state
from payflux.kit.errors import Forbidden
from payflux.kit.messages import gettext as _
from payflux.web.guards import CurrentWorld, Tenant, Who
from payflux.web.policies import guard

router = APIRouter(tags=["billing"])

OWN = [guard(verified=False)]
USAGE = [guard(verified=False, scope="usage:read")]
PAYING = [guard(verified=False, capability="billing.manage", of_account=True)]

Limited = Annotated[str, Path(description="a limit or feature of the plan", examples=["api_calls_per_day"])]

DOWN: Responses = {503: {"description": "Stripe does not answer; nothing was changed"}}
CONFLICT: Responses = {409: {"description": "it does not stand as the request takes it to"}}
UNKNOWN: Responses = {404: {"description": "there is nothing of this name"}}


class Row(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Subscription(Row):
    """The account's subscription. `is_locked` is whether what needs a plan is refused now; `trial_days_left` counts
    begun days; `ends_at` is when it ends without a renewal; `history_until` is how long what was seen stays readable
    after that."""

    status: Status
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


class Plan(Row):
    """A plan's name and its prices for one seat, in US cents."""

    display_name: str
    monthly_price_cents: int | None
    annual_price_cents: int | None


class BillingState(Row):
    """All of an account's billing. A limit of null is none; `subscription` is null where there never was one."""

    subscription: Subscription | None
    plan_billing: Plan
    plan_limits: dict[str, int | None]
    enabled_features: dict[str, bool]


class Purchase(BaseModel):
    """What is bought: seats of a plan, paid each month or year."""

    plan: str = Field(max_length=50)
    seats: int = Field(1, ge=1, le=MOST_SEATS)
    interval: Literal["month", "year"] = "month"


class Address(BaseModel):
    """A page at Stripe, for the person's own browser."""

    url: str


class Usage(Row):
    """How much of a limit is used. A `limit` of null is none; `reset_at` is null for what does not begin anew."""

    key: str
    used: int
    limit: int | None
    left: int | None
    reset_at: datetime | None


class UsageList(BaseModel):
    data: list[Usage]


class Ground(BaseModel):
    """One source that speaks on a feature or limit, and what it says. `lost_because` is null for the one that is
    followed; of an exception that the account was granted, why, by whom and for how long."""

    source: Source
    value: bool | int | None
    lost_because: str | None
    plan: str | None = None
    plan_version: int | None = None
    reason: str | None = None
    author: str | None = None
    starts_at: datetime | None = None
    expires_at: datetime | None = None


class Change(BaseModel):
    """That the value becomes another one by itself."""

    at: datetime
    value: bool | int | None


class Unlock(Row):
    """The plans that have it, or more of it, and can be chosen at once; whether sales can agree on it."""

    plans: tuple[str, ...]
    sales: bool


class Explanation(BaseModel):
    """Why a feature or limit is what it is at an instant. Of a limit, a `value` of null is none."""

    key: str
    kind: Literal["feature", "limit"]
    at: datetime
    value: bool | int | None
    winner: Ground
    losers: list[Ground]
    next_change: Change | None
    unlock: Unlock | None


@router.get("/billing/state", dependencies=OWN)
async def get_billing_state(who: Who, world: CurrentWorld, session: Tenant) -> BillingState:
    """How the account stands, and what it may do now."""
    return BillingState.model_validate(await billing_state(session, world, account_id=who.account_id))


@router.post(
    "/billing/checkout-session", dependencies=PAYING, responses=DOWN | CONFLICT, status_code=HTTPStatus.CREATED
)
async def start_checkout(who: Who, world: CurrentWorld, given: Purchase) -> Address:
    """Where to pay. Whoever has a subscription at Stripe is led to the customer portal instead."""
    url = await create_checkout_session(world, who, plan=given.plan, seats=given.seats, interval=given.interval)
    return Address(url=url)


@router.get("/billing/portal-session", dependencies=PAYING, responses=DOWN | CONFLICT)
async def open_portal(who: Who, world: CurrentWorld) -> Address:
    """Where to change the card, end the subscription and find the invoices; good for minutes."""
    if who.impersonated_by is not None:  # it only asks, but what it opens changes things
        raise Forbidden(_("You look at this account for support: its portal stays closed."), code="not_for_support")
    return Address(url=await open_customer_portal(world, who))


@router.get("/usage", dependencies=USAGE)
async def list_usage(who: Who, world: CurrentWorld, session: Tenant) -> UsageList:
    """How much of every limit is used, and when it begins anew. To ask takes nothing of the plan."""
    found = await usages_of(session, world, account_id=who.account_id)
    return UsageList(data=[Usage.model_validate(each) for each in found])


@router.get("/usage/{key}", dependencies=USAGE, responses=UNKNOWN)
async def get_usage(who: Who, world: CurrentWorld, session: Tenant, key: Limited) -> Usage:
    """How much of a limit is used."""
    return Usage.model_validate(await usage_of(session, world, account_id=who.account_id, key=key))


@router.get("/entitlements/{key}/explain", dependencies=OWN, responses=UNKNOWN)
async def explain_entitlement(
    who: Who, world: CurrentWorld, session: Tenant, key: Limited, at: Annotated[Instant | None, Query()] = None
) -> Explanation:
    """Why the account has a feature, or so much of a limit, now or at an instant: who decides, who was outvoted, when
    it changes by itself, and what would give more."""
    found = await explain(session, account_id=who.account_id, key=key, now=world.clock.now(), at=at)
    is_feature = found.kind == "feature"
    change = found.next_change
    return Explanation(
        key=found.key,
        kind=found.kind,
        at=found.at,
        value=_shown(found.value, is_feature=is_feature),
        winner=_ground(found.winner, is_feature=is_feature),
        losers=[_ground(claim, is_feature=is_feature) for claim in found.losers],
        next_change=Change(at=change.at, value=_shown(change.value, is_feature=is_feature)) if change else None,
        unlock=Unlock.model_validate(found.unlock) if found.unlock else None,
    )


def _ground(claim: Claim, *, is_feature: bool) -> Ground:
    granted = claim.override
    return Ground(
        source=claim.source,
        value=_shown(claim.value, is_feature=is_feature),
        lost_because=claim.lost_because or None,
        plan=claim.plan,
        plan_version=claim.version,
        reason=granted.reason if granted else None,
        author=granted.author if granted else None,
        starts_at=granted.starts_at if granted else None,
        expires_at=granted.expires_at if granted else None,
    )


def _shown(value: int | None, *, is_feature: bool) -> bool | int | None:
    return bool(value) if is_feature else value
