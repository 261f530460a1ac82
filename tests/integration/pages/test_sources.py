"""The page of another processor: set up, secret shown once, deliveries with their reasons, history from files."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from payflux.monitor.processors.codes import Kind, Status, reason_code
from payflux.monitor.processors.events import PaymentEvent
from payflux.monitor.processors.exports import write_plain
from payflux.web.pages.imports import LARGEST_IMPORT
from payflux.world.bootstrap import World
from tests.integration.generic.sending import Source, charge, send, stored
from tests.integration.pages.browser import Browser
from tests.integration.pages.conftest import ALICE, CHARLIE, account_of
from tests.integration.test_pipeline import work_off, workspace_of


def shown(page: str, label: str) -> str:
    found = re.search(rf'aria-label="{label}"[^>]*><code>(.*?)</code>', page, re.DOTALL)
    assert found, label
    return unescape(found[1])


async def set_up(world: World, browser: Browser, email: str, processor: str = "Adyen") -> Source:
    page = await browser.post("/sources", {"processor": processor})
    assert page.status_code == 200, page.text
    account_id = await account_of(world, email)
    workspace = await workspace_of(world, account_id)
    path = shown(page.text, "Your address").removeprefix(world.settings.url)
    return Source(account_id, workspace.id, workspace.id, workspace.id, path, shown(page.text, "Signing secret"))


async def upload(browser: Browser, *files: tuple[str, bytes], token: str | None = None) -> httpx.Response:
    fields = {"csrf_token": await browser.token() if token is None else token}
    return await browser.http.post(
        "/uploads/history", data=fields, files=[("file", (name, body, "text/csv")) for name, body in files]
    )


def payments(tmp_path: Path, count: int, *, until: datetime) -> bytes:
    path = tmp_path / "events.csv"
    write_plain(
        (
            PaymentEvent(
                kind=Kind.CHARGE,
                source_id=f"pay_{number}",
                occurred_at=until - timedelta(hours=number),
                status=Status.SUCCEEDED,
                amount=1000,
                currency="usd",
                settled_amount=1000,
                settled_currency="usd",
            )
            for number in range(count)
        ),
        path,
    )
    return path.read_bytes()


async def test_a_processor_is_named_once_and_its_secret_is_shown_once(alice: Browser, world: World) -> None:
    assert "Which processor?" in (await alice.get("/sources")).text
    assert (await alice.post("/sources", {"processor": " "})).status_code == 422
    source = await set_up(world, alice, ALICE)
    page = await alice.get("/sources")
    assert "Adyen" in page.text
    assert source.path in page.text
    assert source.secret not in page.text
    assert (await alice.post("/sources", {"processor": "Adyen"})).headers["Location"] == "/sources"
    rolled = shown((await alice.post("/sources/secret")).text, "Signing secret")
    assert rolled != source.secret


async def test_the_last_deliveries_say_what_became_of_each_and_why(app: FastAPI, alice: Browser, world: World) -> None:
    source, now = await set_up(world, alice, ALICE), world.clock.now()
    assert (await alice.post("/sources/test")).status_code == 303
    await send(app, source, charge(1, now, amount=-1), now, message_id="wrong")
    await send(app, source, charge(1, now), now, secret="whsec_" + "A" * 32)
    page = unescape((await alice.get("/sources")).text)
    assert "Applied" in page
    assert "`amount` is a whole number of minor units" in page
    assert "No v1 signature fits" in page


async def test_a_file_is_read_and_the_workspace_becomes_live_on_it(
    alice: Browser, world: World, tmp_path: Path
) -> None:
    source = await set_up(world, alice, ALICE)
    now = world.clock.now()
    body = payments(tmp_path, 600, until=now)
    wrong = b'"charge","pay_x","2026-99-01 dana@example.com","succeeded","5","usd"'
    answer = await upload(alice, ("history.csv", body + wrong + b"," * 12 + b"\n"))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sources#imports")
    assert len(await stored(world, source)) == 600
    page = (await alice.get("/sources")).text
    assert "601 rows, 1 refused" in page
    assert "history.csv, line 602" in page
    assert "dana" not in page
    await work_off(world)
    dashboard = unescape((await alice.get("/dashboard")).text)
    assert "600 payment events from your Adyen account" in dashboard
    assert (await alice.get("/connection")).headers["Location"] == "/sources"
    before = await stored(world, source)
    await upload(alice, ("history.csv", body))
    assert await stored(world, source) == before
    assert (await alice.post("/sources/compute")).headers["Location"] == "/activate/arming"
    await work_off(world)
    assert (await alice.get("/dashboard")).status_code == 200
    assert (await alice.post("/sources/stop")).status_code == 303
    assert "No processor is connected" in (await alice.get("/connection")).text


async def test_an_older_file_does_not_undo_what_was_posted(
    app: FastAPI, alice: Browser, world: World, tmp_path: Path
) -> None:
    source, now = await set_up(world, alice, ALICE), world.clock.now()
    later = charge(1, now, id="pay_0", type="charge.canceled", updated=(now + timedelta(hours=1)).isoformat())
    await send(app, source, later, now)
    page = await alice.get("/sources")
    assert page.status_code == 200
    await work_off(world)
    await upload(alice, ("history.csv", payments(tmp_path, 1, until=now)))
    assert [row[3] for row in await stored(world, source)] == [Status.CANCELED]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "history.csv is empty"),
        (b"\x1f\x8b\x08\x00rest", "history.csv is packed"),
        (b"PAR1rest", "history.csv is packed"),
        (b"a,b\n1,2\n", "none of the known headers"),
        (b"PK\x03\x04rest", "spreadsheet"),
    ],
)
async def test_a_file_that_cannot_be_read_changes_nothing_and_says_why(
    alice: Browser, world: World, body: bytes, words: str
) -> None:
    source = await set_up(world, alice, ALICE)
    answer = await upload(alice, ("history.csv", body))
    assert answer.status_code == 422
    assert words in unescape(answer.text)
    assert "/tmp" not in answer.text
    assert await stored(world, source) == []


async def test_an_upload_is_refused_without_the_token_of_this_browser_or_from_another_site(
    alice: Browser, charlie: Browser, world: World, tmp_path: Path
) -> None:
    source, body = await set_up(world, alice, ALICE), payments(tmp_path, 30, until=world.clock.now())
    for token in ("", "x", await charlie.token(), "\xe9"):
        assert (await upload(alice, ("history.csv", body), token=token)).status_code == 403
    alice.http.headers["Origin"] = "https://evil.example"
    assert (await upload(alice, ("history.csv", body))).status_code == 403
    assert await stored(world, source) == []


async def test_viewers_strangers_and_the_unprepared_import_nothing(
    app: FastAPI, alice: Browser, bob: Browser, world: World, tmp_path: Path
) -> None:
    body = payments(tmp_path, 30, until=world.clock.now())
    assert (await upload(alice, ("history.csv", body))).status_code == 404
    source = await set_up(world, alice, ALICE)
    assert (await upload(bob, ("history.csv", body))).status_code == 403
    assert (await upload(Browser(app), ("history.csv", body))).status_code in (303, 401)
    assert await stored(world, source) == []


async def test_more_than_the_limit_is_refused(alice: Browser, world: World) -> None:
    await set_up(world, alice, ALICE)
    assert (await upload(alice, ("history.csv", b"x" * LARGEST_IMPORT))).status_code == 413


async def test_charlie_sees_nothing_of_alices_processor(
    app: FastAPI, alice: Browser, charlie: Browser, world: World
) -> None:
    source, now = await set_up(world, alice, ALICE, "Alices processor"), world.clock.now()
    theirs = await set_up(world, charlie, CHARLIE)
    assert theirs.path != source.path
    assert "Alices" not in (await charlie.get("/sources")).text
    answer = await send(app, theirs, charge(1, now), now, path=source.path)
    assert answer.status_code == 400
    assert await stored(world, source) == []


async def test_the_schema_is_public(app: FastAPI) -> None:
    answer = await Browser(app).get("/schemas/payment-events.v1.json")
    assert answer.headers["Content-Type"] == "application/schema+json"
    assert answer.json()["anyOf"]


async def test_what_could_name_a_person_in_a_file_is_not_stored(alice: Browser, world: World) -> None:
    source = await set_up(world, alice, ALICE)
    rows = (
        "kind,source_id,occurred_at,status,amount,currency,reason,customer",
        "dispute,dp_1,2026-11-01 10:00:00,open,500,usd,Dana did not like it,dana@example.com",
        "dispute,dp_2,2026-11-01 10:00:00,open,500,usd,fraudulent,cus_2",
        "charge,Dana Smith,2026-11-01 10:00:00,succeeded,500,usd,,",
        "charge,ch_1,1969-11-01 10:00:00,succeeded,500,usd,,",
    )
    assert (await upload(alice, ("history.csv", "\n".join(rows).encode()))).status_code == 303
    async with world.database.tenant(source.account_id) as session:
        found = await session.execute(text("SELECT source_id, detail, reason FROM payment_events ORDER BY 1"))
        assert [tuple(row) for row in found] == [
            ("dp_1", "", 0),
            ("dp_2", "", reason_code("fraudulent")),
        ]
        reports = (await session.execute(text("SELECT report::text, refused FROM history_imports"))).all()
    assert reports[0].refused == 2
    assert "Dana" not in reports[0][0]
    assert "2 events were left out" in (await alice.get("/sources")).text
