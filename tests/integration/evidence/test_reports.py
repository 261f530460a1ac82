"""Reports that are mailed regularly, and evidence that came from elsewhere."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from payflux.activation.evidence_reports import send_due_reports
from payflux.activation.mails import send_mail
from payflux.frontdoor.accounts.models import User
from payflux.kit.errors import InvalidInput
from payflux.monitor.evidence.importing import ImportedBefore, import_evidence, read_file
from payflux.monitor.evidence.models import Every, EvidenceImport
from payflux.monitor.evidence.queries import imports_of, records_of
from payflux.monitor.evidence.reporting import add_report, remove_report
from payflux.monitor.evidence.rules import next_time
from payflux.monitor.ledger.artifacts import written
from payflux.monitor.ledger.queries import get_artifact
from payflux.monitor.ledger.verifying import verify_export
from payflux.world.bootstrap import World
from tests.conftest import with_settings
from tests.integration.api.conftest import owner_of
from tests.integration.connecting.conftest import Mailbox
from tests.integration.evidence.conftest import ask, file_of, make, record_activation
from tests.integration.evidence.test_exports import ALL
from tests.integration.test_activation_mails import mailbox, part, smtp_port
from tests.integration.watching.conftest import Shop, open_shop
from tests.unit.ledger import files
from tests.unit.ledger.files import START, chain, signed_over

__all__ = ["mailbox", "smtp_port"]


@given(st.integers(0, 5 * 365 * 24 * 60), st.sampled_from(Every))
def test_the_next_report_is_the_first_monday_or_first_of_a_month_after(minutes: int, every: Every) -> None:
    now = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    due = next_time(every, now)
    assert now < due <= now + timedelta(days=7 if every is Every.WEEK else 31)
    assert (due.hour, due.weekday() if every is Every.WEEK else due.day - 1) == (8, 0)


async def subscribe(shop: Shop, content: str, every: str, recipients: list[UUID]) -> UUID:
    async with shop.world.database.tenant(shop.account_id) as session:
        report = await add_report(
            session,
            account_id=shop.account_id,
            workspace_id=shop.workspace_id,
            content=content,
            every=every,
            recipients=recipients,
            actor_id=(await owner_of(shop.world, shop)).user_id,
            now=shop.now,
        )
    return report.id


async def test_chosen_members_get_each_report_once_with_its_figures_and_where_to_fetch_it(
    world: World, shop: Shop, mailbox: Mailbox, smtp_port: int
) -> None:
    owner = (await owner_of(world, shop)).user_id
    async with world.database.system() as session:
        await session.execute(update(User).where(User.id == owner).values(email_verified_at=world.clock.now()))
    weekly, monthly = (
        await subscribe(shop, "dossier", "week", [owner]),
        await subscribe(shop, "summary", "month", [owner]),
    )
    sending = with_settings(world, smtp_port=smtp_port)
    for _ in range(14):
        shop.clock.move(timedelta(days=1))
        for _again in range(2):
            await send_due_reports(world)
            await make(shop)
            for job in await shop.jobs("send_mail"):
                await send_mail(sending, job)
    # 23 and 30 November are Mondays, and 1 December is the first of its month
    subjects = [mail["Subject"] for mail in mailbox.mails if "evidence of" in mail["Subject"]]
    assert len(subjects) == 3
    told = [part(mail, "plain") for mail in mailbox.mails if "evidence of" in mail["Subject"]]
    assert sum("/evidence/exports/" in each for each in told) == 2
    assert all("Expected exposure:" in each and "T+90:" in each for each in told)
    assert all(mail["List-Unsubscribe"] for mail in mailbox.mails if "evidence of" in mail["Subject"])
    async with world.database.tenant(shop.account_id) as session:
        for report_id in (weekly, monthly):
            await remove_report(session, account_id=shop.account_id, report_id=report_id, actor_id=owner, now=shop.now)
    shop.clock.move(timedelta(days=40))
    await send_due_reports(world)
    assert await shop.jobs("make_export") == []
    with pytest.raises(InvalidInput) as wrong:
        await subscribe(shop, "poem", "day", [])
    assert set(wrong.value.fields) == {"content", "every", "recipients"}


async def bring(shop: Shop, data: bytes) -> EvidenceImport:
    async with shop.world.database.tenant(shop.account_id) as session:
        return await import_evidence(
            shop.world,
            session,
            data,
            account_id=shop.account_id,
            workspace_id=shop.workspace_id,
            file_name="old\x00.jsonl",
            imported_by=(await owner_of(shop.world, shop)).user_id,
        )


async def test_a_ledger_from_elsewhere_stands_apart_with_where_it_came_from(world: World, shop: Shop) -> None:
    other = await open_shop(world, shop.clock, "bob")
    await record_activation(other)
    export = await ask(other, ALL)
    await make(other)
    theirs = await file_of(other, export)
    brought = await bring(shop, theirs)
    assert (brought.form, brought.records, brought.file_name) == ("ledger", 4, "old.jsonl")
    assert str(other.workspace_id) in brought.origin
    async with world.database.tenant(shop.account_id) as session:
        place = {"account_id": shop.account_id, "workspace_id": shop.workspace_id}
        artifact = await get_artifact(session, **place, sequence=brought.sequence)
        records = await records_of(session, account_id=shop.account_id, import_id=brought.id)
        listed = await imports_of(session, account_id=shop.account_id, workspace_id=shop.workspace_id)
        assert [each.id for each in listed] == [brought.id]
    assert artifact.kind == "imported"
    assert json.loads(artifact.body or "")["source_hash"] == brought.source_hash
    assert [each.kind for each in records] == ["connection", "baseline", "projection", "envelope"]
    mine = await ask(shop, ALL)
    await make(shop)
    lines = (await file_of(shop, mine)).splitlines(keepends=True)
    assert verify_export(lines).artifacts == 5, "ours, and that theirs came"
    with pytest.raises(ImportedBefore):
        await bring(shop, theirs)
    with pytest.raises(InvalidInput) as wrong:
        await bring(shop, theirs.replace(b'"kind":"connection"', b'"kind":"connectiom"'))
    assert "does not hold: line 5" in wrong.value.fields["file"]


async def test_plain_records_say_which_line_is_wrong(shop: Shop) -> None:
    good = b'{"at":"2024-05-01T10:00:00Z","kind":"reserve.letter","body":{"rate":0.1}}\n'
    brought = await bring(shop, good + b"\n" + good.replace(b"0.1", b"0.2"))
    assert (brought.form, brought.records, brought.origin) == ("records", 2, "")
    end = b"9999-12-31T23:59:59-12:00"  # a day that UTC has no more
    for bad in (
        b"[]",
        b"{",
        b'{"at":"2024-05-01T10:00:00","kind":"x","body":{}}',
        good.replace(b"reserve", b"R "),
        good.replace(b"2024-05-01T10:00:00Z", end),
    ):
        with pytest.raises(InvalidInput) as wrong:
            read_file(good + bad)
        assert wrong.value.fields["file"].startswith("Line 2 is no record:")
    with pytest.raises(InvalidInput):
        read_file(b" \n")
    assert len(read_file(good * 10_000).records) == 10_000
    with pytest.raises(InvalidInput):
        read_file(good * 10_001)


def test_a_ledger_that_somebody_signed_over_what_no_ledger_holds_is_refused() -> None:
    whole = chain([{"n": 1}])
    assert len(read_file(b"".join(files.file_of(whole, proven=1))).records) == 1
    for kind, at, body in (
        ("x\x00", written(START), b"{}"),
        ("k" * 41, written(START), b"{}"),
        ("alert", "2026-03-01T06:00:00.000000", b"{}"),
        ("alert", "9999-12-31T23:59:59.000000-12:00", b"{}"),
        ("alert", written(START), b"[1]"),
        ("alert", written(START), b"{"),
    ):
        forged = files.file_of(signed_over(kind, at, body), proven=0)
        with pytest.raises(InvalidInput) as wrong:
            read_file(b"".join(forged))
        assert set(wrong.value.fields) == {"file"}
