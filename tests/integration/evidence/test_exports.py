"""Exports: files that check without us, made by jobs that may die, and gone when their time is over."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from pypdf import PdfReader
from sqlalchemy import func, select

from payflux.activation.evidence_exports import make_export, record_failed_export
from payflux.kit.errors import InvalidInput, NotFound, TooManyRequests
from payflux.kit.jobs import Permanent
from payflux.monitor.evidence.exporting import ExportWriter, Superseded, begin_export, delete_expired_exports
from payflux.monitor.evidence.models import Content, EvidenceExportChunk, Format
from payflux.monitor.evidence.queries import get_export, list_exports
from payflux.monitor.evidence.rules import CHUNK, KEPT_FOR, MOST_AT_ONCE, Wanted
from payflux.monitor.ledger.checkpointing import sign_tree
from payflux.monitor.ledger.keys import published_keys
from payflux.monitor.ledger.queries import get_artifact
from payflux.monitor.ledger.verifying import read_keys, verify_export
from payflux.world.bootstrap import World
from tests.integration.evidence.conftest import ask, file_of, found, make, record_many
from tests.integration.watching.conftest import DAY, Shop, dispute, open_shop

ALL = Wanted(content=Content.ARTIFACTS, format=Format.JSONL)


async def test_a_range_checks_offline_and_its_table_says_the_same(world: World, shop: Shop) -> None:
    await record_many(shop, 700)
    await sign_tree(world)
    await record_many(shop, 2)
    asked = [await ask(shop, wanted) for wanted in (ALL, replace(ALL, format=Format.CSV, first=3, last=600))]
    await make(shop)
    lines, table = [await file_of(shop, each) for each in asked]
    async with world.database.system() as session:
        keys = read_keys(msgspec.convert((await published_keys(session))["keys"], list[dict[str, object]]))
    checked = verify_export(lines.splitlines(keepends=True), keys=keys)
    assert (checked.artifacts, checked.proven_sequence) == (706, 704)
    rows = list(csv.DictReader(io.StringIO(table.decode())))
    assert [int(row["sequence"]) for row in rows] == list(range(3, 601))
    assert rows[0]["hash"] == rows[1]["previous_hash"]
    for export, data in zip(asked, (lines, table), strict=True):
        ready = await found(shop, export)
        assert (ready.state, ready.size, ready.sha256) == ("ready", len(data), hashlib.sha256(data).hexdigest())
        assert ready.done == ready.total
    assert len(lines) > 2 * CHUNK


async def test_a_job_that_died_begins_anew_and_the_dead_one_writes_no_more(world: World, shop: Shop) -> None:
    await record_many(shop, 600)
    export = await ask(shop, ALL)
    place = {"account_id": shop.account_id, "export_id": export.id}
    async with world.database.tenant(shop.account_id) as session:
        begun = await begin_export(session, **place)
    assert begun is not None
    dead = ExportWriter(world.database, begun)
    await dead.write(b"x" * (CHUNK + 1), done=1)
    assert ((await found(shop, export)).state, (await found(shop, export)).done) == ("making", 1)
    await make(shop)
    with pytest.raises(Superseded):
        await dead.write(b"x" * CHUNK, done=2)
    with pytest.raises(Superseded):
        await dead.finish(now=shop.now)
    assert verify_export((await file_of(shop, export)).splitlines(keepends=True)).artifacts == 604
    await make_export(world, {name: str(value) for name, value in place.items()})
    assert (await found(shop, export)).state == "ready"


async def test_what_cannot_be_made_says_why(world: World, shop: Shop) -> None:
    await shop.set_workspace(connection_id=None)
    dossier = await ask(shop, Wanted(content=Content.DOSSIER, format=Format.PDF))
    with pytest.raises(Permanent):
        await make(shop)
    assert (await found(shop, dossier)).problem == (
        "No processor is connected.\nConnect one, and ask for the dossier again."
    )
    lost = await ask(shop, ALL)
    await record_failed_export(world, {"account_id": str(shop.account_id), "export_id": str(lost.id)})
    await record_failed_export(world, {"account_id": str(shop.account_id), "export_id": str(dossier.id)})
    assert (await found(shop, lost)).problem.startswith("Something went wrong on our side.")
    assert (await found(shop, dossier)).problem.startswith("No processor")
    for wanted, field in (
        (replace(ALL, first=5), "first"),
        (replace(ALL, last=5), "last"),
        (replace(ALL, first=3, last=2), "last"),
        (Wanted(content=Content.DOSSIER, format=Format.CSV), "format"),
    ):
        with pytest.raises(InvalidInput) as wrong:
            await ask(shop, wanted)
        assert set(wrong.value.fields) == {field}
    for _ in range(MOST_AT_ONCE):
        await ask(shop, ALL)
    with pytest.raises(TooManyRequests):
        await ask(shop, ALL)


async def test_an_export_is_the_accounts_own_and_goes_when_its_time_is_over(world: World, shop: Shop) -> None:
    charlies = await open_shop(world, shop.clock, "charlie")
    export = await ask(shop, ALL)
    await make(shop)
    async with world.database.tenant(charlies.account_id) as session:
        with pytest.raises(NotFound):
            await get_export(session, account_id=shop.account_id, export_id=export.id, now=shop.now)
        listed = await list_exports(session, account_id=shop.account_id, workspace_id=shop.workspace_id, now=shop.now)
        assert listed == []
        assert (await session.execute(select(func.count()).select_from(EvidenceExportChunk))).scalar_one() == 0
    shop.clock.move(KEPT_FOR - timedelta(seconds=1))
    assert (await found(shop, export)).state == "ready"
    shop.clock.move(timedelta(seconds=1))
    with pytest.raises(NotFound):
        await found(shop, export)
    async with world.database.system() as session:
        await delete_expired_exports(session, now=shop.now)
    async with world.database.tenant(shop.account_id) as session:
        assert (await session.execute(select(func.count()).select_from(EvidenceExportChunk))).scalar_one() == 0


async def test_a_dossier_carries_its_figures_and_the_ledger_that_vouches_for_them(world: World, shop: Shop) -> None:
    for number in range(3):
        shop.clock.move(DAY)
        await shop.set_connection(synced_through=shop.now)
        await shop.tell(dispute(8_900 + number, shop.now))
        await shop.read()
    export = await ask(shop, Wanted(content=Content.DOSSIER, format=Format.PDF))
    await make(shop)
    pdf = await file_of(shop, export)
    reader = PdfReader(io.BytesIO(pdf))
    catalogue = reader.root_object
    assert catalogue["/MarkInfo"].get_object() == {"/Marked": True, "/Suspects": False}
    assert "/StructTreeRoot" in catalogue
    assert catalogue["/Lang"] == "en"
    text = "\n".join(page.extract_text() for page in reader.pages)
    readout = await shop.newest()
    for told in (
        "Reserve review dossier",
        "acct_alice",
        "Chargebacks still to come",
        "Coverage beyond the stressed exposure",
        "T+30",
        "Disputed in the end",
        "Track record",
        f"{readout.projection.exposure.gross / 100:,.2f} USD",
    ):
        assert told in text, told
    figures, ledger = (reader.attachments[name][0] for name in ("dossier.json", "evidence.jsonl"))
    said = msgspec.json.decode(figures)
    assert said["exposure"][4]["value"] == readout.projection.exposure.gross
    assert len(said["dispute_curve"]) == 4
    checked = verify_export(ledger.splitlines(keepends=True))
    async with world.database.tenant(shop.account_id) as session:
        envelope = await get_artifact(
            session, account_id=shop.account_id, workspace_id=shop.workspace_id, sequence=checked.last_sequence
        )
    body = msgspec.json.decode(envelope.body or "")
    assert (envelope.kind, body["purpose"]) == ("envelope", "reserve_review")
    assert body["document_hash"] == hashlib.sha256(figures).hexdigest()
    assert {each["kind"] for each in body["artifacts"]} == {"connection", "baseline", "projection"}


async def test_few_artifacts_make_a_document_with_the_same_signed(shop: Shop) -> None:
    shop.clock.move(timedelta(microseconds=7))
    export = await ask(shop, replace(ALL, format=Format.PDF, first=2, last=3))
    await make(shop)
    reader = PdfReader(io.BytesIO(await file_of(shop, export)))
    text = "\n".join(page.extract_text() for page in reader.pages)
    assert "2. Baseline" in text
    assert "3. Projection" in text
    checked = verify_export(reader.attachments["evidence.jsonl"][0].splitlines(keepends=True))
    assert (checked.first_sequence, checked.last_sequence) == (2, 3)
