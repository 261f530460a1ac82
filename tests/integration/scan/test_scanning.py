"""A stranger scans a website, registers, and finds the scan on the dashboard; nobody else does."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from payflux.activation.routing import Page
from payflux.activation.scans import record_failed_scan, run_scan
from payflux.app import create_app
from payflux.frontdoor.accounts.models import Account, Membership, User
from payflux.frontdoor.entitlements.usage import use
from payflux.monitor.scan import jobs
from payflux.monitor.scan.links import scan_behind, token_of
from payflux.monitor.scan.models import SiteScan
from payflux.monitor.scan.service import KEPT_FOR_STRANGERS, delete_expired_scans
from payflux.web.scanning import SCANS
from payflux.web.security import logged_path
from payflux.worker.main import work
from payflux.world.bootstrap import SCANS_AT_ONCE, World
from payflux.world.fetching import fetch
from tests.conftest import MovedClock, with_settings
from tests.integration.funnel.reading import recorded_events
from tests.integration.pages.browser import Browser
from tests.sandbox_server import running_sandbox

GOOD, GAPS = "harbour-tea.localhost", "gadget-corner.localhost"
LINK = re.compile(r"/scan/[0-9a-f]{96}")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running_sandbox() as address:
        yield address


@pytest.fixture
def scanning(world: World, sandbox: str) -> World:
    return with_settings(world, sandbox_port=int(sandbox.rpartition(":")[2]))


@pytest.fixture
def app(scanning: World) -> FastAPI:
    return create_app(scanning)


async def work_off(world: World) -> None:
    async with asyncio.timeout(60):
        await work(world, drain=True, heartbeat_timeout=timedelta(seconds=1))


async def scanned(browser: Browser, world: World, website: str) -> str:
    """The link of a scan that is over."""
    answer = await browser.post("/scan", {"url": website})
    assert answer.status_code == 303, answer.text
    link = answer.headers["location"]
    assert LINK.fullmatch(link)
    await work_off(world)
    return link


async def stored_scan(world: World, link: str) -> SiteScan | None:
    scan_id = scan_behind(world.tokens, link.rpartition("/")[2])
    assert isinstance(scan_id, UUID)
    async with world.database.system() as session:
        return await session.get(SiteScan, scan_id)


async def account_named(world: World, email: str) -> UUID:
    async with world.database.system() as session:
        query = select(Membership.account_id).join(User, User.id == Membership.user_id).where(User.email == email)
        return (await session.execute(query)).scalar_one()


async def test_a_stranger_watches_a_scan_and_reads_what_it_found(app: FastAPI, scanning: World) -> None:
    stranger = Browser(app)
    link = (await stranger.post("/scan", {"url": GAPS})).headers["location"]
    waiting = await stranger.get(link)
    assert "Looking the website up" in waiting.text
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in waiting.text
    assert (await stranger.get(f"{link}/state")).json() == {"status": "waiting", "over": False, "pages_read": []}
    await work_off(scanning)
    state = (await stranger.get(f"{link}/state")).json()
    assert (state["status"], state["pages_read"][0]) == ("done", f"https://{GAPS}/")
    page = await stranger.get(link)
    for words in ("Directional: from public pages alone", "High", "4 of 5", "There is a form, and no e-mail address"):
        assert words in page.text
    assert "required-website-components" in page.text
    assert f"https://{GAPS}/contact" in page.text
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert logged_path(link) == "/scan/…"
    for path, way in ((link, "/register?scan="), ("/scan", "/register"), ("/scan/about", "/pricing")):
        assert f'href="{way}' in (await stranger.get(path)).text
        closed = Browser(create_app(with_settings(scanning, self_serve_enabled=False)))
        assert not re.search(r'href="/(register|pricing)', (await closed.get(path)).text)
    for broken in (link[:-1], link[:-1] + ("0" if link[-1] != "0" else "1"), "/scan/x"):
        assert (await stranger.get(broken)).status_code == 404


async def test_whoever_registers_from_a_scan_keeps_it_and_nobody_else_sees_it_in_their_account(
    app: FastAPI, scanning: World, clock: MovedClock
) -> None:
    alice, charlie = Browser(app), Browser(app, address="203.0.113.8")
    link = await scanned(alice, scanning, GOOD)
    token = link.rpartition("/")[2]
    assert f'href="/register?scan={token}"' in (await alice.get(link)).text
    form = await alice.get(f"/register?scan={token}")
    assert form.text.count(f'name="scan" value="{token}"') >= 2  # our form, and each provider's
    registered = {"name": "Alice", "email": "alice@alice-shop.example", "password": "quiet harbour lantern"}
    assert (await alice.post("/register", {**registered, "scan": token})).status_code == 303
    stored = await stored_scan(scanning, link)
    account_id = await account_named(scanning, "alice@alice-shop.example")
    assert stored is not None
    assert stored.account_id == account_id
    assert stored.expires_at is None
    dashboard = await alice.get(Page.PROMPT)
    assert link in dashboard.text
    assert GOOD in dashboard.text
    await charlie.register("Charlie")
    await charlie.post(f"{link}/keep")
    assert link not in (await charlie.get("/scan")).text
    assert (await charlie.get(link)).status_code == 200  # the link itself opens it
    told = [(event.name, event.properties) for event in await recorded_events(scanning) if "scan" in event.name]
    assert told == [
        ("scan_started", {}),
        ("scan_finished", {"tier": 1, "to_mend": 0, "failed": False}),
        ("scan_claimed", {"at_registration": True}),
    ], "Charlie came too late to keep it"
    assert (await charlie.post(f"{link}/share", {"shared": "yes"})).status_code == 403
    clock.move(KEPT_FOR_STRANGERS * 2)
    async with scanning.database.system() as session:
        await delete_expired_scans(session, now=clock.now())
    assert await stored_scan(scanning, link)
    async with scanning.database.tenant(account_id) as session:
        await session.delete(await session.get_one(Account, account_id))
    assert await stored_scan(scanning, link) is None


async def test_an_account_scans_as_its_plan_says_and_compares(app: FastAPI, scanning: World, clock: MovedClock) -> None:
    alice = Browser(app)
    await alice.register("Alice")
    first = await scanned(alice, scanning, GOOD)
    clock.move(timedelta(days=1))
    await alice.sign_in("alice@alice-shop.example")
    second = await scanned(alice, scanning, GOOD)
    assert "Nothing has changed." in (await alice.get(second)).text
    assert "Since the scan before" not in (await alice.get(first)).text
    assert "Since the scan before" not in (await Browser(app).get(second)).text, "what was before is the account's"
    history = (await alice.get("/scan")).text
    assert history.index(second) < history.index(first)
    account_id = await account_named(scanning, "alice@alice-shop.example")
    async with scanning.database.tenant(account_id) as session:
        left = (await use(session, scanning, account_id=account_id, key=SCANS, amount=0)).left
        await use(session, scanning, account_id=account_id, key=SCANS, amount=left or 0)
    refused = await alice.post("/scan", {"url": "shop.example"})
    assert refused.status_code == 402
    assert "Nothing was scanned yet" in refused.text


async def test_a_stranger_keeps_nothing_for_longer_than_thirty_days_nor_scans_without_end(
    app: FastAPI, scanning: World, clock: MovedClock
) -> None:
    stranger = Browser(app)
    link = await scanned(stranger, scanning, GOOD)
    clock.move(KEPT_FOR_STRANGERS)
    assert (await stranger.get(link)).status_code == 404
    async with scanning.database.system() as session:
        await delete_expired_scans(session, now=clock.now())
    assert await stored_scan(scanning, link) is None
    answers = [
        (await stranger.post("/scan", {"url": f"shop-{n}.example"})).status_code for n in range(SCANS_AT_ONCE + 1)
    ]
    assert answers == [303] * SCANS_AT_ONCE + [429]
    other = Browser(app, address="2001:db8::1")
    assert (await other.post("/scan", {"url": "one.example"})).status_code == 303
    for address in ("", "127.0.0.1", "http://169.254.169.254/", "ftp://shop.example", "user@shop.example", "localhost"):
        refused = await other.post("/scan", {"url": address})
        assert refused.status_code == 422
        assert 'aria-invalid="true"' in refused.text


async def test_a_card_shows_what_its_owner_shares_and_does_not_lead_back(app: FastAPI, scanning: World) -> None:
    owner, other = Browser(app), Browser(app, address="203.0.113.8")
    link = await scanned(owner, scanning, GAPS)
    stored = await stored_scan(scanning, link)
    assert stored is not None
    card = f"/scan/cards/{token_of(scanning.tokens, stored.id, 'card')}"
    assert (await other.get(f"{card}.svg")).status_code == 404
    await owner.post(f"{link}/share", {"shared": "yes", "parts": "counts"})
    drawing = await other.get(f"{card}.svg")
    assert drawing.headers["content-type"] == "image/svg+xml"
    assert drawing.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert GAPS not in drawing.text
    assert "to mend" in drawing.text
    await owner.post(f"{link}/share", {"shared": "yes", "parts": "host"})
    drawing = await other.get(f"{card}.svg")
    assert GAPS in drawing.text
    assert "to mend" not in drawing.text
    assert "High" in drawing.text
    assert "phone" not in drawing.text
    picture = await other.get(f"{card}.png")
    assert picture.content[:8] == b"\x89PNG\r\n\x1a\n"
    assert picture.content[16:24] == (1200).to_bytes(4) + (630).to_bytes(4)
    assert (await other.get(f"/scan/{card.rpartition('/')[2]}")).status_code == 404
    await owner.post(f"{link}/share", {"shared": "no"})
    assert (await other.get(f"{card}.svg")).status_code == 404


async def test_a_website_that_cannot_be_read_is_told_why(
    app: FastAPI, scanning: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = Browser(app)
    link = (await stranger.post("/scan", {"url": "shop.example.com"})).headers["location"]
    stored = await stored_scan(scanning, link)
    assert stored is not None

    def refused(_request: httpx.Request) -> httpx.Response:
        raise AssertionError("nothing may be asked for")

    async def look_up(_host: str) -> list[tuple]:
        return [(2, 1, 6, "", ("10.0.0.1", 0))]

    async with httpx.AsyncClient(transport=httpx.MockTransport(refused)) as http:
        monkeypatch.setattr(jobs, "fetch", partial(fetch, look_up=look_up))
        await run_scan(replace(scanning, http=http), {"scan_id": str(stored.id)})
    page = await stranger.get(link)
    assert "could not be scanned" in page.text
    assert "of a private network" in page.text
    again = (await stranger.post("/scan", {"url": GAPS})).headers["location"]
    crashed = await stored_scan(scanning, again)
    assert crashed is not None
    await record_failed_scan(scanning, {"scan_id": str(crashed.id)})
    assert "for a reason of ours" in (await stranger.get(again)).text
    await run_scan(scanning, {"scan_id": str(crashed.id)})  # a late run changes nothing
    assert "for a reason of ours" in (await stranger.get(again)).text


async def test_programs_ask_for_the_same_by_address(app: FastAPI, scanning: World, clock: MovedClock) -> None:
    stranger = await Browser(app).http.get("/api/v1/risk", params={"url": GOOD}, headers={"Accept": "application/json"})
    assert stranger.status_code == 401
    alice = Browser(app)
    await alice.register("Alice")
    program = alice.http
    first = await program.get("/api/v1/risk", params={"url": GOOD}, headers={"Accept": "application/json"})
    assert (first.status_code, first.headers["Retry-After"], first.json()["status"]) == (202, "2", "waiting")
    await work_off(scanning)
    done = await program.get("/api/v1/risk", params={"url": f"https://{GOOD}/"}, headers={"Accept": "application/json"})
    body = done.json()
    assert (done.status_code, body["status"], body["tier"]) == (200, "done", 1)
    assert {"check", "status", "quote", "url", "why", "mend", "cannot_see", "source"} <= set(body["findings"][0])
    assert body["basis"].startswith("Directional")
    clock.move(timedelta(hours=1))
    assert (await program.get("/api/v1/risk", params={"url": GOOD})).status_code == 202
    wrong = await program.get("/api/v1/risk", params={"url": "http://[::ffff:127.0.0.1]/"})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["field"] == "url"
