"""Buyers keep the version they bought until the staff move them: at Stripe first, and only then here."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import select

from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.billing.checkout import create_checkout_session
from payflux.frontdoor.billing.models import Subscription
from payflux.frontdoor.billing.moving import NoPrice, move_to_version
from payflux.frontdoor.catalogue.prices import sync_prices
from payflux.frontdoor.catalogue.publishing import publish
from payflux.frontdoor.catalogue.queries import plan_content
from payflux.frontdoor.staff.selling.affected import affected_by
from payflux.frontdoor.staff.selling.plans import move_buyers
from payflux.frontdoor.staff.signing_in import Staff
from payflux.kit.audit import AuditEntry
from payflux.kit.errors import Conflict
from payflux.kit.ids import new_id
from payflux.kit.jobs import is_pending
from tests.integration.billing.conftest import NEVER, Shop

SAM = Staff(new_id(), new_id(), "Sam", "sam@payflux.example", NEVER)


async def bought(shop: Shop, who: SignedIn) -> Subscription:
    await shop.pay(await create_checkout_session(shop.world, who, plan="pro", seats=3))
    await shop.hear()
    row = await shop.standing(who)
    assert row is not None
    assert row.plan_version == 1
    return row


async def publish_dearer_pro(shop: Shop) -> None:
    async with shop.world.database.system() as session:
        content = msgspec.structs.replace(await plan_content(session, "pro"), monthly_price_cents=59_900)
        await publish(session, plan="pro", content=content, source="staff", now=shop.world.clock.now())


async def asked_to_move(shop: Shop) -> int:
    async with shop.world.database.system() as session:
        return await move_buyers(session, SAM, plan="pro", now=shop.world.clock.now())


async def test_a_buyer_is_moved_at_stripe_first_and_pays_nothing_in_between(shop: Shop, alice: SignedIn) -> None:
    before = await bought(shop, alice)
    await publish_dearer_pro(shop)
    with pytest.raises(Conflict, match="no price at Stripe"):
        await asked_to_move(shop)
    await sync_prices(shop.world, shop.stripe)
    await shop.hear()
    kept = await shop.standing(alice)
    assert kept is not None
    assert (kept.plan_version, kept.stripe_price_id) == (1, before.stripe_price_id), "nobody is moved by a publication"
    assert await asked_to_move(shop) == 1
    payload = {"account_id": str(alice.account_id), "version": "2"}
    async with shop.world.database.system() as session:
        assert await is_pending(session, "move_to_version", payload)
        found = await affected_by(session, plan="pro", now=shop.world.clock.now())
        assert (found.following, found.bought, found.buyers[0].version) == (0, 1, 1)
    for _ in range(2):  # a worker may die between Stripe and us
        await move_to_version(shop.world, payload)
    moved = await shop.standing(alice)
    assert moved is not None
    assert (moved.id, moved.plan_version, moved.seat_limit) == (before.id, 2, 3)
    assert moved.stripe_price_id != before.stripe_price_id
    assert moved.current_period_end == before.current_period_end
    async with shop.world.database.system() as session:
        query = select(AuditEntry).where(AuditEntry.account_id == alice.account_id)
        entries = {entry.action: entry for entry in (await session.execute(query)).scalars()}
    assert entries["staff.plan_version_moved"].after == {
        "staff": "Sam <sam@payflux.example>",
        "plan": "pro",
        "from_version": 1,
        "to_version": 2,
    }
    assert await asked_to_move(shop) == 0, "they have it"


async def test_whose_version_has_no_price_keeps_what_they_bought(shop: Shop, alice: SignedIn) -> None:
    await bought(shop, alice)
    await publish_dearer_pro(shop)
    with pytest.raises(NoPrice):
        await move_to_version(shop.world, {"account_id": str(alice.account_id), "version": "2"})
    kept = await shop.standing(alice)
    assert kept is not None
    assert kept.plan_version == 1


async def test_who_follows_a_plan_is_affected_and_a_running_trial_follows_the_plan_of_trials(
    shop: Shop, alice: SignedIn
) -> None:
    now = shop.world.clock.now()
    async with shop.world.database.system() as session:
        row = (await session.execute(select(Subscription))).scalar_one()
        row.plan = "starter"
        await session.flush()
        assert (await affected_by(session, plan="pro", now=now)).following == 1
        assert (await affected_by(session, plan="pro", now=now + timedelta(days=15))).following == 0
        (follower,) = (await affected_by(session, plan="starter", now=now)).followers
        assert (follower.account_id, follower.status, follower.members) == (alice.account_id, "trialing", 1)
        row.status = "canceled"
        await session.flush()
        assert (await affected_by(session, plan="starter", now=now)).following == 0
