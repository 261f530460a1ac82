"""What each page and outcome leaves in our own table, and what it does not."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from payflux.app import create_app
from payflux.frontdoor.accounts.verification.models import EmailChallenge
from payflux.frontdoor.accounts.verification.secrets import code_of
from payflux.frontdoor.funnel.events import CatalogueKey, PlanPickerViewed, TrialStarted
from payflux.frontdoor.funnel.recording import delete_strangers_events, record
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.funnel.reading import recorded_events
from tests.integration.pages.browser import MACHINE, Browser

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"}


async def verify(browser: Browser, world: World) -> None:
    async with world.database.system() as session:
        newest = (await session.execute(select(EmailChallenge).order_by(EmailChallenge.id.desc()))).scalars().first()
    assert newest is not None
    answer = await browser.post("/verify-email/code", {"code": code_of(world.tokens, newest.id)}, **BROWSER)
    assert answer.status_code == 303


async def test_a_stranger_leaves_a_trail_from_the_prices_to_the_wall_and_no_personal_datum(
    world: World, clock: MovedClock
) -> None:
    browser = Browser(create_app(world))
    browser.http.headers.update(BROWSER)
    for path in ("/pricing", "/pricing", "/register"):
        assert (await browser.get(path)).status_code == 200
    assert (await browser.register("Alice", "alice@alice-shop.example")).status_code == 303
    await verify(browser, world)
    form = {"emails": "bob@alice-shop.example", "role": "analyst"}
    assert (await browser.post("/account/team/invites", form)).status_code == 303
    assert (await browser.get("/account/billing/select-plan")).status_code == 200
    clock.move(timedelta(days=15))
    assert (await browser.sign_in("alice@alice-shop.example")).status_code == 303
    for _ in range(2):
        assert (await browser.get("/dashboard")).status_code == 402

    events = await recorded_events(world)
    assert [(event.name, event.properties) for event in events] == [
        ("pricing_page_viewed", {}),
        ("register_started", {}),
        ("register_completed", {"method": "password", "invited": False}),
        ("trial_started", {"plan": "pro"}),
        ("email_verification_sent", {}),
        ("email_verification_completed", {"proof": "code"}),
        ("teammate_invited", {"role": "analyst"}),
        ("plan_picker_viewed", {}),
        ("trial_ended_wall_shown", {}),
    ]
    visitors = {event.visitor for event in events[:3]}
    assert len(visitors) == 1, "who looked at the prices is who registered"
    assert None not in visitors
    assert len({event.account_id for event in events[2:]}) == 1
    assert {event.account_id for event in events[:2]} == {None}
    stored = " ".join(str(vars(event)) for event in events)
    for personal in ("alice", "bob", "203.0.113.7", "Firefox"):
        assert personal not in stored.lower()


@pytest.mark.parametrize("asks", [{"DNT": "1"}, {"Sec-GPC": "1"}])
async def test_nothing_is_kept_of_the_looks_of_who_asks_not_to_be_tracked(world: World, asks: dict[str, str]) -> None:
    browser = Browser(create_app(world))
    browser.http.headers.update(BROWSER | asks)
    for path in ("/pricing", "/register"):
        assert (await browser.get(path)).status_code == 200
    assert await recorded_events(world) == []
    assert (await browser.register("Alice", "alice@alice-shop.example")).status_code == 303
    assert (await browser.get("/account/billing/select-plan")).status_code == 200
    events = await recorded_events(world)
    assert [event.name for event in events] == ["register_completed", "trial_started", "email_verification_sent"]
    assert {event.visitor for event in events} == {None}


async def test_a_plan_that_lacks_a_feature_is_told_once_a_day_with_its_key_and_the_plan(
    world: World, clock: MovedClock
) -> None:
    browser = Browser(create_app(world))
    assert (await browser.register("Alice", "alice@alice-shop.example")).status_code == 303
    await verify(browser, world)
    assert (await browser.post("/account/billing/free")).status_code == 303

    async def blocked() -> list[tuple[str, dict]]:
        for headers in ({}, MACHINE):
            assert (await browser.get("/activate", **headers)).status_code == 402
        events = await recorded_events(world)
        return [(event.name, dict(event.properties)) for event in events if event.name == "feature_gate_blocked"]

    told = ("feature_gate_blocked", {"feature_key": "processor_connection", "current_plan": "free"})
    assert await blocked() == [told]
    clock.move(timedelta(days=1))
    assert await blocked() == [told, told]


async def test_an_event_stands_only_with_what_it_tells_of_and_once_where_it_happens_once(world: World) -> None:
    assert (await Browser(create_app(world)).register("Alice", "alice@alice-shop.example")).status_code == 303
    events = await recorded_events(world)
    account_id = events[-1].account_id
    assert isinstance(account_id, UUID)

    async def tell_again(fail: bool) -> None:
        async with world.database.tenant(account_id) as session:
            await record(session, TrialStarted(CatalogueKey("starter")), at=world.clock.now(), account_id=account_id)
            await record(session, PlanPickerViewed(), at=world.clock.now(), account_id=account_id)
            if fail:
                raise RuntimeError

    with pytest.raises(RuntimeError):
        await tell_again(fail=True)
    assert [event.id for event in await recorded_events(world)] == [event.id for event in events]
    await tell_again(fail=False)
    assert [event.name for event in await recorded_events(world)][len(events) :] == ["plan_picker_viewed"]


async def test_what_strangers_did_is_deleted_after_400_days_and_what_an_account_did_stays(
    world: World, clock: MovedClock
) -> None:
    browser = Browser(create_app(world))
    await browser.get("/pricing", **BROWSER)
    await browser.register("Alice", "alice@alice-shop.example")
    before = [(event.name, event.account_id) for event in await recorded_events(world)]
    assert {account_id is None for _name, account_id in before} == {True, False}
    for days, left in ((399, before), (2, [each for each in before if each[1] is not None])):
        clock.move(timedelta(days=days))
        async with world.database.system() as session:
            await delete_strangers_events(session, now=clock.now())
        assert [(event.name, event.account_id) for event in await recorded_events(world)] == left
