"""What Stripe's events do to an account: each is a hint, and what Stripe says when it is asked is what is written."""

from __future__ import annotations

import asyncio
import itertools
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from payflux.frontdoor.accounts.models import Account
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.billing.applying import MOST_ATTEMPTS, apply_stripe_event, refresh_account
from payflux.frontdoor.billing.checkout import create_checkout_session
from payflux.frontdoor.billing.free import FreeNotOffered, choose_free
from payflux.frontdoor.billing.inbox import APPLIED, apply_again, receive
from payflux.frontdoor.billing.models import StripeEvent, Subscription
from payflux.frontdoor.billing.queries import failed_events, open_differences
from payflux.frontdoor.billing.reconciling import KINDS, reconcile_subscriptions
from payflux.frontdoor.billing.upkeep import (
    apply_due_stripe_events,
    follow_subscription,
    keep_up_with_stripe,
    reconcile_billing,
)
from payflux.frontdoor.catalogue.models import StripePrice
from payflux.kit.errors import NotFound
from payflux.world.stripe.billing_objects import Invoice, RemoteEvent
from tests.conftest import with_settings
from tests.integration.billing.conftest import Shop
from tests.integration.team.conftest import add_owner

NOWHERE = "http://127.0.0.1:9"
FAILS_LATER = "4000000000000341"


async def bought(shop: Shop, who: SignedIn) -> Subscription:
    """A plan that is paid for, as we know it."""
    await end_trial(shop, who)
    await shop.pay(await create_checkout_session(shop.world, who, plan="pro", seats=2))
    await shop.hear()
    return await standing(shop, who)


async def past_due(shop: Shop, who: SignedIn) -> Subscription:
    """A trial that went on with a card that could be kept, and whose first payment failed."""
    await shop.pay(await create_checkout_session(shop.world, who, plan="pro", seats=2), number=FAILS_LATER)
    await shop.advance("15d")
    await shop.hear()
    return await standing(shop, who)


async def pay_with_another_card(shop: Shop, who: SignedIn, subscription: Subscription) -> None:
    remote = await shop.stripe.subscription(str(subscription.stripe_subscription_id))
    assert remote is not None
    assert isinstance(remote.latest_invoice, Invoice)
    await shop.stripe.v1.invoices.pay_async(remote.latest_invoice.id, {"payment_method": await add_card(shop, who)})


async def add_card(shop: Shop, who: SignedIn) -> str:
    attached = await shop.stripe.v1.payment_methods.attach_async(
        "pm_card_visa", {"customer": await customer(shop, who)}
    )
    return attached.id


async def end_trial(shop: Shop, who: SignedIn) -> None:
    async with shop.world.database.tenant(who.account_id) as session:
        await session.execute(update(Subscription).values(current_period_end=shop.world.clock.now()))


async def standing(shop: Shop, who: SignedIn) -> Subscription:
    found = await shop.standing(who)
    assert found is not None
    return found


async def rows(shop: Shop, who: SignedIn) -> list[tuple[Any, ...]]:
    """Everything that is known of an account's subscriptions but when it was written."""
    kept = [column for column in Subscription.__table__.columns if column.name not in ("id", "updated_at")]
    async with shop.world.database.tenant(who.account_id) as session:
        return [tuple(row) for row in await session.execute(select(*kept).order_by(Subscription.created_at))]


async def version(shop: Shop, who: SignedIn) -> int:
    async with shop.world.database.tenant(who.account_id) as session:
        return (await session.execute(select(Account.entitlements_version))).scalar_one()


async def change(shop: Shop, subscription: Subscription, **changes: Any) -> None:
    """What somebody does to the subscription at Stripe."""
    params: Any = changes
    await shop.stripe.v1.subscriptions.update_async(str(subscription.stripe_subscription_id), params)


async def second_subscription(shop: Shop, who: SignedIn) -> str:
    """Another subscription of the same customer, made in the Dashboard."""
    first = await standing(shop, who)
    remote = await shop.stripe.subscription(str(first.stripe_subscription_id))
    assert remote is not None
    params: Any = {
        "customer": remote.customer,
        "items": [{"price": remote.item.price.id}],
        "default_payment_method": await add_card(shop, who),
    }
    return (await shop.stripe.v1.subscriptions.create_async(params)).id


