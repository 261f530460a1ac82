"""How long the account keeps what, and choosing it. A person's act: what is dropped does not come back, so no key does
it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from payflux.activation.retention.choosing import FEATURE, Period, choose, look_ahead, periods_of
from payflux.activation.retention.rules import LONGEST_TYPED, Kept
from payflux.api.problems import Responses
from payflux.web.guards import CurrentWorld, Tenant, Who
from payflux.web.policies import guard

router = APIRouter(prefix="/retention", tags=["retention"])

READ = [guard(capability="account.update", entitled=True, metered=True)]
LOOK = [guard(capability="account.update", feature=FEATURE, metered=True)]
CHANGE = [guard(capability="account.update", feature=FEATURE, grace=False, metered=True, step_up=True)]
WRONG: Responses = {422: {"description": "the period is outside of its bounds"}}

Kind = Annotated[Kept, Path(examples=["evidence"], description="evidence, payment_events or deliveries")]
Days = Annotated[int | None, Field(ge=1, le=LONGEST_TYPED, examples=[365], description="null: the usual period")]


class RetentionPeriod(BaseModel):
    """How one kind is kept: `days` in force, null for as long as the account. `chosen_days` is your own choice, and
    `coming_days` one that holds from `coming_at` on. `shortest`, `longest` (null without a bound) and `usual` are what
    you can choose between, and what holds without a choice."""

    kind: Kept
    days: int | None
    chosen_days: int | None
    coming_days: int | None
    coming_at: datetime | None
    shortest: int
    longest: int | None
    usual: int | None


class RetentionPeriods(BaseModel):
    data: list[RetentionPeriod]


class NewPeriod(BaseModel):
    """For how many days to keep it; null for the usual period."""

    days: Days


class RetentionOutlook(BaseModel):
    """What a choice would do: whether it is shorter than what holds now, and from when on it holds; `dropped` entries
    from before `before` go in the first night then, and do not come back."""

    kind: Kept
    is_shorter: bool
    holds_from: datetime
    before: datetime | None
    dropped: int


@router.get("", dependencies=READ)
async def periods(who: Who, session: Tenant, world: CurrentWorld) -> RetentionPeriods:
    """The period of each kind of data."""
    found = await periods_of(session, world, account_id=who.account_id)
    return RetentionPeriods(data=[_shown(each) for each in found])


@router.get("/{kind}/outlook", dependencies=LOOK, responses=WRONG)
async def outlook(
    who: Who,
    session: Tenant,
    world: CurrentWorld,
    kind: Kind,
    days: Annotated[int | None, Query(ge=1, le=LONGEST_TYPED)] = None,
) -> RetentionOutlook:
    """What a choice would do, before it is made; without `days`, that of the usual period."""
    seen = await look_ahead(session, world, account_id=who.account_id, kind=kind, days=_typed(days))
    return RetentionOutlook(
        kind=kind, is_shorter=seen.is_shorter, holds_from=seen.holds_from, before=seen.before, dropped=seen.number
    )


@router.put("/{kind}", dependencies=CHANGE, responses=WRONG)
async def set_period(who: Who, session: Tenant, world: CurrentWorld, kind: Kind, given: NewPeriod) -> RetentionPeriod:
    """Choose a period. A longer one holds at once, a shorter one after seven days, and the owner is told."""
    await choose(session, world, who, kind=kind, days=_typed(given.days))
    found = await periods_of(session, world, account_id=who.account_id)
    return next(_shown(each) for each in found if each.kind is kind)


def _typed(days: int | None) -> str:
    return "" if days is None else str(days)


def _shown(each: Period) -> RetentionPeriod:
    choice, bounds = each.choice, each.bounds
    return RetentionPeriod(
        kind=each.kind,
        days=each.days,
        chosen_days=choice.days,
        coming_days=choice.coming_days,
        coming_at=choice.coming_at,
        shortest=bounds.shortest,
        longest=bounds.longest,
        usual=bounds.usual,
    )
