"""Checkout: one open trip at a time, nothing half-done, and nothing granted until Stripe says so."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, update

from payflux.frontdoor.accounts.models import Account
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.billing.checkout import CheckoutFailed, CheckoutReplaced, create_checkout_session
from payflux.frontdoor.billing.models import CheckoutAttempt, Subscription
from payflux.frontdoor.billing.orders import PlanNotAtStripe
from payflux.frontdoor.billing.portal import NoCustomer, PortalFailed, open_customer_portal
from payflux.frontdoor.billing.revenue import paying_accounts
from payflux.frontdoor.catalogue.models import StripePrice
from payflux.kit.audit import AuditEntry
from payflux.kit.errors import InvalidInput
from payflux.world.bootstrap import World
from tests.conftest import with_settings
from tests.integration.billing.conftest import Shop
from tests.integration.funnel.reading import recorded_events
from tests.integration.team.conftest import add_member

NOWHERE = "http://127.0.0.1:9"


async def attempts(world: World, who: SignedIn) -> list[CheckoutAttempt]:
    async with world.database.tenant(who.account_id) as session:
        return list((await session.execute(select(CheckoutAttempt).order_by(CheckoutAttempt.id))).scalars())


async def customer(world: World, who: SignedIn) -> str | None:
    async with world.database.tenant(who.account_id) as session:
        query = select(Account.stripe_customer_id).where(Account.id == who.account_id)
        return (await session.execute(query)).scalar_one()


async def log_of(world: World, who: SignedIn, action: str) -> list[AuditEntry]:
    async with world.database.tenant(who.account_id) as session:
        query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.sequence)
        return list((await session.execute(query)).scalars())


async def move_trial_end(world: World, who: SignedIn, left: timedelta) -> None:
    async with world.database.tenant(who.account_id) as session:
        await session.execute(update(Subscription).values(current_period_end=world.clock.now() + left))


async def checkouts_told(world: World) -> list[str]:
    """The product events about a Checkout of Pro by the month, in order."""
    told = [event for event in await recorded_events(world) if event.name.startswith("checkout_")]
    assert all(event.properties == {"plan": "pro", "interval": "month"} for event in told)
    return [event.name for event in told]


async def test_what_alice_pays_for_goes_on_from_her_trial_once_stripe_says_so(shop: Shop, alice: SignedIn) -> None:
    url = await create_checkout_session(shop.world, alice, plan="pro", seats=3)
    trial = await shop.standing(alice)
    answer = await shop.pay(url)
    assert answer.headers["Location"] == f"{shop.world.settings.url}/account/billing?success=1"
    unheard = await shop.standing(alice)
    assert trial is not None
    assert unheard is not None
    assert (unheard.status, unheard.stripe_status, unheard.seat_limit) == ("trialing", None, None)
    await shop.hear()
    bought = await shop.standing(alice)
    assert bought is not None
    assert bought.id == trial.id
    assert (bought.plan, bought.status, bought.seat_limit, bought.billing_interval) == ("pro", "trialing", 3, "month")
    assert bought.plan_version == 1
    assert trial.current_period_end is not None
    assert bought.current_period_end == trial.current_period_end.replace(microsecond=0)
    assert [attempt.status for attempt in await attempts(shop.world, alice)] == ["complete"]
    (entry,) = await log_of(shop.world, alice, "subscription.changed")
    assert entry.after is not None
    assert (entry.after["seat_limit"], entry.after["stripe_status"]) == (3, "trialing")
    assert await checkouts_told(shop.world) == ["checkout_session_created", "checkout_completed"]


async def test_whose_trial_is_over_pays_at_once(shop: Shop, alice: SignedIn) -> None:
    await move_trial_end(shop.world, alice, -timedelta(days=1))
    await shop.pay(await create_checkout_session(shop.world, alice, plan="starter", seats=1, interval="year"))
    await shop.hear()
    bought = await shop.standing(alice)
    assert bought is not None
    assert (bought.plan, bought.status, bought.billing_interval) == ("starter", "active", "year")
    changes = [event for event in await recorded_events(shop.world) if event.name == "monthly_revenue_changed"]
    assert [event.properties for event in changes] == [{"before_cents": 0, "after_cents": round(149_000 / 12)}]
    async with shop.world.database.system() as session:
        assert await paying_accounts(session) == {alice.account_id: round(149_000 / 12)}


async def test_a_rest_of_a_trial_that_is_too_short_for_checkout_is_rounded_up(shop: Shop, alice: SignedIn) -> None:
    await move_trial_end(shop.world, alice, timedelta(hours=1))
    await shop.pay(await create_checkout_session(shop.world, alice, plan="pro", seats=1))
    await shop.hear()
    bought = await shop.standing(alice)
    assert bought is not None
    assert bought.current_period_end is not None
    left = bought.current_period_end - shop.world.clock.now()
    assert timedelta(hours=48, minutes=9) < left <= timedelta(hours=48, minutes=10)


async def test_the_same_order_leads_to_the_same_session(shop: Shop, alice: SignedIn) -> None:
    first = await create_checkout_session(shop.world, alice, plan="pro", seats=2)
    assert await create_checkout_session(shop.world, alice, plan="pro", seats=2) == first
    assert len(await attempts(shop.world, alice)) == 1


async def test_another_order_ends_the_open_session_first(shop: Shop, alice: SignedIn) -> None:
    first = await create_checkout_session(shop.world, alice, plan="pro", seats=2)
    second = await create_checkout_session(shop.world, alice, plan="pro", seats=3)
    assert second != first
    assert "no longer" in (await shop.pay(first)).text or "expired" in (await shop.pay(first)).text
    assert [attempt.status for attempt in await attempts(shop.world, alice)] == ["expired", "open"]
    await shop.pay(second)
    await shop.hear()
    bought = await shop.standing(alice)
    assert bought is not None
    assert bought.seat_limit == 3
    begun = "checkout_session_created"
    assert await checkouts_told(shop.world) == [begun, "checkout_abandoned", begun, "checkout_completed"]


async def test_two_requests_at_once_make_one_session(shop: Shop, alice: SignedIn) -> None:
    urls = await asyncio.gather(
        *(create_checkout_session(shop.world, alice, plan="pro", seats=2) for _ in range(4)),
    )
    assert len(set(urls)) == 1
    assert len(await attempts(shop.world, alice)) == 1


async def test_two_different_orders_at_once_leave_one_that_can_be_paid(shop: Shop, alice: SignedIn) -> None:
    bob = await add_member(shop.world, alice, "Bob", "admin")
    outcomes = await asyncio.gather(
        create_checkout_session(shop.world, alice, plan="pro", seats=2),
        create_checkout_session(shop.world, bob, plan="starter", seats=2),
        return_exceptions=True,
    )
    refused = [each for each in outcomes if isinstance(each, BaseException)]
    assert all(isinstance(each, CheckoutReplaced) for each in refused)
    customer_id = await customer(shop.world, alice)
    listed = await shop.stripe.v1.checkout.sessions.list_async({"customer": customer_id or "", "status": "open"})
    assert len(listed.data) <= 1
    assert len([each for each in await attempts(shop.world, alice) if each.status == "open"]) <= 1


async def test_a_paid_session_whose_event_is_still_on_its_way_is_not_paid_again(shop: Shop, alice: SignedIn) -> None:
    await shop.pay(await create_checkout_session(shop.world, alice, plan="pro", seats=2))
    again = await create_checkout_session(shop.world, alice, plan="pro", seats=2)
    assert "/p/session/" in again  # Stripe has the subscription already: its portal, and no second Checkout


async def test_who_has_a_subscription_is_led_to_the_portal_instead(shop: Shop, alice: SignedIn) -> None:
    await shop.pay(await create_checkout_session(shop.world, alice, plan="pro", seats=2))
    await shop.hear()
    assert "/p/session/" in await create_checkout_session(shop.world, alice, plan="starter", seats=2)
    assert "/p/session/" in await open_customer_portal(shop.world, alice)
    assert len(await shop.stripe.subscriptions(await customer(shop.world, alice))) == 1


@pytest.mark.parametrize(("plan", "seats"), [("pro", 4), ("starter", 2)])
async def test_another_plan_or_number_of_seats_is_confirmed_at_stripe_and_goes_on(
    shop: Shop, alice: SignedIn, plan: str, seats: int
) -> None:
    await move_trial_end(shop.world, alice, -timedelta(days=1))
    await shop.pay(await create_checkout_session(shop.world, alice, plan="pro", seats=2))
    await shop.hear()
    before = await shop.standing(alice)
    url = await create_checkout_session(shop.world, alice, plan=plan, seats=seats)
    page = await shop.world.http.get(url)
    assert "Change plan" in page.text
    price = await price_at(shop, plan)
    form = {"action": "switch", "price": price, "subscription": str(before and before.stripe_subscription_id)}
    answer = await shop.world.http.post(url, data=form)
    assert answer.headers["Location"] == f"{shop.world.settings.url}/account/billing?success=1"
    await shop.hear()
    after = await shop.standing(alice)
    assert before is not None
    assert after is not None
    assert (after.id, after.plan, after.seat_limit, after.status) == (before.id, plan, seats, "active")
    assert len(await shop.stripe.subscriptions(await customer(shop.world, alice))) == 1


async def price_at(shop: Shop, plan: str) -> str:
    async with shop.world.database.system() as session:
        query = select(StripePrice.id).where(StripePrice.plan == plan, StripePrice.billing_interval == "month")
        return (await session.execute(query)).scalar_one()


async def test_the_portal_is_set_up_once_and_offers_no_other_plan(shop: Shop, alice: SignedIn) -> None:
    await create_checkout_session(shop.world, alice, plan="pro", seats=2)
    for _ in range(2):
        await open_customer_portal(shop.world, alice)
    ours = [each for each in await shop.stripe.portal_configurations() if "payflux_portal" in each.metadata]
    assert len(ours) == 1
    configuration = (await shop.stripe.v1.billing_portal.configurations.retrieve_async(ours[0].id)).to_dict()
    assert configuration["features"]["subscription_update"]["enabled"] is False
    assert configuration["features"]["subscription_cancel"]["mode"] == "at_period_end"


async def test_a_customer_is_made_once_and_named_in_the_log(shop: Shop, alice: SignedIn) -> None:
    assert await customer(shop.world, alice) is None
    await create_checkout_session(shop.world, alice, plan="pro", seats=2)
    made = await customer(shop.world, alice)
    await create_checkout_session(shop.world, alice, plan="pro", seats=3)
    assert await customer(shop.world, alice) == made
    assert [entry.subject for entry in await log_of(shop.world, alice, "billing.customer_created")] == [made]


async def test_a_customer_who_was_deleted_at_stripe_is_replaced_and_stays_in_the_log(
    shop: Shop, alice: SignedIn
) -> None:
    await create_checkout_session(shop.world, alice, plan="pro", seats=2)
    first = await customer(shop.world, alice)
    assert first
    await shop.stripe.v1.customers.delete_async(first)
    await create_checkout_session(shop.world, alice, plan="pro", seats=3)
    second = await customer(shop.world, alice)
    assert second not in (None, first)
    assert (await log_of(shop.world, alice, "billing.customer_created"))[-1].before == {"customer": first}


async def test_a_customer_of_another_mode_or_key_is_replaced(shop: Shop, alice: SignedIn) -> None:
    async with shop.world.database.tenant(alice.account_id) as session:
        await session.execute(update(Account).values(stripe_customer_id="cus_of_another_key"))
    await create_checkout_session(shop.world, alice, plan="pro", seats=2)
    assert await customer(shop.world, alice) != "cus_of_another_key"


async def test_when_stripe_does_not_answer_nothing_is_half_done(shop: Shop, alice: SignedIn) -> None:
    down = with_settings(shop.world, stripe_api_base=NOWHERE)
    with pytest.raises(CheckoutFailed, match=r"Couldn't start checkout\. Try again\."):
        await create_checkout_session(down, alice, plan="pro", seats=2)
    assert await customer(shop.world, alice) is None
    assert await attempts(shop.world, alice) == []
    assert down.metrics.registry.get_sample_value("payflux_checkout_failures_total") == 1
    assert await create_checkout_session(shop.world, alice, plan="pro", seats=2)


async def test_when_stripe_fails_at_the_last_step_the_next_try_begins_anew(shop: Shop, alice: SignedIn) -> None:
    fault = {"kind": "error", "status": 500, "path": "/v1/checkout/sessions", "method": "POST", "times": 3}
    (await shop.world.http.post(f"{shop.base}/sandbox/faults", json=fault)).raise_for_status()
    with pytest.raises(CheckoutFailed):
        await create_checkout_session(shop.world, alice, plan="pro", seats=2)
    assert [attempt.status for attempt in await attempts(shop.world, alice)] == ["expired"]
    assert await create_checkout_session(shop.world, alice, plan="pro", seats=2)
    assert [attempt.status for attempt in await attempts(shop.world, alice)] == ["expired", "open"]


@pytest.mark.parametrize(
    ("order", "field", "words"),
    [
        ({"plan": "gold", "seats": 1}, "plan", "Choose one of starter, pro"),
        ({"plan": "free", "seats": 1}, "plan", "not sold by itself"),
        ({"plan": "enterprise", "seats": 1}, "plan", "contact sales"),
        ({"plan": "pro", "seats": 0}, "seats", "Choose 2 to 10 seats"),
        ({"plan": "pro", "seats": 1}, "seats", "2 are taken"),
        ({"plan": "pro", "seats": 11}, "seats", "Pro has 10"),
        ({"plan": "pro", "seats": 2, "interval": "week"}, "interval", "month or year"),
    ],
)
async def test_an_order_that_cannot_be_is_refused_by_its_field(
    shop: Shop, alice: SignedIn, order: dict[str, object], field: str, words: str
) -> None:
    await add_member(shop.world, alice, "Bob", "viewer")
    with pytest.raises(InvalidInput) as refused:
        await create_checkout_session(shop.world, alice, **order)  # ty: ignore[invalid-argument-type]
    assert words in refused.value.fields[field]
    assert await customer(shop.world, alice) is None


async def test_a_plan_that_stripe_was_not_told_of_cannot_be_bought_yet(shop: Shop, alice: SignedIn) -> None:
    live = with_settings(shop.world, stripe_secret_key=SecretStr("sk_live_of_the_tests"))
    with pytest.raises(PlanNotAtStripe, match="Pro cannot be bought right now"):
        await create_checkout_session(live, alice, plan="pro", seats=2)
    async with shop.world.database.system() as session:
        assert (await session.execute(select(func.count()).select_from(StripePrice))).scalar_one() > 0


async def test_who_never_bought_has_no_portal(shop: Shop, alice: SignedIn) -> None:
    with pytest.raises(NoCustomer):
        await open_customer_portal(shop.world, alice)


async def test_the_portal_says_when_stripe_does_not_answer(shop: Shop, alice: SignedIn) -> None:
    await create_checkout_session(shop.world, alice, plan="pro", seats=2)
    with pytest.raises(PortalFailed, match="Try again"):
        await open_customer_portal(with_settings(shop.world, stripe_api_base=NOWHERE), alice)