async def test_a_payment_that_fails_is_past_due_and_one_that_recovers_is_active(shop: Shop, alice: SignedIn) -> None:
    failed = await past_due(shop, alice)
    assert (failed.status, failed.stripe_status) == ("past_due", "past_due")
    assert failed.next_payment_attempt_at is not None
    assert failed.next_payment_attempt_at > shop.world.clock.now()
    await pay_with_another_card(shop, alice, failed)
    await shop.hear()
    recovered = await standing(shop, alice)
    assert (recovered.status, recovered.next_payment_attempt_at) == ("active", None)


async def customer(shop: Shop, who: SignedIn) -> str:
    async with shop.world.database.tenant(who.account_id) as session:
        return str((await session.execute(select(Account.stripe_customer_id))).scalar_one())


async def test_a_cancellation_runs_to_its_end_and_then_locks(shop: Shop, alice: SignedIn) -> None:
    active = await bought(shop, alice)
    await change(shop, active, cancel_at_period_end=True)
    await shop.hear()
    ending = await standing(shop, alice)
    assert (ending.status, ending.cancel_at_period_end) == ("active", True)
    assert ending.cancel_at == ending.current_period_end
    await shop.advance("33d")
    await shop.hear()
    ended = await standing(shop, alice)
    assert (ended.status, ended.canceled_at) == ("canceled", ending.cancel_at)


async def test_who_comes_back_after_a_cancellation_has_a_subscription_of_their_own(shop: Shop, alice: SignedIn) -> None:
    first = await bought(shop, alice)
    await shop.stripe.cancel_subscription(str(first.stripe_subscription_id))
    await shop.hear()
    await shop.pay(await create_checkout_session(shop.world, alice, plan="starter", seats=1))
    await shop.hear()
    second = await standing(shop, alice)
    assert (second.plan, second.status) == ("starter", "active")
    assert second.id != first.id
    assert sorted(row.status for row in await history(shop, alice)) == ["active", "canceled"]


async def history(shop: Shop, who: SignedIn) -> list[Subscription]:
    async with shop.world.database.tenant(who.account_id) as session:
        return list((await session.execute(select(Subscription).order_by(Subscription.created_at))).scalars())


async def test_seats_and_plan_follow_what_is_changed_at_stripe(shop: Shop, alice: SignedIn) -> None:
    active = await bought(shop, alice)
    async with shop.world.database.system() as session:
        of_starter = (StripePrice.plan == "starter", StripePrice.billing_interval == "month")
        price = (await session.execute(select(StripePrice.id).where(*of_starter))).scalars().all()
    remote = await shop.stripe.subscription(str(active.stripe_subscription_id))
    assert remote is not None
    await change(shop, active, items=[{"id": remote.item.id, "price": price[-1], "quantity": 5}])
    before = await version(shop, alice)
    await shop.hear()
    changed = await standing(shop, alice)
    assert (changed.plan, changed.seat_limit, changed.stripe_price_id) == ("starter", 5, price[-1])
    assert await version(shop, alice) == before + 1


async def test_what_changes_nothing_leaves_no_trace(shop: Shop, alice: SignedIn) -> None:
    await bought(shop, alice)
    before, known = await version(shop, alice), await standing(shop, alice)
    assert await refresh_account(shop.world, alice.account_id) == "nothing has changed"
    assert await version(shop, alice) == before
    assert (await standing(shop, alice)).updated_at == known.updated_at


async def test_a_complimentary_account_goes_where_stripe_says(shop: Shop, alice: SignedIn) -> None:
    await end_trial(shop, alice)
    url = await create_checkout_session(shop.world, alice, plan="pro", seats=2)
    async with shop.world.database.tenant(alice.account_id) as session:
        await session.execute(update(Subscription).values(status="complimentary", current_period_end=None))
    await shop.pay(url)
    await shop.hear()
    assert (await standing(shop, alice)).status == "active"


