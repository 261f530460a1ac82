"""What a member sees of the readings."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import asyncpg
import pytest

from payflux.activation.watching import read_workspace
from payflux.app import create_app
from tests.integration.pages.browser import Browser
from tests.integration.team.conftest import stored
from tests.integration.watching.conftest import DAY, Shop, dispute, sale

__all__ = ["stored"]

ALICE = "alice@alice-shop.example"


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


@pytest.fixture
async def member(shop: Shop) -> Browser:
    browser = Browser(create_app(shop.world))
    assert (await browser.sign_in(ALICE)).status_code == 303
    return browser


async def test_readings_are_listed_with_reasons_and_charted_from_the_second_on(shop: Shop, member: Browser) -> None:
    page = await member.get("/projections")
    assert "One reading so far" in words(page.text)
    assert "chart-band" not in page.text
    for day in range(1, 4):
        shop.clock.move(DAY)
        await shop.set_connection(polled_through=shop.now)
        await shop.tell(*(dispute(day * 100 + number, shop.now) for number in range(4)))
        await shop.read()
    page = await member.get("/projections")
    assert "The last 4 readings" in words(page.text)
    assert page.text.count("chart-band") == 2  # wide and narrow
    assert words(page.text).count("because something happened in your account") == 4  # three rows, and the line on top


async def test_a_member_asks_for_another_reading(shop: Shop, member: Browser) -> None:
    shop.clock.move(timedelta(minutes=1))
    answer = await member.post("/projections")
    assert answer.headers["Location"] == "/projections?asked=yes"
    (job,) = await shop.jobs()
    await read_workspace(shop.world, job)
    assert "nothing was different" in words((await member.get("/dashboard")).text)
    shop.clock.move(DAY)
    await shop.set_connection(polled_through=shop.now)
    await member.post("/projections")
    await shop.read()
    assert "because somebody asked for it" in words((await member.get("/dashboard")).text)


async def test_what_waits_for_its_turn_and_what_failed_is_said(shop: Shop, member: Browser) -> None:
    await shop.tell(sale(90_000, shop.now))
    await shop.read()
    before = words((await member.get("/dashboard")).text)
    assert "Newer figures are due" not in before
    await shop.set_state(due_at=shop.now + timedelta(hours=1), failed_at=shop.now, failure="ValueError")
    after = words((await member.get("/dashboard")).text)
    assert "Newer figures are due" in after
    assert "The last look at your data did not succeed" in after
    assert "ValueError" not in after


async def test_readings_of_another_account_are_not_shown(shop: Shop, member: Browser) -> None:
    stranger = Browser(create_app(shop.world))
    await stranger.register("Charlie", "charlie@charlie-shop.example")
    assert (await stranger.get("/projections")).status_code == 303


async def test_a_limit_of_money_is_told_in_the_currency_of_the_shop(
    shop: Shop, member: Browser, stored: asyncpg.Connection
) -> None:
    await stored.execute('UPDATE reserve_projections SET projection = projection || \'{"currency": "jpy"}\'')
    limit = {"name": "Too much", "metric": "trapped_90", "comparison": "above", "threshold": "1,000,000"}
    assert (await member.post("/settings/alerts/rules", limit)).status_code == 303
    for page in ("/settings/alerts", "/alerts"):
        assert "Trapped capital at T+90 is above 1,000,000 JPY." in words((await member.get(page)).text)


async def test_what_is_open_stands_on_the_dashboard_until_somebody_looks_after_it(shop: Shop, member: Browser) -> None:
    assert "alerts are open" not in words((await member.get("/dashboard")).text)
    await shop.tell(*(dispute(day * 100, shop.now) for day in range(60, 80)))
    shop.clock.move(timedelta(minutes=1))
    await shop.read()
    page = (await member.get("/dashboard")).text
    assert "alerts are open" in words(page)
    alerts = re.findall(r'href="/alerts#alert-([\w-]+)"', page)
    assert "Risk tier" in words(page)
    for alert_id in alerts:
        assert (await member.post(f"/alerts/{alert_id}/acknowledge")).status_code == 303
    assert "/alerts#alert-" not in (await member.get("/dashboard")).text
    assert words((await member.get("/alerts")).text).count("Acknowledged by alice") == len(alerts)
