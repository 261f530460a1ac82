"""What stands where the plan does not reach, and that every way on is open there."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from payflux.web.billing_words import LOCKED
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.pages.browser import Browser
from tests.integration.pages.conftest import ALICE, subscribe

WALLED = {
    "trial_ended": ({}, "Your trial has ended", "select-plan"),
    "bought_trial_ended": ({"stripe_status": "trialing"}, "Your first payment is being confirmed", "portal"),
    "canceled": ({"status": "canceled", "stripe_status": "canceled"}, "Your plan has ended", "select-plan"),
    "incomplete": ({"status": "incomplete", "stripe_status": "unpaid"}, "Your payment is not complete", "portal"),
}
WAYS_ON = (
    "/account/billing",
    "/account/billing/select-plan",
    "/account/billing/free",
    "/account/export",
    "/account/delete",
    "/account/profile",
    "/history",
)


@pytest.mark.parametrize("state", WALLED)
async def test_the_wall_says_why_and_leaves_every_way_on_open(
    alice: Browser, world: World, clock: MovedClock, state: str
) -> None:
    assert set(WALLED) | {"none"} == LOCKED
    changes, title, way = WALLED[state]
    await subscribe(world, ALICE, current_period_end=clock.now(), canceled_at=clock.now(), **changes)
    before = await alice.get("/dashboard")
    assert before.status_code == 402
    assert f"<h1>{title}</h1>" in before.text
    assert f'action="/account/billing/{way}"' in before.text
    for path in ('href="/account/billing/free"', 'href="/account/export"', 'href="/account/delete"', "/sign-out"):
        assert path in before.text
    for path in WAYS_ON:
        assert (await alice.get(path)).status_code == 200, path
    posted = await alice.post("/sources", {"name": "Adyen"})
    assert posted.status_code == 402
    assert f"<h1>{title}</h1>" in posted.text


async def test_who_cannot_pay_is_told_who_can(bob: Browser, world: World, clock: MovedClock) -> None:
    await subscribe(world, ALICE, current_period_end=clock.now())
    page = (await bob.get("/dashboard")).text
    assert "Your trial has ended" in page
    assert "Ask Alice (owner)" in page
    for offered in ("select-plan", "/account/billing/free", "/account/export", "/account/delete"):
        assert offered not in page
    assert (await bob.get("/account/billing/select-plan")).status_code == 403


async def test_what_was_computed_is_readable_for_thirty_days_and_then_behind_the_wall(
    alice: Browser, world: World, clock: MovedClock
) -> None:
    await subscribe(world, ALICE, current_period_end=clock.now() - timedelta(days=30, seconds=-1))
    page = await alice.get("/history")
    assert page.status_code == 200
    assert "Readable until" in page.text
    assert 'href="/history"' in (await alice.get("/dashboard")).text
    clock.move(timedelta(seconds=1))
    assert (await alice.get("/history")).status_code == 402
    wall = (await alice.get("/dashboard")).text
    assert 'href="/history"' not in wall
    assert 'href="/account/export"' in wall


async def test_what_a_plan_does_not_hold_names_the_plans_that_do(alice: Browser, bob: Browser, world: World) -> None:
    await subscribe(world, ALICE, plan="starter", status="active")
    blocked = await alice.get("/account/audit")
    assert blocked.status_code == 402
    assert "Audit log is not in your plan" in blocked.text
    assert "part of Pro and Enterprise. Your plan is Starter." in blocked.text
    asked = (await bob.get("/upgrade?feature=forecasting")).text
    assert "part of Pro and Enterprise" in asked
    assert "Ask Alice (owner)" in asked
    assert "Go to checkout" not in asked
    talk = (await alice.get("/upgrade?feature=sso")).text
    assert "part of Enterprise" in talk
    assert "sold by a conversation" in talk
    more = (await alice.get("/upgrade?limit=seats")).text
    assert "Seats" in more
    assert (await alice.get("/upgrade?feature=nonsense&limit=nonsense")).status_code == 200


async def test_free_is_chosen_by_an_act_of_ones_own_and_shows_a_preview(
    alice: Browser, world: World, clock: MovedClock
) -> None:
    await subscribe(world, ALICE, current_period_end=clock.now())
    asked = (await alice.get("/account/billing/free")).text
    assert "Stop monitoring and keep Free" in asked
    assert (await alice.get("/dashboard")).status_code == 402
    assert (await alice.post("/account/billing/free")).headers["Location"] == "/account/billing"
    assert "You are on Free" in (await alice.get("/account/billing")).text
    assert (await alice.get("/start")).headers["Location"] == "/dashboard/preview"
    assert (await alice.get("/dashboard")).headers["Location"] == "/dashboard/preview"
    preview = (await alice.get("/dashboard/preview")).text
    assert "What stands here with a plan" in preview
    assert "The last figures" not in preview
    assert re.search(r"data-pill>Free<", preview)
    blocked = await alice.get("/what-if")
    assert blocked.status_code == 402
    assert "part of Starter, Pro and Enterprise" in blocked.text.replace(" and Pro and ", ", Pro and ")
    await subscribe(world, ALICE, plan="starter", status="active")
    assert (await alice.get("/dashboard/preview")).headers["Location"] == "/dashboard"


async def test_who_pays_is_told_to_end_that_before_keeping_free(alice: Browser, world: World) -> None:
    await subscribe(world, ALICE, status="active", stripe_status="active")
    assert "still paid for" in (await alice.get("/account/billing/free")).text
    refused = await alice.post("/account/billing/free")
    assert refused.status_code == 409
    assert "Cancel it under Billing first" in refused.text