async def test_an_event_of_nobody_is_acknowledged_with_the_reason(shop: Shop) -> None:
    made = await shop.stripe.create_customer(name="Nobody", email="nobody@example.com", metadata={}, key="nobody")
    price = await some_price(shop)
    card = await shop.stripe.v1.payment_methods.attach_async("pm_card_visa", {"customer": made.id})
    params: Any = {"customer": made.id, "items": [{"price": price}], "default_payment_method": card.id}
    await shop.stripe.v1.subscriptions.create_async(params)
    await shop.hear()
    async with shop.world.database.system() as session:
        of_them = StripeEvent.payload_excerpt["customer"].astext == made.id
        found = (await session.execute(select(StripeEvent).where(of_them))).scalars().all()
    assert found
    assert {(event.state, event.outcome) for event in found} == {("ignored", "about no account of ours")}
    assert "unknown_account" in {each.kind for each in await reconcile_subscriptions(shop.world)}


async def some_price(shop: Shop) -> str:
    async with shop.world.database.system() as session:
        return (await session.execute(select(StripePrice.id).limit(1))).scalar_one()


async def test_two_that_run_at_stripe_are_reported_and_never_mended(shop: Shop, alice: SignedIn) -> None:
    first = await bought(shop, alice)
    second = await second_subscription(shop, alice)
    await shop.hear()
    assert (await standing(shop, alice)).stripe_subscription_id == first.stripe_subscription_id
    found = {(each.kind, each.subject) for each in await reconcile_subscriptions(shop.world)}
    assert {("two_live", first.stripe_subscription_id), ("two_live", second)} <= found
    remote = await shop.stripe.subscription(second)
    assert remote is not None
    assert remote.status == "active"
    await shop.stripe.cancel_subscription(second)
    await reconcile_billing(shop.world)
    async with shop.world.database.system() as session:
        assert not [each for each in await open_differences(session) if each.kind == "two_live"]


async def test_a_price_that_is_not_ours_keeps_the_plan_and_is_reported(shop: Shop, alice: SignedIn) -> None:
    active = await bought(shop, alice)
    remote = await shop.stripe.subscription(str(active.stripe_subscription_id))
    assert remote is not None
    product: Any = {
        "product_data": {"name": "x"},
        "unit_amount": 5,
        "currency": "usd",
        "recurring": {"interval": "month"},
    }
    price = await shop.stripe.v1.prices.create_async(product)
    await change(shop, active, items=[{"id": remote.item.id, "price": price.id, "quantity": 7}])
    await shop.hear()
    kept = await standing(shop, alice)
    assert (kept.plan, kept.plan_version, kept.seat_limit) == ("pro", active.plan_version, 7)
    async with shop.world.database.system() as session:
        (difference,) = [each for each in await open_differences(session) if each.subject == remote.id]
    assert difference.kind == "unknown_price"
    assert difference.detail["price"] == price.id


async def test_what_nobody_can_read_fails_in_sight_and_can_be_applied_again(shop: Shop, alice: SignedIn) -> None:
    await end_trial(shop, alice)
    await shop.pay(await create_checkout_session(shop.world, alice, plan="pro", seats=2))
    async with shop.world.database.system() as session:
        hidden = (await session.execute(select(StripePrice))).scalars().all()
        kept = [{column.name: getattr(row, column.name) for column in StripePrice.__table__.columns} for row in hidden]
    await shop.execute("DELETE FROM stripe_prices")
    await shop.hear()
    assert (await standing(shop, alice)).stripe_status is None
    async with shop.world.database.system() as session:
        failed = await failed_events(session)
        assert failed
        assert all("which is no price of ours" in str(event.outcome) for event in failed)
        session.add_all(StripePrice(**row) for row in kept)
        await apply_again(session, failed[0].id, now=shop.world.clock.now())
    await shop.apply_waiting()
    assert (await standing(shop, alice)).status == "active"
    async with shop.world.database.system() as session:
        with pytest.raises(NotFound):
            await apply_again(session, failed[0].id, now=shop.world.clock.now())


