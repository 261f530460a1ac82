"""From the form, or the API, to a mail and the console."""

from __future__ import annotations

import re
from datetime import timedelta

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from payflux.activation.mails import ADDRESSES, WRITERS
from payflux.app import create_app
from payflux.frontdoor.sales.service import delete_old_leads
from payflux.kit.ids import new_id
from payflux.world.bootstrap import World
from tests.conftest import MovedClock, with_settings
from tests.integration.launch.conftest import waiting_mails
from tests.integration.pages.browser import MACHINE, Browser
from tests.integration.staff.conftest import Desk

DORA = {"name": "Dora Diaz", "email": "Dora@Shop.example", "company": "Shop Ltd", "team_size": "11-50"}
DORA |= {"message": "Several workspaces?\nAnd SSO.", "source": "pricing_page"}
MEETING = "https://cal.example/sales"


@pytest.fixture
def world(world: World) -> World:
    return with_settings(world, sales_email="sales@payflux.example", scheduling_url=MEETING)


@pytest.fixture
def app(world: World) -> FastAPI:
    return create_app(world)


async def send(browser: Browser, clock: MovedClock, wait: float = 20, **fields: str) -> httpx.Response:
    """Open the form, wait, and send it."""
    page = (await browser.get("/contact-sales?source=pricing_page")).text
    shown = re.search(r'name="shown" value="([^"]+)"', page)
    assert shown
    clock.move(timedelta(seconds=wait))
    return await browser.post("/contact-sales", {"shown": shown[1]} | DORA | fields)


async def test_a_lead_is_kept_told_to_sales_counted_and_thanked_for(
    app: FastAPI, world: World, clock: MovedClock, stored: asyncpg.Connection
) -> None:
    dora = Browser(app)
    answer = await send(dora, clock)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/contact-sales/thanks")
    assert MEETING in (await dora.get("/contact-sales/thanks")).text
    lead = await stored.fetchrow("SELECT * FROM sales_leads")
    assert {key: lead[key] for key in ("name", "company", "team_size", "message", "source", "status")} == {
        "name": "Dora Diaz",
        "company": "Shop Ltd",
        "team_size": "11-50",
        "message": "Several workspaces?\nAnd SSO.",
        "source": "pricing_page",
        "status": "new",
    }
    assert (lead["email"], lead["email_normalized"]) == ("Dora@Shop.example", "dora@shop.example")
    assert await waiting_mails(stored) == ["sales_lead"]
    [event] = await stored.fetch("SELECT name, properties, visitor FROM product_events")
    assert (event["name"], event["visitor"]) == ("talk_to_sales_form_submitted", lead["posthog_distinct_id"])
    assert "Dora" not in event["properties"]
    async with world.database.system() as session:
        addressee = await ADDRESSES["sales"](world, session, lead["id"])
    assert addressee is not None
    assert addressee.email == "sales@payflux.example"
    mail = await WRITERS["sales_lead"](world, {"row_id": str(lead["id"])}, addressee)
    assert mail is not None
    assert "\n" not in mail.subject
    assert "Dora@Shop.example" in mail.text
    assert "Dora" not in mail.subject
    assert await WRITERS["sales_lead"](world, {"row_id": str(new_id())}, addressee) is None


async def test_the_same_words_sent_twice_are_one_lead(
    app: FastAPI, clock: MovedClock, stored: asyncpg.Connection
) -> None:
    for _ in range(2):
        assert (await send(Browser(app), clock)).status_code == 303
    assert await stored.fetchval("SELECT count(*) FROM sales_leads") == 1
    assert await waiting_mails(stored) == ["sales_lead"]


