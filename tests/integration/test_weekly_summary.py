"""Monday's summary: once a week, in the account's morning, with what the week brought, and only to who wants it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from payflux.activation.mail_preferences import MailKind, Unsubscribing, read_unsubscribe_code, unsubscribe_code
from payflux.activation.models import MailOptOut
from payflux.activation.weekly_summary import WEEK, send_weekly_summaries, summary_time
from payflux.app import create_app
from payflux.kit.crypto import TokenHasher
from payflux.monitor.alerts.mail_times import set_mail_times
from payflux.monitor.alerts.timing import time_zones
from payflux.worker.main import work
from payflux.world.bootstrap import World
from payflux.world.mail import write_mail
from tests.conftest import MovedClock, with_settings
from tests.integration.connecting.conftest import Mailbox
from tests.integration.pages.browser import Browser
from tests.integration.team.conftest import stored
from tests.integration.test_activation_mails import log_of, mailbox, part, prove, smtp_port
from tests.integration.test_pipeline import connected_account, work_off, workspace_of
from tests.integration.watching.conftest import open_shop

__all__ = ["mailbox", "smtp_port", "stored"]


@given(st.integers(0, 3 * 365 * 24 * 60), st.sampled_from(time_zones()))
def test_the_morning_is_the_last_monday_at_eight_wherever_that_is(minutes: int, zone: str) -> None:
    now = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    due = summary_time(now, zone)
    assert due <= now < due + WEEK + timedelta(hours=2), "two hours at most are lost to a change of the clocks"
    local = due.astimezone(ZoneInfo(zone))
    assert (local.weekday(), local.hour, local.minute) == (0, 8, 0)


def test_a_link_of_another_key_or_cut_off_unsubscribes_nobody() -> None:
    whose = Unsubscribing(UUID(int=1), UUID(int=2), MailKind.ALERTS)
    tokens = TokenHasher("one secret")
    code = unsubscribe_code(tokens, whose)
    assert read_unsubscribe_code(tokens, code) == whose
    for wrong in (code[:-1], code[:-4], code[1:], code + "AAAA", "", "ü", "=", code.swapcase()):
        assert read_unsubscribe_code(tokens, wrong) is None
    assert read_unsubscribe_code(TokenHasher("another secret"), code) is None


def test_a_week_in_which_something_happened_is_told_in_text_and_in_html() -> None:
    mail = write_mail(
        "weekly_summary",
        greeting="Hello Alice,",
        workspace="Shop <& Co>",
        account="Shop",
        processor="Stripe",
        band="Elevated",
        tier=3,
        tier_before=2,
        since="16 November 2026",
        compared=True,
        windows=[("T+30", "$12,360", "$10,000"), ("T+60", "$24,703", "")],
        chart="week",
        alerts=[
            ("Risk tier 3, up from 2", "18 Nov 2026", "open"),
            ("Trapped capital is up", "19 Nov 2026", "resolved"),
        ],
        more_alerts=2,
        releases=[("24 November 2026", "$400")],
        as_of="22 November 2026, 10:59 UTC",
        url="https://payflux.example/dashboard",
        settings_url="https://payflux.example/settings/mail",
    )
    assert mail.subject == "Shop <& Co>, the week since 16 November 2026: risk tier 3 of 5"
    assert "Shop &lt;&amp; Co&gt;" in mail.html
    for told in (mail.text, mail.html):
        assert "3 of 5 (Elevated); a week ago it was 2." in told
        assert "18 Nov 2026: Risk tier 3, up from 2 (not over yet)" in told
        assert "19 Nov 2026: Trapped capital is up (over)" in told
        assert "and 2 more" in told
    assert "T+30: $12,360; a week ago $10,000\nT+60: $24,703\n" in mail.text
    assert "- 24 November 2026: $400" in mail.text


async def test_each_member_gets_the_week_once_on_monday_morning_and_may_leave_it_with_one_click(
    live_world: World, clock: MovedClock, mailbox: Mailbox, smtp_port: int
) -> None:
    world = with_settings(live_world, smtp_port=smtp_port)
    account_id = await connected_account(world, "reserve_in_force")
    await prove(world, account_id)
    await work_off(world)
    workspace = await workspace_of(world, account_id)
    clock.move(live_world.clock.now() - clock.now())
    world = replace(world, clock=clock)
    async with world.database.tenant(account_id) as session:
        (owner,) = (await session.execute(text("SELECT user_id FROM memberships"))).scalars()
        await set_mail_times(
            session,
            account_id=account_id,
            workspace_id=workspace.id,
            quiet_from="",
            quiet_until="",
            digest_at="",
            time_zone="Asia/Tokyo",
            actor_id=owner,
            now=clock.now(),
        )
    mailbox.mails.clear()
    due = summary_time(clock.now() + WEEK, "Asia/Tokyo")
    arrived: list[datetime] = []
    while clock.now() < due + timedelta(hours=12):
        clock.move(timedelta(hours=6))
        await send_weekly_summaries(world)
        await send_weekly_summaries(world)
        await work(world, drain=True)
        arrived += [clock.now()] * (len(mailbox.mails) - len(arrived))
    (mail,), (at,) = mailbox.mails, arrived
    assert due <= at < due + timedelta(hours=6)
    assert mail["Subject"].startswith("Shop, the week since")
    for told in (part(mail, "plain"), part(mail, "html")):
        assert all(horizon in told for horizon in ("T+30", "T+60", "T+90"))
        assert "No alert was raised in this week." in told
        assert "Released next" in told
        assert f"{world.settings.url}/settings/mail" in told
    assert any(each.get_content_type() == "image/png" for each in mail.walk())
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = mail["List-Unsubscribe"].strip("<>")
    assert address.startswith(f"{world.settings.url}/mail/unsubscribe/")

    browser = Browser(create_app(world))
    path = address.removeprefix(world.settings.url)
    assert "Get no more of these mails?" in (await browser.get(path)).text
    for _ in range(2):
        answer = await browser.http.post(path, data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
    async with world.database.tenant(account_id) as session:
        (row,) = (await session.execute(select(MailOptOut))).scalars()
        assert (row.user_id, row.kind) == (owner, "weekly_summary")
    clock.move(WEEK)
    await send_weekly_summaries(world)
    await work(world, drain=True)
    assert len(mailbox.mails) == 1
    unsent = [each for each in await log_of(world, account_id) if each.mail == "weekly_summary"][-1]
    assert unsent.outcome == "Not sent: its reader does without such mails."


async def test_a_workspace_that_cannot_be_summarized_stops_no_other(
    world: World, clock: MovedClock, stored: asyncpg.Connection
) -> None:
    charlie, alice = [await open_shop(world, clock, name) for name in ("charlie", "alice")]
    await stored.execute(
        "INSERT INTO alert_mail_times (account_id, workspace_id, time_zone) VALUES ($1, $2, 'Mars/Olympus')",
        charlie.account_id,
        charlie.workspace_id,
    )
    clock.move(summary_time(clock.now() + WEEK, "UTC") - clock.now())
    await send_weekly_summaries(world)
    done = {row["account_id"]: row["summarized_at"] for row in await stored.fetch("SELECT * FROM workspaces")}
    assert done == {charlie.account_id: None, alice.account_id: clock.now()}