async def test_while_stripe_is_down_events_wait_ever_longer_and_are_not_lost(shop: Shop, alice: SignedIn) -> None:
    await end_trial(shop, alice)
    await shop.pay(await create_checkout_session(shop.world, alice, plan="pro", seats=2))
    events = await shop.stripe.events(types=list(APPLIED), since=shop.world.clock.now() - timedelta(hours=1))
    event = next(each for each in events if each.type == "checkout.session.completed")
    down = with_settings(shop.world, stripe_api_base=NOWHERE)
    async with down.database.system() as session:
        await receive(session, [event], livemode=False, now=down.clock.now())
    await apply_stripe_event(down, {"event_id": event.id})
    kept = await event_of(shop, event.id)
    assert (kept.state, kept.attempts) == ("waiting", 1)
    assert kept.due_at - shop.world.clock.now() <= timedelta(minutes=1)
    await apply_due_stripe_events(down)
    await shop.execute(f"UPDATE stripe_events SET attempts = {MOST_ATTEMPTS - 1}")
    await apply_stripe_event(down, {"event_id": event.id})
    assert (await event_of(shop, event.id)).state == "failed"
    async with shop.world.database.system() as session:
        await apply_again(session, event.id, now=shop.world.clock.now())
    await apply_stripe_event(shop.world, {"event_id": event.id})
    assert (await event_of(shop, event.id)).state == "applied"
    assert (await standing(shop, alice)).status == "active"


async def event_of(shop: Shop, event_id: str) -> StripeEvent:
    async with shop.world.database.system() as session:
        return (await session.execute(select(StripeEvent).where(StripeEvent.id == event_id))).scalar_one()


async def test_the_same_event_applied_by_several_workers_is_applied_once(shop: Shop, alice: SignedIn) -> None:
    await end_trial(shop, alice)
    await shop.pay(await create_checkout_session(shop.world, alice, plan="pro", seats=2))
    async with shop.world.database.system() as session:
        events = await shop.stripe.events(types=list(APPLIED), since=shop.world.clock.now() - timedelta(hours=1))
        await receive(session, events, livemode=False, now=shop.world.clock.now())
    before = await version(shop, alice)
    await asyncio.gather(
        *(apply_stripe_event(shop.world, {"event_id": event.id}) for event in itertools.islice(events, 4) for _ in "12")
    )
    assert len(await history(shop, alice)) == 1
    assert await version(shop, alice) == before + 1


async def test_what_differs_is_reported_by_its_kind_and_left_as_it_is(shop: Shop, alice: SignedIn) -> None:
    active = await bought(shop, alice)
    bob = await add_owner(shop.world, "Bob")
    await bought(shop, bob)
    async with shop.world.database.tenant(alice.account_id) as session:
        await session.execute(update(Subscription).values(status="past_due", seat_limit=9))
    async with shop.world.database.tenant(bob.account_id) as session:
        await session.execute(update(Subscription).values(stripe_subscription_id="sub_of_nobody"))
    ours = [
        each for each in await reconcile_subscriptions(shop.world) if each.kind in ("state", "missing", "not_followed")
    ]
    assert [each.kind for each in ours] == ["missing", "not_followed", "state"]
    assert {each.kind for each in ours} <= KINDS.keys()
    assert ours[-1].subject == active.stripe_subscription_id
    assert ours[-1].detail["seat_limit"] == {"here": 9, "there": 2}
    assert (await standing(shop, alice)).seat_limit == 9
    assert await refresh_account(shop.world, alice.account_id) == "pro is active"
    again = {each.kind for each in await reconcile_subscriptions(shop.world)}
    assert "state" not in again
    assert "missing" in again


async def test_a_trial_that_went_on_while_nothing_was_heard_is_read_within_a_minute(
    shop: Shop, alice: SignedIn
) -> None:
    await shop.pay(await create_checkout_session(shop.world, alice, plan="pro", seats=2))
    await shop.hear()
    await apply_due_stripe_events(shop.world)
    assert await jobs(shop, "follow_subscription") == []
    await shop.advance("15d")
    await apply_due_stripe_events(shop.world)
    await apply_due_stripe_events(shop.world)
    (payload,) = await jobs(shop, "follow_subscription")
    await follow_subscription(shop.world, payload)
    assert (await standing(shop, alice)).status == "active"


async def jobs(shop: Shop, name: str) -> list[dict[str, str]]:
    async with shop.world.database.system() as session:
        query = text("SELECT payload FROM pgqueuer WHERE entrypoint = :name")
        return [json.loads(payload) for payload in (await session.execute(query, {"name": name})).scalars()]


async def test_timers_do_without_stripe_when_it_is_down(shop: Shop) -> None:
    down = with_settings(shop.world, stripe_api_base=NOWHERE)
    await keep_up_with_stripe(down)
    await reconcile_billing(down)


