"""Plan and billing: where an account stands, the choice of a plan, and the way back from Checkout."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from payflux.app import create_app
from payflux.frontdoor.catalogue.models import StripePrice
from payflux.frontdoor.entitlements.state import BillingState, billing_state
from payflux.world.bootstrap import World
from tests.conftest import MovedClock, with_settings
from tests.integration.funnel.reading import recorded_events
from tests.integration.pages.browser import Browser
from tests.integration.pages.conftest import ALICE, subscribe
from tests.running import free_port

CHOICE = {"plan": "pro", "seats": "2"}


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("\u00a0", " ").split())


async def test_a_trial_says_until_which_instant_it_runs_and_what_is_kept(alice: Browser, clock: MovedClock) -> None:
    page = text_of((await alice.get("/account/billing")).text)
    end = clock.now() + timedelta(days=14)
    assert f"Your Pro trial runs until {end.day} {end:%b %Y, %H:%M} UTC ." in page
    assert "No card is on file" in page
    assert "Nothing is deleted by itself." in page
    assert "Seats 1 of 10 seats" in page
    assert "Reserve projections a day 0 of 48 projections" in page


async def test_coming_back_from_checkout_claims_nothing_until_our_own_state_says_so(
    alice: Browser, world: World
) -> None:
    page = (await alice.get("/account/billing?success=1")).text
    assert "Confirming your payment" in page
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in page
    assert "is active" not in page
    assert "Choose a plan</a>" not in page
    await subscribe(world, ALICE, status="active", stripe_status="active", seat_limit=2, billing_interval="month")
    told = text_of((await alice.get("/account/billing?success=1")).text)
    assert "Pro is active." in told
    assert "Confirming" not in told
    assert "$998 USD a month before tax: $499 a seat" in told
    assert "Pro is active." not in text_of((await alice.get("/account/billing")).text)


async def test_a_page_that_still_waits_sees_the_change_that_came_while_it_was_made(
    alice: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def told_meanwhile(*given: Any, **named: Any) -> BillingState:
        await subscribe(world, ALICE, status="active", stripe_status="active", seat_limit=2, billing_interval="month")
        return await billing_state(*given, **named)

    monkeypatch.setattr("payflux.web.pages.billing.billing_state", told_meanwhile)
    page = (await alice.get("/account/billing?success=1")).text
    assert "Confirming your payment" in page
    assert 'data-status="trialing"' in page


async def test_the_choice_has_monthly_prices_alone_and_keeps_what_was_typed(alice: Browser, bob: Browser) -> None:
    page = (await alice.get("/account/billing/select-plan?plan=starter")).text
    assert re.findall(r'name="plan" value="(\w+)"', page) == ["starter", "pro"]
    assert re.search(r'value="starter"[^>]* checked', page)
    assert re.search(r'id="seats"[^>]* min="2" max="2"[^>]* value="2"', page)
    assert "$298</strong> USD a month for 2 seats" in page
    for annual in ("year", "annual", "1,490", "4,990"):
        assert annual not in page
    for seats, said in (("", "Write how many seats"), ("two", "Write how many seats"), ("1", "Choose 2 to 10 seats")):
        refused = await alice.post("/account/billing/select-plan", CHOICE | {"seats": seats})
        assert (refused.status_code, said in refused.text) == (422, True), seats
        assert re.search(r'value="pro"[^>]* checked', refused.text)
    assert (await alice.post("/account/billing/select-plan", {"plan": "gold", "seats": "2"})).status_code == 422
    assert (await bob.post("/account/billing/select-plan", CHOICE)).status_code == 403
    assert (await bob.post("/account/billing/portal")).status_code == 403


async def test_where_stripe_does_not_answer_nothing_is_half_done_and_the_choice_stands(
    world: World, alice: Browser
) -> None:
    async with world.database.system() as session:
        session.add(
            StripePrice(
                id="price_pro",
                product_id="prod_pro",
                plan="pro",
                version=1,
                billing_interval="month",
                unit_amount_cents=49_900,
                livemode=False,
                created_at=world.clock.now(),
            )
        )
    down = with_settings(world, stripe_api_base=f"http://127.0.0.1:{free_port()}")
    browser = Browser(create_app(down))
    await browser.sign_in(ALICE)
    refused = await browser.post("/account/billing/select-plan", {"plan": "pro", "seats": "1"})
    assert refused.status_code == 503
    assert "Couldn&#39;t start checkout. Try again." in refused.text
    assert re.search(r'value="pro"[^>]* checked', refused.text)
    assert "Your Pro trial runs until" in (await browser.get("/account/billing")).text


async def test_whoever_pays_changes_what_they_have_and_mends_a_payment_first(alice: Browser, world: World) -> None:
    await subscribe(world, ALICE, plan="starter", status="active", stripe_status="active", seat_limit=2)
    page = (await alice.get("/account/billing/select-plan")).text
    assert "Change your plan" in page
    assert "See what the change costs" in page
    assert re.search(r'value="starter"[^>]* checked', page)
    assert "$298</strong> USD a month for 2 seats" in page
    assert re.search(r'value="pro"[^>]* checked', (await alice.get("/upgrade?feature=forecasting")).text)
    await subscribe(world, ALICE, status="past_due", stripe_status="past_due")
    open_payment = (await alice.get("/account/billing/select-plan")).text
    assert "First the open payment" in open_payment
    assert 'action="/account/billing/portal"' in open_payment
    assert "data-picker" not in open_payment


async def test_a_failed_payment_is_told_to_those_who_can_mend_it(
    alice: Browser, bob: Browser, world: World, clock: MovedClock
) -> None:
    again = clock.now() + timedelta(days=3)
    await subscribe(
        world, ALICE, status="past_due", stripe_status="past_due", next_payment_attempt_at=again, seat_limit=2
    )
    for path in ("/account/team", "/account/billing"):
        page = text_of((await alice.get(path)).text)
        assert "Your last payment failed." in page
        assert f"Stripe tries again {again.day} {again:%b %Y, %H:%M} UTC" in page
    his = await bob.get("/account/team")
    assert 'aria-label="Payment failed"' not in his.text
    assert 'href="/account/billing" data-pill>Payment failed' in his.text
    assert "Ask Alice (owner)" in text_of((await bob.get("/account/billing")).text)


async def test_the_end_of_a_trial_is_announced_once_to_each_member(
    alice: Browser, bob: Browser, world: World, clock: MovedClock
) -> None:
    async def told(browser: Browser) -> bool:
        return 'data-notice="trial_ending"' in (await browser.get("/account/billing")).text

    assert not await told(alice)
    clock.move(timedelta(days=10))
    assert await told(alice)
    assert (await alice.post("/account/billing/notices/trial_ending")).status_code == 303
    assert (await alice.post("/account/billing/notices/trial_ending")).status_code == 303
    assert (await alice.post("/account/billing/notices/nonsense")).status_code == 404
    assert (await told(alice), await told(bob)) == (False, True)
    await subscribe(world, ALICE, stripe_status="trialing")
    assert not await told(bob)


@pytest.mark.parametrize("path", ["/account/billing", "/account/team", "/account/billing/select-plan"])
async def test_a_complimentary_plan_has_its_tag_and_asks_for_nothing(alice: Browser, world: World, path: str) -> None:
    await subscribe(world, ALICE, status="complimentary", current_period_end=None)
    page = (await alice.get(path)).text
    assert re.search(r'<span class="tag" data-pill>Complimentary Pro</span>', page)
    for nag in ("trial", "tag--danger", "tag--warn", 'aria-label="Payment failed"'):
        assert nag not in page, nag


async def test_the_first_look_at_a_complimentary_plan_is_told_once(alice: Browser, world: World) -> None:
    await subscribe(world, ALICE, status="complimentary", current_period_end=None)
    for _ in range(2):
        assert (await alice.get("/dashboard/activate-prompt", User_Agent="Firefox")).status_code == 200
    told = [event.name for event in await recorded_events(world)]
    assert told.count("complimentary_account_first_view") == 1


async def test_a_plan_that_was_ended_says_until_when_it_is_paid(
    alice: Browser, world: World, clock: MovedClock
) -> None:
    end = clock.now() + timedelta(days=20)
    await subscribe(world, ALICE, status="active", stripe_status="active", cancel_at=end, current_period_end=end)
    page = text_of((await alice.get("/account/billing")).text)
    assert f"Pro ends {end.day} {end:%b %Y, %H:%M} UTC ; it is paid until then" in page
    assert "Next charge" not in page
