"""The evidence as members see it, over HTTP."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from payflux.app import create_app
from payflux.frontdoor.accounts.models import Membership, User
from payflux.kit.ids import new_id
from payflux.kit.jobs import Permanent
from payflux.monitor.ledger.checkpointing import sign_tree
from payflux.monitor.ledger.verifying import verify_export
from payflux.world.bootstrap import World
from tests.integration.evidence.conftest import make, record_many
from tests.integration.pages.browser import Browser
from tests.integration.pages.conftest import prove_address
from tests.integration.pages.test_alerts import text_of
from tests.integration.watching.conftest import Shop, open_shop

ALICE = "alice@alice-shop.example"


@pytest.fixture
async def alice(world: World, shop: Shop) -> Browser:
    await prove_address(world, ALICE)
    browser = Browser(create_app(world))
    await browser.sign_in(ALICE)
    return browser


async def test_a_member_reads_the_timeline_and_the_proof_of_each(world: World, shop: Shop, alice: Browser) -> None:
    await sign_tree(world)
    page = await alice.get("/evidence")
    told = text_of(page.text)
    for words in ("4. Envelope", "3. Projection", "2. Baseline", "1. Connection", "Stripe account acct_alice"):
        assert words in told
    assert 'href="/evidence" aria-current="page"' in page.text
    only = text_of((await alice.get("/evidence?kind=baseline&from=2026-11-21&to=2026-11-21")).text)
    assert "2. Baseline" in only
    assert "3. Projection" not in only
    assert "Nothing matches." in text_of((await alice.get("/evidence?to=2026-11-20")).text)
    wrong = await alice.get("/evidence?kind=poem&from=yesterday")
    assert wrong.status_code == 422
    assert "Choose a kind from the list." in wrong.text
    assert (await alice.get("/evidence?to=9999-12-31")).status_code == 422
    one = (await alice.get("/evidence/3")).text
    assert "leaf 2 of the checkpoint over 4 artifacts" in text_of(one)
    assert len(set(re.findall(r"<code>([0-9a-f]{64})</code>", one))) == 4
    assert "payflux verify payflux-evidence-3-3.jsonl" in one
    shop.clock.move(timedelta(minutes=1))
    await record_many(shop, 0)
    assert (await alice.get("/evidence/9")).status_code == 404
    assert (await alice.get("/evidence/x")).status_code == 422


async def test_exports_reports_and_imports_are_asked_for_and_fetched(world: World, shop: Shop, alice: Browser) -> None:
    dossier = {"content": "dossier", "format": "pdf"}
    artifacts = {"content": "artifacts", "format": "jsonl", "first": "2", "last": ""}
    for asked in (dossier, artifacts):
        assert (await alice.post("/evidence/exports", asked)).headers["Location"] == "/evidence#exports"
    asked = (await alice.get("/evidence")).text
    assert "It begins in a moment." in asked
    before = (await alice.get("/evidence/exports/version")).json()["version"]
    assert f'data-live="{before}" data-version="/evidence/exports/version"' in asked
    await make(shop)
    assert (await alice.get("/evidence/exports/version")).json()["version"] != before
    page = (await alice.get("/evidence")).text
    lines, document = [await alice.get(path) for path in re.findall(r'href="(/evidence/exports/[^"]+/download)"', page)]
    assert "payflux-evidence-2-4.jsonl" in lines.headers["Content-Disposition"]
    assert verify_export(lines.content.splitlines(keepends=True)).artifacts == 3
    assert "Reserve review dossier" in PdfReader(io.BytesIO(document.content)).pages[0].extract_text()
    wrong = await alice.post("/evidence/exports", {**artifacts, "first": "many", "format": "doc"})
    assert (wrong.status_code, wrong.text.count("Write a whole number.")) == (422, 2)

    owner = re.search(r'name="recipients" type="checkbox" value="([^"]+)"', page)
    assert owner is not None
    report = {"content": "dossier", "every": "month", "recipients": owner[1]}
    assert (await alice.post("/evidence/reports", report)).status_code == 303
    listed = (await alice.get("/evidence")).text
    assert "on the first of each month" in text_of(listed)
    remove = re.search(r'action="(/evidence/reports/[^"]+/remove)"', listed)
    assert remove is not None
    assert (await alice.post(remove[1])).status_code == 303
    stranger = {**report, "recipients": "01a20000-0000-7000-8000-000000000000"}
    assert "Choose at least one member." in (await alice.post("/evidence/reports", stranger)).text

    record = b'{"at":"2024-05-01T10:00:00Z","kind":"reserve.letter","body":{"html":"<script>"}}\n'
    token = {"csrf_token": await alice.token()}
    brought = await alice.http.post("/uploads/evidence", data=token, files={"file": ("old.jsonl", record)})
    assert brought.status_code == 303
    shown = (await alice.get(brought.headers["Location"])).text
    assert "These are not PayFlux's words." in text_of(shown).replace("&#39;", "'")
    assert "&lt;script&gt;" in shown
    again = await alice.http.post("/uploads/evidence", data=token, files={"file": ("old.jsonl", record)})
    assert "brought before" in again.text
    assert (await alice.http.post("/uploads/evidence", files={"file": ("old.jsonl", record)})).status_code == 403


async def test_why_an_export_failed_is_told_in_the_readers_language(shop: Shop, alice: Browser) -> None:
    await alice.post("/evidence/exports", {"content": "dossier", "format": "pdf"})
    await shop.set_workspace(connection_id=None)
    with pytest.raises(Permanent):
        await make(shop)
    await alice.post("/language", {"language": "de", "next": "/evidence"})
    page = await alice.get("/evidence")
    assert "Kein Zahlungsdienstleister ist verbunden. Verbinden Sie einen" in text_of(page.text)


async def looking_on(world: World, shop: Shop, alice: Browser) -> Browser:
    """A member who may look, and no more."""
    async with world.database.system() as session:
        owner = (await session.execute(select(User).where(User.email == ALICE))).scalar_one()
        address = "viewer@alice-shop.example"
        member = User(
            id=new_id(),
            email=address,
            email_normalized=address,
            name="Vera",
            password_hash=owner.password_hash,
            email_verified_at=world.clock.now(),
        )
        session.add(member)
        await session.flush()
        session.add(Membership(account_id=shop.account_id, user_id=member.id, role="viewer"))
    browser = Browser(alice.app)
    await browser.sign_in(address)
    return browser


async def test_who_may_not_export_still_reads_and_who_has_nothing_is_taught(
    world: World, shop: Shop, alice: Browser
) -> None:
    viewer = await looking_on(world, shop, alice)
    told = text_of((await viewer.get("/evidence")).text)
    assert "3. Projection" in told
    assert "Make the dossier" not in told
    assert (await viewer.get("/evidence/exports/version")).status_code == 403
    assert (await viewer.post("/evidence/exports", {"content": "dossier", "format": "pdf"})).status_code == 403
    vera = re.search(r'<label for="recipient-([^"]+)">Vera<', (await alice.get("/evidence")).text)
    assert vera is not None
    report = {"content": "dossier", "every": "week", "recipients": vera[1]}
    refused = await alice.post("/evidence/reports", report)
    assert (refused.status_code, "The dossier cannot be fetched by Vera." in refused.text) == (422, True)
    assert (await alice.post("/evidence/reports", report | {"content": "summary"})).status_code == 303
    await open_shop(world, shop.clock, "bob")
    await prove_address(world, "bob@bob-shop.example")
    bob = Browser(alice.app)
    await bob.sign_in("bob@bob-shop.example")
    assert "Nothing is recorded yet" in (await bob.get("/evidence")).text
    assert (await bob.get("/evidence/1")).status_code == 404
    shop.clock.move(timedelta(days=15))
    await bob.sign_in("bob@bob-shop.example")
    assert (await bob.get("/evidence")).status_code == 200, "history is read after a trial"
    assert (await bob.post("/evidence/exports", {"content": "dossier", "format": "pdf"})).status_code == 402
