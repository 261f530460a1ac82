"""Staff look at an account as of another instant, and see what the product would show then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import make_url, update
from sqlalchemy.exc import IntegrityError

from payflux.activation.trial_notices import send_due_notices
from payflux.admin.time_travel import Seen, seen_at
from payflux.frontdoor.accounts.models import Session, User
from payflux.kit.postgres import EmbeddedPostgres
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.pages.browser import MACHINE, Browser
from tests.integration.staff.conftest import ALICE, Desk, staff_entries, user_id_of

REASON = "Ticket 4713: what happens at the end of the trial"
DAY = timedelta(days=1)


@pytest.fixture
async def verified(alice: Browser, account_id: UUID, world: World) -> None:
    """Alice's address is proven."""
    async with world.database.system() as session:
        await session.execute(update(User).values(email_verified_at=world.clock.now()))


async def seen(world: World, account_id: UUID, after: timedelta) -> Seen:
    return await seen_at(world, account_id=account_id, instant=world.clock.now() + after)


@pytest.mark.parametrize(
    ("after", "pill", "live", "history", "notices"),
    [
        (0 * DAY, "Pro trial · 14 days left", True, True, []),
        (11 * DAY, "Pro trial · 3 days left", True, True, ["trial_ending"]),
        (13 * DAY + DAY / 2, "Pro trial · 1 day left", True, True, ["trial_ending"]),
        (15 * DAY, "Trial expired — pick a plan", False, True, []),
        (50 * DAY, "Trial expired — pick a plan", False, False, []),
    ],
)
async def test_the_pill_the_wall_and_the_banners_are_those_of_the_instant(
    world: World, account_id: UUID, after: timedelta, pill: str, live: bool, history: bool, notices: list[str]
) -> None:
    found = await seen(world, account_id, after)
    assert (found.pill.words, found.held.live, found.notices) == (pill, live, notices)
    assert found.held.may_read_history == history
    assert any(found.held.features.values()) == live


async def test_the_mails_that_it_foretells_are_the_ones_that_go_out(
    world: World, account_id: UUID, verified: None, clock: MovedClock
) -> None:
    foretold = (await seen(world, account_id, 15 * DAY)).mails
    assert [each.mail.subject for each in foretold] == [
        "Your PayFlux trial ends in 4 days",
        "Your PayFlux trial ends tomorrow",
        "Your PayFlux trial has ended",
    ]
    assert {member.email for each in foretold for member in each.to} == {ALICE}
    for _quarter in range(15 * 4):
        clock.move(DAY / 4)
        await send_due_notices(world)
    sent = (await seen(world, account_id, timedelta(0))).sent
    assert sorted(each.at for each in sent) == [each.at for each in foretold]


async def test_looking_ahead_changes_nothing_and_is_not_kept_for_the_present(
    world: World, account_id: UUID, verified: None, postgres: EmbeddedPostgres, owner_url: str
) -> None:
    async def rows() -> list[list[asyncpg.Record]]:
        tables = ("subscriptions", "sent_notices", "accounts", "audit_entries", "pgqueuer")
        return [await superuser.fetch(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]

    superuser = await asyncpg.connect(postgres.url(database=make_url(owner_url).database or ""))
    before = await rows()
    await seen(world, account_id, 15 * DAY)
    assert await rows() == before
    await superuser.close()
    assert (await seen(world, account_id, timedelta(0))).held.live


async def test_the_page_says_as_of_when_it_looks_and_leads_to_the_turning_points(
    sam: Desk, account_id: UUID, verified: None, clock: MovedClock
) -> None:
    then = clock.now() + 15 * DAY
    page = await sam.browser.get(f"/admin/accounts/{account_id}/at?instant={then:%Y-%m-%dT%H:%M}")
    assert page.status_code == 200
    for words in ("Trial expired", "nothing is changed", "Your PayFlux trial has ended", "behind the wall"):
        assert words in page.text
    assert page.text.count("?instant=") == 4
    assert (await sam.browser.get(f"/admin/accounts/{account_id}/at")).status_code == 200


@pytest.mark.parametrize("typed", ["tomorrow", "9999-12-31T23:59", "0001-01-01", "2026-13-01T00:00"])
async def test_an_instant_that_is_none_is_refused(sam: Desk, account_id: UUID, typed: str) -> None:
    answer = await sam.browser.get(f"/admin/accounts/{account_id}/at?instant={typed}", **MACHINE)
    assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (422, ["instant"])


@pytest.fixture
async def visit(sam: Desk, world: World, account_id: UUID, verified: None) -> Callable[[datetime], object]:
    """Sam looks at Alice's account as Alice, as of an instant."""

    async def start(instant: datetime) -> Browser:
        form = {"user_id": str(await user_id_of(world, ALICE)), "reason": REASON, "code": sam.code()}
        answer = await sam.browser.post(f"/admin/accounts/{account_id}/visits", form | {"instant": instant.isoformat()})
        assert answer.headers["Location"] == "/start"
        return sam.browser

    return start


async def test_a_visit_shows_the_products_own_pages_as_of_the_instant(
    visit: Callable, alice: Browser, world: World, account_id: UUID, clock: MovedClock
) -> None:
    browser = await visit(clock.now() + 15 * DAY)
    wall = await browser.get("/dashboard")
    assert wall.status_code == 402
    assert "Support visit." in wall.text
    assert f"{clock.now() + 15 * DAY - timedelta(seconds=30):%d}" in wall.text
    assert "as it would be if nothing else happened" in wall.text
    assert "Trial expired" in wall.text
    hers = await alice.get("/dashboard")
    assert hers.status_code != 402, "her own clock goes right"
    (started,) = [each for each in await staff_entries(world, account_id) if each.action == "staff.visit_started"]
    assert "as_of" in (started.after or {})


async def test_a_visit_to_another_instant_ends_by_the_real_clock_and_changes_nothing(
    visit: Callable, clock: MovedClock
) -> None:
    browser = await visit(clock.now() + 400 * DAY)
    assert (await browser.get("/account/profile")).status_code == 200
    refused = await browser.post("/account/profile", {"name": "Mallory"}, **MACHINE)
    assert refused.json()["code"] == "read_only"
    assert (await browser.get("/admin")).status_code == 200, "the console stays in the present"
    clock.move(timedelta(minutes=31))
    assert (await browser.get("/account/profile")).headers["Location"].startswith("/login")


async def test_no_session_of_a_member_can_have_an_instant(alice: Browser, world: World) -> None:
    with pytest.raises(IntegrityError, match="as_of"):
        async with world.database.system() as session:
            await session.execute(update(Session).values(as_of=world.clock.now()))
