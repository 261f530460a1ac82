"""What one process has found out is never gone by once another has changed it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.billing.checkout import create_checkout_session
from payflux.frontdoor.billing.complimentary import grant_complimentary
from payflux.frontdoor.billing.free import choose_free
from payflux.frontdoor.billing.models import Subscription
from payflux.frontdoor.billing.queries import newest_subscription
from payflux.frontdoor.catalogue.versions import bump_account
from payflux.frontdoor.entitlements.overriding import revoke_override
from payflux.frontdoor.entitlements.resolving import LONGEST_KEPT, entitlements_of
from payflux.frontdoor.staff.selling.features import add_feature, remove_feature
from payflux.frontdoor.staff.signing_in import Staff
from payflux.kit.ids import new_id
from payflux.settings import Settings
from payflux.world.bootstrap import World, build_world
from tests.conftest import MovedClock
from tests.integration.billing.conftest import Shop, sandbox, shop
from tests.integration.entitlements.conftest import SAM, at, give_feature, give_limit, held_by, sell_without
from tests.integration.team.conftest import as_tenant

__all__ = ["sandbox", "shop"]

Change = Callable[[World, SignedIn], Awaitable[object]]


async def _free(world: World, who: SignedIn) -> None:
    async with world.database.tenant(who.account_id) as session:
        await choose_free(session, who, world.clock.now())


async def _complimentary(world: World, who: SignedIn) -> None:
    async with world.database.tenant(who.account_id) as session:
        await grant_complimentary(session, account_id=who.account_id, now=world.clock.now())


async def _new_feature(world: World, who: SignedIn) -> None:
    staff = Staff(who.user_id, new_id(), "Sam", "sam@payflux.example", world.clock.now())
    async with world.database.system() as session:
        await add_feature(session, staff, key="crystal_ball", description="A crystal ball", now=world.clock.now())


async def _old_feature(world: World, who: SignedIn) -> None:
    staff = Staff(who.user_id, new_id(), "Sam", "sam@payflux.example", world.clock.now())
    async with world.database.system() as session:
        await remove_feature(session, staff, key="crystal_ball", now=world.clock.now())


async def _free_and_fail(world: World, who: SignedIn, session: AsyncSession) -> None:
    await choose_free(session, who, world.clock.now())
    assert (await entitlements_of(session, world, account_id=who.account_id)).plan == "free"
    _ = 1 / 0


CHANGES: dict[str, Change] = {
    "an override of a feature": lambda world, who: give_feature(world, who, "sso"),
    "an override of a limit": lambda world, who: give_limit(world, who, "seats", 99),
    "a plan published anew": lambda world, _: sell_without(world, "pro", "audit_log"),
    "a new feature": _new_feature,
    "Free chosen": _free,
    "a complimentary plan": _complimentary,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_a_change_holds_at_once_in_every_process(
    world: World, other_process: World, alice: SignedIn, change: Change
) -> None:
    before = await held_by(other_process, alice)
    assert await held_by(other_process, alice) is before, "nothing was kept, so nothing is tested"
    await change(world, alice)
    for process in (world, other_process):
        now = await held_by(process, alice)
        assert now != before
        assert now == await held_by(process, alice, fresh=True)


async def test_what_is_taken_back_is_gone_at_once_in_every_process(
    world: World, other_process: World, alice: SignedIn
) -> None:
    before = await held_by(other_process, alice)
    override = await give_feature(world, alice, "sso")
    assert (await held_by(other_process, alice)).features["sso"]
    async with world.database.system() as session:
        await revoke_override(
            session,
            account_id=alice.account_id,
            kind="feature",
            override_id=override,
            author=SAM,
            now=world.clock.now(),
        )
    assert await held_by(other_process, alice) == before
    await _new_feature(world, alice)
    assert "crystal_ball" in (await held_by(other_process, alice)).features
    await _old_feature(world, alice)
    assert await held_by(other_process, alice) == before


async def test_what_stripe_says_holds_at_once_in_every_process(
    shop: Shop, settings: Settings, owner_url: str, alice: SignedIn
) -> None:
    other = build_world(settings, database_url=owner_url, clock=shop.world.clock)
    try:
        before = await held_by(other, alice)
        assert await held_by(other, alice) is before
        await shop.pay(await create_checkout_session(shop.world, alice, plan="starter", seats=2))
        await shop.hear()
        bought = await held_by(other, alice)
        assert bought.standing is not None
        assert (bought.standing.plan, bought.standing.plan_version, bought.limits["seats"]) == ("starter", 1, 2)
        assert bought.plan == "pro", "the trial still runs"
        await shop.advance("20d")
        await shop.hear()
        after = await held_by(other, alice)
        assert (after.plan, after.version, after.live) == ("starter", 1, True)
        assert not after.features["audit_log"]
    finally:
        await other.close()


async def test_a_buyer_keeps_the_version_that_they_bought(shop: Shop, alice: SignedIn) -> None:
    await shop.pay(await create_checkout_session(shop.world, alice, plan="pro", seats=2))
    await shop.hear()
    await shop.advance("20d")
    await shop.hear()
    await sell_without(shop.world, "pro", "audit_log")
    held = await held_by(shop.world, alice)
    assert (held.version, held.features["audit_log"]) == (1, True)


async def test_what_was_found_out_is_looked_up_anew_after_five_minutes(
    world: World, clock: MovedClock, alice: SignedIn
) -> None:
    first = await held_by(world, alice)
    clock.move(LONGEST_KEPT - timedelta(seconds=1))
    assert await held_by(world, alice) is first
    clock.move(timedelta(seconds=1))
    assert await held_by(world, alice) is not first


async def test_nobody_is_allowed_a_second_past_the_end_of_a_trial_or_an_exception(
    world: World, clock: MovedClock, alice: SignedIn
) -> None:
    await give_feature(world, alice, "sso", until=clock.now() + timedelta(minutes=2))
    clock.move(timedelta(minutes=1))
    assert (await held_by(world, alice)).features["sso"]
    clock.move(timedelta(minutes=1))
    assert not (await held_by(world, alice)).features["sso"]
    clock.move(timedelta(days=14, minutes=-2) - timedelta(seconds=1))
    assert (await held_by(world, alice)).live
    clock.move(timedelta(seconds=1))
    assert not (await held_by(world, alice)).live


async def test_what_was_never_committed_is_never_gone_by(world: World, other_process: World, alice: SignedIn) -> None:
    with pytest.raises(ZeroDivisionError):
        await as_tenant(world, alice, partial(_free_and_fail, world, alice))
    # another change takes the number that the undone one had
    await give_feature(other_process, alice, "sso")
    held = await held_by(world, alice)
    assert (held.plan, held.features["sso"]) == ("pro", True)


async def test_looking_at_another_instant_leaves_the_present_alone(world: World, alice: SignedIn) -> None:
    later = at(world, world.clock.now() + timedelta(days=15))
    assert not (await held_by(later, alice)).live
    assert (await held_by(world, alice)).live
    assert not (await held_by(later, alice)).live


async def test_a_request_that_saw_the_plan_before_it_ended_keeps_nothing_of_it(
    world: World, other_process: World, alice: SignedIn
) -> None:
    async with world.database.tenant(alice.account_id) as session:
        seen = await newest_subscription(session, account_id=alice.account_id)
        assert seen is not None
        async with other_process.database.tenant(alice.account_id) as elsewhere:
            await elsewhere.execute(
                update(Subscription).values(status="canceled", canceled_at=world.clock.now(), current_period_end=None)
            )
            await bump_account(elsewhere, alice.account_id)
        assert not (await entitlements_of(session, world, account_id=alice.account_id)).live
    assert not (await held_by(world, alice)).live