async def test_what_a_program_sends_is_refused_with_the_way_out_and_what_was_typed(
    app: FastAPI, clock: MovedClock, stored: asyncpg.Connection
) -> None:
    robot = Browser(app)
    trapped = await send(robot, clock, website="https://spam.example")
    assert (trapped.status_code, "only programs fill it in" in trapped.text) == (422, True)
    quick = await send(robot, clock, wait=0)
    assert (quick.status_code, "faster than anybody types" in quick.text) == (422, True)
    assert "And SSO." in quick.text
    forged = await robot.post("/contact-sales", DORA | {"shown": "1795000000." + "0" * 64})
    assert "open too long" in forged.text
    late = await send(robot, clock, wait=25 * 3600)
    assert "open too long" in late.text
    for stamp in ("", "x", "9" * 40, "١٢.ab"):
        assert (await robot.post("/contact-sales", DORA | {"shown": stamp})).status_code == 422
    assert await stored.fetchval("SELECT count(*) FROM sales_leads") == 0


async def test_one_after_the_other_has_to_wait(app: FastAPI, clock: MovedClock, stored: asyncpg.Connection) -> None:
    dora = Browser(app)
    answers = [await dora.http.post("/api/v1/sales-leads", json=DORA | {"message": f"{n}"}) for n in range(4)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert "Wait" in answers[-1].json()["way_out"]
    clock.move(timedelta(minutes=2))
    assert (await dora.http.post("/api/v1/sales-leads", json=DORA | {"message": "later"})).status_code == 201
    assert await stored.fetchval("SELECT count(*) FROM sales_leads") == 4


async def test_a_program_gets_the_lead_and_where_a_time_may_be_picked(app: FastAPI, stored: asyncpg.Connection) -> None:
    other_site = Browser(app).http
    taken = await other_site.post("/api/v1/sales-leads", json=DORA | {"source": "somewhere"}, headers=MACHINE)
    assert taken.status_code == 201
    assert taken.json() == {"id": str(await stored.fetchval("SELECT id FROM sales_leads")), "scheduling_url": MEETING}
    assert await stored.fetchval("SELECT source FROM sales_leads") == "direct"
    refused = await other_site.post("/api/v1/sales-leads", json=DORA | {"email": "dora"}, headers=MACHINE)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "email")


async def test_staff_follow_a_lead_up_and_erase_it_where_asked(
    app: FastAPI, world: World, sam: Desk, clock: MovedClock, stored: asyncpg.Connection
) -> None:
    await send(Browser(app), clock)
    lead_id = await stored.fetchval("SELECT id FROM sales_leads")
    page = (await sam.browser.get("/admin/leads")).text
    assert "Dora Diaz" in page
    assert "Dora Diaz" not in (await sam.browser.get("/admin/leads?status=closed")).text
    path = f"/admin/leads/{lead_id}"
    for status in ("contacted", "contacted", "closed"):
        assert (await sam.browser.post(f"{path}/status", {"status": status})).status_code == 303
    changes = await stored.fetch("SELECT before, after, changed_by FROM sales_lead_changes ORDER BY at, id")
    assert [(row["before"], row["after"]) for row in changes] == [("new", "contacted"), ("contacted", "closed")]
    assert "sam@payflux.example" in changes[0]["changed_by"]
    assert (await sam.browser.post(f"{path}/status", {"status": "won"})).status_code == 422
    assert (await sam.browser.post(f"{path}/erase")).status_code == 303
    assert (await sam.browser.post(f"{path}/erase")).status_code == 404
    assert await stored.fetchval("SELECT count(*) FROM sales_lead_changes") == 0


async def test_a_closed_lead_is_kept_for_a_year(
    app: FastAPI, world: World, clock: MovedClock, stored: asyncpg.Connection
) -> None:
    await send(Browser(app), clock)
    for status, days, left in (("new", 400, 1), ("closed", 364, 1), ("closed", 2, 0)):
        await stored.execute("UPDATE sales_leads SET status = $1", status)
        clock.move(timedelta(days=days))
        if status == "closed" and days == 364:
            await stored.execute("UPDATE sales_leads SET updated_at = $1", clock.now() - timedelta(days=364))
        async with world.database.system() as session:
            await delete_old_leads(session, now=clock.now())
        assert await stored.fetchval("SELECT count(*) FROM sales_leads") == left
