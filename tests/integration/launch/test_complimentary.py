"""Who was here before it was sold pays nothing, and is not asked to."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.billing.complimentary import Candidate, PaidFor, candidates, counted, grant_complimentary
from payflux.frontdoor.billing.queries import live_subscription
from payflux.frontdoor.billing.rules import is_paid
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.launch.conftest import waiting_mails
from tests.integration.team.conftest import add_member, add_owner

SUBSCRIPTION = "UPDATE subscriptions SET {} WHERE account_id = $1"


@pytest.fixture
async def alice(world: World) -> SignedIn:
    return await add_owner(world, "Alice")


async def grant(world: World, who: SignedIn) -> None:
    async with world.database.tenant(who.account_id) as session:
        await grant_complimentary(session, account_id=who.account_id, now=world.clock.now())


async def found(world: World, clock: MovedClock) -> list[Candidate]:
    async with world.database.system() as session:
        return await candidates(session, before=clock.now() + timedelta(seconds=1), now=clock.now())


async def test_a_trial_becomes_pro_without_an_end_or_a_price(
    world: World, alice: SignedIn, stored: asyncpg.Connection
) -> None:
    version = await stored.fetchval("SELECT entitlements_version FROM accounts")
    await grant(world, alice)
    async with world.database.tenant(alice.account_id) as session:
        subscription = await live_subscription(session, account_id=alice.account_id)
    assert subscription is not None
    assert (subscription.plan, subscription.status, subscription.current_period_end) == ("pro", "complimentary", None)
    assert not is_paid(subscription.plan, subscription.status)
    assert await stored.fetchval("SELECT entitlements_version FROM accounts") > version
    entry = await stored.fetchrow("SELECT before, after FROM audit_entries WHERE action LIKE '%complimentary%'")
    assert '"trialing"' in entry["before"]
    assert '"complimentary"' in entry["after"]


async def test_every_member_whose_address_is_proven_is_told_once(
    world: World, alice: SignedIn, stored: asyncpg.Connection
) -> None:
    await add_member(world, alice, "Bob", "viewer")
    await add_member(world, alice, "Dora", "viewer", verified=False)
    for _twice in range(2):
        await grant(world, alice)
    assert await waiting_mails(stored) == ["complimentary_granted"] * 2


@pytest.mark.parametrize("status", ["free", "trial over", "none"])
async def test_whatever_it_was_before_that_costs_nothing(
    world: World, alice: SignedIn, stored: asyncpg.Connection, clock: MovedClock, status: str
) -> None:
    match status:
        case "free":
            await stored.execute(
                SUBSCRIPTION.format("plan = 'free', status = 'active', current_period_end = NULL"), alice.account_id
            )
        case "trial over":
            clock.move(timedelta(days=20))
        case _:
            await stored.execute("DELETE FROM subscriptions WHERE account_id = $1", alice.account_id)
    assert [each.kept for each in await found(world, clock)] == [""]
    await grant(world, alice)
    assert await stored.fetchval("SELECT status FROM subscriptions") == "complimentary"


@pytest.mark.parametrize(
    ("becomes", "kept"),
    [
        ("status = 'active', stripe_status = 'active', stripe_subscription_id = 'sub_1'", "paid for"),
        ("stripe_status = 'trialing', stripe_subscription_id = 'sub_1'", "paid for"),
        ("plan = 'enterprise', status = 'active'", "paid for"),
        ("status = 'canceled', canceled_at = now()", "canceled"),
        ("status = 'complimentary'", "complimentary already"),
    ],
)
async def test_who_pays_or_has_left_stays_as_they_are(
    world: World, alice: SignedIn, stored: asyncpg.Connection, clock: MovedClock, becomes: str, kept: str
) -> None:
    await stored.execute(SUBSCRIPTION.format(becomes), alice.account_id)
    everybody = await found(world, clock)
    assert [each.kept for each in everybody] == [kept]
    assert counted(everybody) == {kept: 1}


async def test_nothing_is_given_to_who_goes_on_paying(
    world: World, alice: SignedIn, stored: asyncpg.Connection
) -> None:
    await stored.execute(
        SUBSCRIPTION.format("status = 'active', stripe_status = 'active', stripe_subscription_id = 'sub_1'"),
        alice.account_id,
    )
    with pytest.raises(PaidFor):
        await grant(world, alice)


async def test_who_came_after_the_day_is_not_counted(world: World, alice: SignedIn, clock: MovedClock) -> None:
    day = clock.now() + timedelta(days=1)
    clock.move(timedelta(days=2))
    await add_owner(world, "Charlie")
    async with world.database.system() as session:
        names = [each.name for each in await candidates(session, before=day, now=clock.now())]
    assert names == ["Alice's shop"]
