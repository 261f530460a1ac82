"""The dashboard's first steps, the banner about an unproven address, and the notice near the end of a trial."""

from __future__ import annotations

import re
from datetime import timedelta

import asyncpg
from fastapi import FastAPI

from payflux.frontdoor.onboarding.milestones import record_milestone
from payflux.web.formatting import utc
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.pages.browser import Browser
from tests.integration.pages.conftest import ALICE, account_of, connected, prove_address

PROMPT = "/dashboard/activate-prompt"


async def steps(browser: Browser, path: str = PROMPT) -> tuple[str, list[str], list[str]]:
    """Which step the card asks for, all steps, and those that are done."""
    page = (await browser.get(path)).text
    card = re.search(r'data-next="(\w+)"', page)
    every = re.findall(r'data-step="(\w+)"', page)
    return card[1] if card else "", every, re.findall(r'data-step="(\w+)" data-done', page)


async def test_each_step_is_ticked_by_what_happened_and_the_next_one_follows(
    app: FastAPI, world: World, clock: MovedClock, stored: asyncpg.Connection
) -> None:
    alice = Browser(app)
    await alice.register("Alice", ALICE)
    following, every, done = await steps(alice)
    assert (following, len(every), done) == ("set_up_business", 6, [])
    assert (await alice.get(PROMPT)).text.count('href="/activate">Connect your processor') == 2, "none is named yet"
    await alice.post("/welcome/step-1", {"name": "Cedar", "action": "continue"})
    await alice.post("/welcome/step-2", {"processor": "adyen", "action": "continue"})
    page = (await alice.get(PROMPT)).text
    assert await steps(alice) == ("first_projection", every, ["set_up_business"])
    assert page.count('href="/sources?processor=Adyen">Connect Adyen') == 3, "the card, and the two steps"

    clock.move(timedelta(minutes=1))
    await prove_address(world, ALICE)
    await alice.post("/account/team/invites", {"emails": "dora@alice-shop.example", "role": "viewer"})
    assert (await steps(alice))[2] == ["verify_email", "set_up_business", "invite_teammate"]

    account_id = await account_of(world, ALICE)
    await connected(world, ALICE, "Alices_shop")
    for milestone in ("processor_connected", "first_projection"):
        async with world.database.tenant(account_id) as session:
            for _ in range(2):  # it counts once
                await record_milestone(session, account_id=account_id, milestone=milestone, now=world.clock.now())
    await stored.execute("UPDATE workspaces SET connected_at = now() - interval '1 hour'")
    following, _, done = await steps(alice, "/dashboard")
    assert (following, len(done)) == ("", 5), "a plan is asked for when it is due"
    await alice.post("/connection/disconnect")
    assert len((await steps(alice))[2]) == 5, "what was reached stays"

    await stored.execute("UPDATE subscriptions SET status = 'complimentary', current_period_end = NULL")
    await stored.execute("UPDATE accounts SET entitlements_version = entitlements_version + 1")
    assert await steps(alice) == ("", [], []), "gone when all is done"


async def test_who_may_not_take_a_step_sees_who_can_and_hides_it_for_themselves_alone(
    alice: Browser, bob: Browser
) -> None:
    await alice.post("/welcome/step-1", {"action": "skip"})
    page = (await bob.get(PROMPT)).text
    card = page[page.index("data-next") : page.index("setup__all")]
    assert "Alice can do this." in card
    assert "<a " not in card
    assert (await bob.post("/welcome/steps/hide")).status_code == 303
    assert await steps(bob) == ("", [], [])
    assert (await steps(alice))[0] == "first_projection"
    assert "/welcome/steps/show" in (await bob.get("/settings")).text
    assert (await bob.post("/welcome/steps/show")).headers["Location"] == "/dashboard#setup"
    assert (await steps(bob))[0] == "first_projection"
    assert "/welcome/steps/show" not in (await bob.get("/settings")).text


async def test_who_skips_all_of_the_wizard_is_not_led_back_to_it(alice: Browser) -> None:
    assert (await steps(alice))[0] == "set_up_business"
    await alice.post("/welcome/step-1", {"action": "skip_rest"})
    assert (await alice.get("/welcome")).headers["Location"] == "/start"
    following, _, done = await steps(alice)
    assert (following, "set_up_business" in done) == ("first_projection", True)


async def test_the_trials_end_is_announced_once_on_day_10_and_a_plan_is_urgent_from_day_11(
    alice: Browser, bob: Browser, clock: MovedClock, stored: asyncpg.Connection
) -> None:
    def announced(page: str) -> bool:
        return '<dialog class="notice stack" open' in page

    end = await stored.fetchval("SELECT current_period_end FROM subscriptions")
    clock.move(end - clock.now() - timedelta(days=4, seconds=1))
    assert not announced((await alice.get(PROMPT)).text)
    clock.move(timedelta(seconds=1))
    page = (await alice.get(PROMPT)).text
    assert announced(page)
    assert f"{utc(end)}</time>" in page, "to the minute, with its zone"
    assert (await steps(alice))[0] == "set_up_business", "nothing is urgent yet"
    answer = await alice.post("/account/billing/notices/trial_ending", {"then": "plans"})
    assert answer.headers["Location"] == "/account/billing/select-plan"
    assert not announced((await alice.get(PROMPT)).text)
    assert announced((await bob.get(PROMPT)).text), "each member is told"
    await bob.get(PROMPT)
    events = await stored.fetch(
        "SELECT name, count(*) FROM product_events WHERE name LIKE 'trial_modal%' GROUP BY name"
    )
    assert {row["name"]: row["count"] for row in events} == {"trial_modal_shown": 2, "trial_modal_dismissed": 1}
    clock.move(timedelta(days=1))
    assert (await steps(alice))[0] == "pick_plan"
    assert "Alice can do this." in (await bob.get(PROMPT)).text


async def test_the_banner_sends_the_mail_again_waits_and_leads_to_another_address(
    app: FastAPI, clock: MovedClock
) -> None:
    alice = Browser(app)
    await alice.register("Alice", ALICE)
    await alice.get("/verify-email")  # where the registration leads
    clock.move(timedelta(seconds=20))
    page = (await alice.get("/account/profile")).text
    banner = page[page.index('class="banner"') : page.index("countdown.js")]
    assert 'data-wait="40"' in banner
    assert 'href="/verify-email#email"' in banner
    assert 'name="next" value="/account/profile"' in banner
    clock.move(timedelta(seconds=40))
    assert "data-wait" not in (await alice.get("/account/profile")).text
    answer = await alice.post("/verify-email/resend", {"next": "/account/profile"})
    assert answer.headers["Location"] == "/verify-email?sent=1&next=%2Faccount%2Fprofile"
    await alice.get(answer.headers["Location"])
    assert 'data-wait="120"' in (await alice.get("/account/profile")).text
