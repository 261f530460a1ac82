"""Limits at the doors that there are: calls of programs, seats and processors."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from payflux.activation.allowances import UnknownLimit, require_within_limit, seat_allowance, usage_of
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.billing.models import Subscription
from payflux.frontdoor.entitlements.usage import LimitReached, Usage, use
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.entitlements.conftest import give_limit
from tests.integration.team.conftest import add_member

CALLS = "api_calls_per_day"


async def take(world: World, who: SignedIn, key: str = CALLS, amount: int = 1) -> Usage:
    async with world.database.tenant(who.account_id) as session:
        return await use(session, world, account_id=who.account_id, key=key, amount=amount)


async def counted(world: World, who: SignedIn, key: str) -> Usage:
    async with world.database.tenant(who.account_id) as session:
        return await usage_of(session, world, account_id=who.account_id, key=key)


async def test_of_many_uses_at_once_no_more_than_the_limit_get_through(world: World, alice: SignedIn) -> None:
    await give_limit(world, alice, CALLS, 5)
    took = await asyncio.gather(*(take(world, alice) for _ in range(12)), return_exceptions=True)
    assert sorted(each.used for each in took if isinstance(each, Usage)) == [1, 2, 3, 4, 5]
    refused = [each for each in took if isinstance(each, LimitReached)]
    assert len(refused) == 7
    assert {each.details["used"] for each in refused} == {5}


async def test_a_use_that_is_too_much_takes_nothing(world: World, alice: SignedIn) -> None:
    await give_limit(world, alice, CALLS, 5)
    await take(world, alice, amount=3)
    with pytest.raises(LimitReached):
        await take(world, alice, amount=3)
    assert (await take(world, alice, amount=2)).left == 0


async def test_a_day_and_a_month_begin_anew_at_midnight_utc(world: World, clock: MovedClock, alice: SignedIn) -> None:
    now = clock.now()
    clock.move(now.replace(day=15, hour=23, minute=59, second=59) - now)
    assert (await take(world, alice)).used == 1
    assert (await take(world, alice, "scans_per_month")).used == 1
    clock.move(timedelta(seconds=1))
    day, month = await take(world, alice), await take(world, alice, "scans_per_month")
    assert (day.used, month.used) == (1, 2)
    assert day.reset_at == clock.now() + timedelta(days=1)
    assert month.reset_at is not None
    assert (month.reset_at.day, month.reset_at.hour) == (1, 0)


async def test_a_refusal_names_the_limit_and_goes_by_what_holds_now(world: World, alice: SignedIn) -> None:
    await give_limit(world, alice, CALLS, 0)
    with pytest.raises(LimitReached) as refused:
        await take(world, alice)
    body = refused.value.details
    midnight = world.clock.now().replace(hour=0, minute=0, second=0) + timedelta(days=1)
    assert (body["error"], body["limit"], body["used"], body["limit_key"], body["reset_at"]) == (
        "limit_reached",
        0,
        0,
        CALLS,
        midnight.isoformat(),
    )
    assert body["changed_by"] == ["admin", "owner"]
    await give_limit(world, alice, CALLS, None)
    assert (await take(world, alice)).left is None


async def test_seats_that_were_bought_are_those_that_there_are(world: World, alice: SignedIn) -> None:
    await add_member(world, alice, "Bob", "viewer")
    async with world.database.tenant(alice.account_id) as session:
        assert (await seat_allowance(session, world, account_id=alice.account_id)).limit == 10
        await session.execute(update(Subscription).values(seat_limit=2))
        assert (await seat_allowance(session, world, account_id=alice.account_id)).limit == 2
        with pytest.raises(LimitReached):
            await require_within_limit(session, world, account_id=alice.account_id, key="seats")
    assert (await counted(world, alice, "seats")).used == 2


async def test_what_is_counted_elsewhere_is_handed_over_as_a_number(world: World, alice: SignedIn) -> None:
    assert await counted(world, alice, "processors") == Usage("processors", 0, 3, None)
    assert (await counted(world, alice, "projections_per_day")).used == 0
    for nothing in ("retention_days", "time_travels"):
        with pytest.raises(UnknownLimit):
            await counted(world, alice, nothing)
