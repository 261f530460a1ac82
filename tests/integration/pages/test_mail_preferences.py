"""Members say which mails they get; and a page of figures finds out that there is something newer."""

from __future__ import annotations

import re

from sqlalchemy import select

from payflux.kit.audit import AuditEntry
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.pages.browser import Browser
from tests.integration.pages.conftest import ALICE, account_of
from tests.integration.pages.test_alerts import armed, judged

__all__ = ["armed"]

PAGE = "/settings/mail"


async def checked(browser: Browser) -> set[str]:
    page = (await browser.get(PAGE)).text
    return {value for value, rest in re.findall(r'name="wanted"[^>]* value="(\w+)"([^>]*)>', page) if "checked" in rest}


async def test_a_member_does_without_some_mails_and_whoever_looks_at_the_rules_sees_it(
    world: World, armed: Browser, bob: Browser
) -> None:
    assert await checked(armed) == {"weekly_summary", "alerts", "reminders", "reports"}
    assert "by mail to Alice" in (await armed.get("/settings/alerts")).text
    for _ in range(2):
        answer = await armed.http.post(PAGE, data={"csrf_token": await armed.token(), "wanted": ["weekly_summary"]})
        assert answer.headers["Location"] == f"{PAGE}?saved=yes"
    assert await checked(armed) == {"weekly_summary"}
    assert await checked(bob) == {"weekly_summary", "alerts", "reminders", "reports"}, "each for themselves"
    rules = (await bob.get("/settings/alerts")).text
    assert "by mail to Alice" not in rules
    assert "by mail to nobody" in rules
    async with world.database.tenant(await account_of(world, ALICE)) as session:
        changes = select(AuditEntry.action).where(AuditEntry.action == "mail_preferences.changed")
        assert len((await session.execute(changes)).all()) == 3, "one for each kind, and none for what was so already"
    await armed.http.post(PAGE, data={"csrf_token": await armed.token(), "wanted": ["alerts", "reminders"]})
    assert await checked(armed) == {"alerts", "reminders"}


async def test_a_link_that_was_cut_off_changes_nothing_and_says_so(armed: Browser) -> None:
    for answer in (await armed.get("/mail/unsubscribe/abc"), await armed.http.post("/mail/unsubscribe/abc")):
        assert answer.status_code == 404
        assert "not one of ours" in answer.text
    assert await checked(armed) == {"weekly_summary", "alerts", "reminders", "reports"}


async def test_the_version_of_the_figures_changes_with_what_happens_and_not_by_itself(
    world: World, clock: MovedClock, armed: Browser, charlie: Browser
) -> None:
    async def version(browser: Browser) -> str:
        return (await browser.get("/dashboard/version")).json()["version"]

    await judged(world, clock, (2, 0.004))
    before, of_charlie = await version(armed), await version(charlie)
    assert await version(armed) == before
    assert f'data-live="{before}"' in (await armed.get("/alerts")).text
    await judged(world, clock, (2, 0.004), (3, 0.0075))
    assert await version(armed) != before
    assert await version(charlie) == of_charlie
