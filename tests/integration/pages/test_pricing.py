"""The pricing page, and that it promises what the guards enforce."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from payflux.app import create_app
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.web.policies import guard
from payflux.world.bootstrap import World
from tests.conftest import with_settings
from tests.integration.pages.browser import MACHINE, Browser
from tests.integration.pages.conftest import ALICE, account_of, subscribe

PRICES = re.compile(r'class="plan__price">(\$[\d.,]+)')


class Comparison(HTMLParser):
    """The comparison table as somebody reads it: the plans in its head, and by the words of each line its cells."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.plans: list[str] = []
        self.rows: dict[str, list[str]] = {}
        self._cell: list[str] | None = None
        self._line: list[str] = []
        self.feed(html[html.index('id="compare"') :].partition("</table>")[0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("th", "td"):
            self._cell = []

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("th", "td") and self._cell is not None:
            self._line.append(unescape("".join(self._cell)).strip())
            self._cell = None
        elif tag == "tr":
            head, *cells = self._line
            if head:
                self.rows[head] = cells
            else:
                self.plans = cells
            self._line = []


async def test_a_stranger_sees_public_plans_in_order_with_prices_and_ways_in(app: FastAPI, world: World) -> None:
    stranger = Browser(app)
    page = (await stranger.get("/pricing")).text
    assert re.findall(r'data-plan="(\w+)">\s*<div', page) == ["free", "starter", "pro", "enterprise"]
    assert PRICES.findall(page) == ["$0", "$149", "$499"]
    assert 'href="/register?plan=pro"' in page
    assert "mailto:" not in page
    assert "Your plan" not in page
    for claim in ("SOC", "GDPR", "blockquote"):
        assert claim not in page
    assert "/pricing" in (await stranger.get("/")).text


async def test_what_is_hidden_archived_or_dearer_now_is_so_on_the_page(app: FastAPI, world: World) -> None:
    async with world.database.system() as session:
        await session.execute(text("UPDATE plan_billing SET is_archived = true WHERE plan = 'starter'"))
        await session.execute(text("UPDATE plan_billing SET is_public = false WHERE plan = 'enterprise'"))
        await session.execute(text("UPDATE plan_billing SET monthly_price_cents = 59950 WHERE plan = 'pro'"))
    page = (await Browser(app).get("/pricing")).text
    assert re.findall(r'data-plan="(\w+)">\s*<div', page) == ["free", "pro"]
    assert PRICES.findall(page) == ["$0", "$599.50"]
    assert Comparison(page).plans == ["Free", "Pro"]


async def test_claims_a_testimonial_and_sales_stand_there_once_the_settings_have_them(world: World) -> None:
    told = with_settings(
        world,
        trust_claims="SOC 2 Type II report; ; Data processing agreement",
        testimonial="It came <true>.",
        testimonial_by="Dora",
        sales_email="sales@example.com",
    )
    page = (await Browser(create_app(told)).get("/pricing")).text
    assert re.findall(r"<li>([^<]+)</li>", page) == ["SOC 2 Type II report", "Data processing agreement"]
    assert "It came &lt;true&gt;." in page
    assert 'href="/contact-sales?source=pricing_page"' in page


async def test_a_member_sees_their_own_plan_marked_and_only_payers_are_offered_another(
    alice: Browser, bob: Browser, world: World
) -> None:
    assert "Your plan" not in (await alice.get("/pricing")).text
    await subscribe(world, ALICE, plan="starter", status="active")
    mine, his = (await alice.get("/pricing")).text, (await bob.get("/pricing")).text
    for page in (mine, his):
        assert re.findall(r"<h2>(\w+)</h2> <span class=\"tag tag--good\">Your plan", page) == ["Starter"]
        assert "/register" not in page
    assert 'href="/account/billing/select-plan?plan=pro"' in mine
    assert "select-plan" not in his


@pytest.mark.parametrize("plan", list(read_catalogue().plans))
async def test_what_the_page_promises_is_what_the_guards_enforce(world: World, plan: str) -> None:
    catalogue = read_catalogue()
    app = create_app(world)
    for feature in catalogue.features:
        app.add_api_route(f"/probe/{feature}", lambda: "open", dependencies=[guard(feature=feature)])
    alice = Browser(app)
    await alice.register("Alice", ALICE)
    await subscribe(world, ALICE, plan=plan, status="active")

    table = Comparison((await alice.get("/pricing")).text)
    promised = {
        words: cells[table.plans.index(catalogue.plans[plan].display_name)] for words, cells in table.rows.items()
    }
    for feature, words in catalogue.features.items():
        answer = await alice.http.get(f"/probe/{feature}", headers=MACHINE)
        assert {"Yes": 200, "No": 402}[promised.pop(words)] == answer.status_code, feature
    account_id = await account_of(world, ALICE)
    async with world.database.tenant(account_id) as session:
        allowed = (await entitlements_of(session, world, account_id=account_id)).limits
    for limit, words in catalogue.limits.items():
        cell = promised.pop(f"{words.name} a {words.per}" if words.per else words.name)
        number = {"Unlimited": None, "None": 0}.get(cell, -1)
        assert allowed[limit] == (number if number != -1 else int(cell.split()[0].replace(",", ""))), limit
    assert promised == {}
