"""Asking what would change, over HTTP: the address holds the question, nothing is stored."""

from __future__ import annotations

import re
from html import unescape

import pytest
from sqlalchemy import update

from payflux.activation.models import Workspace
from payflux.app import create_app
from payflux.world.bootstrap import World
from tests.integration.pages.browser import MACHINE, Browser
from tests.integration.pages.conftest import ALICE, CHARLIE, account_of
from tests.integration.test_pipeline import work_off


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


@pytest.fixture
async def member(live_world: World) -> Browser:
    """Alice, whose shop in the sandbox has been read and scored."""
    browser = Browser(create_app(live_world))
    await browser.register("Alice", ALICE)
    assert (await browser.post("/api/stripe/key", {"key": "rk_test_sandbox_default"})).status_code == 303
    await work_off(live_world)
    return browser


async def test_a_member_asks_is_answered_and_finds_the_question_in_the_address(member: Browser) -> None:
    empty = await member.get("/what-if")
    assert empty.status_code == 200
    assert "Start from a question" in empty.text
    examples = re.findall(r'<a href="(/what-if\?[^"]+)"', empty.text)
    assert len(examples) == 3
    for address in map(unescape, examples):
        answer = await member.get(address)
        assert answer.status_code == 200
        assert "What is different" in answer.text
    answer = await member.get("/what-if?refund_warnings=yes&rdr=90&reserve_rate=25%25&hold_days=120")
    told = words(answer.text)
    assert re.search(r"With open fraud warnings refunded, RDR on 90 % .* a reserve of 25 % of sales for 120 days", told)
    assert re.search(r"Risk tier 3 \d", told)
    assert all(f'value="{typed}"' in answer.text for typed in ("90", "25%", "120"))
    assert 'value="yes" autocomplete="off" aria-describedby="refund_warnings-hint" checked' in answer.text
    assert (await member.get("/what-if?rdr=90")).text == (await member.get("/what-if?rdr=90")).text


async def test_what_was_typed_wrongly_is_named_field_by_field_and_kept(member: Browser) -> None:
    wrong = await member.get("/what-if?rdr=much&growth=400&hold_days=1.5&reserve_rate=10")
    assert wrong.status_code == 422
    for sentence in (
        "Rapid Dispute Resolution: write a number such as 10 or 12.5.",
        "Growth a month is from −50 to 100 %.",
        "Reserve days: write a number of whole days, such as 90.",
    ):
        assert wrong.text.count(sentence) == 2
    assert all(f'value="{typed}"' in wrong.text for typed in ("much", "400", "1.5", "10"))
    hostile = await member.get('/what-if?rdr="><script>alert(1)</script>')
    assert hostile.status_code == 422
    assert "<script>alert" not in hostile.text


async def test_nobody_asks_about_the_history_of_another_account(member: Browser, live_world: World) -> None:
    charlie = Browser(member.app)
    await charlie.register("Charlie", CHARLIE)
    theirs = await account_of(live_world, ALICE)
    async with live_world.database.tenant(theirs) as session:
        mine = (await session.execute(update(Workspace).values(name="Shop").returning(Workspace.pull_id))).scalar_one()
    async with live_world.database.tenant(await account_of(live_world, CHARLIE)) as session:
        await session.execute(update(Workspace).values(pull_id=mine, connection_id=mine))
    assert (await charlie.get("/what-if?rdr=90")).headers["Location"] == "/activate/arming"


async def test_who_has_connected_nothing_is_led_to_the_connection(alice: Browser) -> None:
    answer = await alice.get("/what-if?rdr=90")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard/activate-prompt")


async def test_a_viewer_may_ask_as_well(bob: Browser) -> None:
    assert (await bob.get("/what-if", **MACHINE)).status_code == 303