async def test_free_is_chosen_and_given_up_by_buying(shop: Shop, alice: SignedIn) -> None:
    now = shop.world.clock.now()
    before = await version(shop, alice)
    async with shop.world.database.tenant(alice.account_id) as session:
        free = await choose_free(session, alice, now)
    async with shop.world.database.tenant(alice.account_id) as session:
        assert (await choose_free(session, alice, now)).id == free.id
    assert (free.plan, free.status, free.current_period_end) == ("free", "active", None)
    assert await version(shop, alice) == before + 1
    await shop.pay(await create_checkout_session(shop.world, alice, plan="pro", seats=2))
    await shop.hear()
    paid = await standing(shop, alice)
    assert (paid.id, paid.plan, paid.status) == (free.id, "pro", "active")
    with pytest.raises(FreeNotOffered, match="still paid for"):
        async with shop.world.database.tenant(alice.account_id) as session:
            await choose_free(session, alice, now)


async def test_free_is_not_offered_to_who_has_a_complimentary_plan(shop: Shop, alice: SignedIn) -> None:
    async with shop.world.database.tenant(alice.account_id) as session:
        await session.execute(update(Subscription).values(status="complimentary", current_period_end=None))
    with pytest.raises(FreeNotOffered, match="complimentary"):
        async with shop.world.database.tenant(alice.account_id) as session:
            await choose_free(session, alice, shop.world.clock.now())


async def recorded(shop: Shop, who: SignedIn) -> list[RemoteEvent]:
    """The events of a whole story at Stripe, in order: bought, failed, recovered, canceled, bought again."""
    began = shop.world.clock.now()
    first = await past_due(shop, who)
    await pay_with_another_card(shop, who, first)
    await shop.stripe.cancel_subscription(str(first.stripe_subscription_id))
    await shop.hear()
    await shop.pay(await create_checkout_session(shop.world, who, plan="starter", seats=1))
    await shop.hear()
    theirs = await customer(shop, who)
    events = await shop.stripe.events(types=list(APPLIED), since=began)
    return [each for each in reversed(events) if each.data.object.get("customer") == theirs]


async def test_any_order_repetition_and_loss_of_recorded_events_ends_where_the_ordered_run_did(
    shop: Shop, alice: SignedIn
) -> None:
    events = await recorded(shop, alice)
    expected = await rows(shop, alice)
    assert {event.type for event in events} >= {
        "checkout.session.completed",
        "customer.subscription.updated",
        "customer.subscription.deleted",
        "invoice.payment_failed",
        "invoice.paid",
    }
    loop = asyncio.get_running_loop()
    before = as_registered(alice)

    @settings(max_examples=12, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def any_run(data: st.DataObject) -> None:
        heard = data.draw(st.lists(st.sampled_from(events), min_size=1, max_size=len(events) + 3))
        asyncio.run_coroutine_threadsafe(replay(heard), loop).result(60)

    async def replay(heard: list[RemoteEvent]) -> None:
        await shop.execute(before)
        for event in heard:
            async with shop.world.database.system() as session:
                await receive(session, [event], livemode=False, now=shop.world.clock.now())
            await apply_stripe_event(shop.world, {"event_id": event.id})
        assert await rows(shop, alice) == expected, [event.type for event in heard]

    await asyncio.to_thread(any_run)


def as_registered(who: SignedIn) -> str:
    """The account as it was when it registered."""
    return f"""
        DELETE FROM stripe_events;
        DELETE FROM subscriptions WHERE account_id = '{who.account_id}' AND id <> (
            SELECT id FROM subscriptions WHERE account_id = '{who.account_id}' ORDER BY created_at LIMIT 1);
        UPDATE subscriptions SET plan = 'pro', plan_version = NULL, status = 'trialing', stripe_subscription_id = NULL,
            stripe_price_id = NULL, stripe_status = NULL, seat_limit = NULL, billing_interval = NULL,
            canceled_at = NULL, cancel_at = NULL, cancel_at_period_end = false, current_period_start = created_at,
            next_payment_attempt_at = NULL, current_period_end = created_at + interval '14 days'
            WHERE account_id = '{who.account_id}'
    """
