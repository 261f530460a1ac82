"""The mails of an activation, as they arrive: the numbers once, two reminders, and what became of each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select, text

from payflux.activation.mails import send_mail
from payflux.activation.models import ActivationMail
from payflux.activation.pipeline import arm_default_alerts
from payflux.activation.reminding import send_due_reminders
from payflux.frontdoor.accounts.models import User
from payflux.kit.jobs import Payload
from payflux.worker.main import work
from payflux.world.bootstrap import World
from tests.conftest import MovedClock, with_settings
from tests.integration.connecting.conftest import Mailbox
from tests.integration.team.conftest import add_member, add_owner
from tests.integration.test_pipeline import connected_account, work_off, workspace_of
from tests.running import free_port


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def smtp_port(mailbox: Mailbox) -> Iterator[int]:
    server = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    server.start()
    yield server.port
    server.stop()


async def prove(world: World, account_id: UUID) -> None:
    async with world.database.system() as session:
        for user in (await session.execute(select(User))).scalars():
            user.email_verified_at = world.clock.now()


async def log_of(world: World, account_id: UUID) -> list[ActivationMail]:
    async with world.database.tenant(account_id) as session:
        return list((await session.execute(select(ActivationMail).order_by(ActivationMail.enqueued_at))).scalars())


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return body.get_content()


async def test_a_workspace_that_is_live_mails_its_numbers_with_a_chart_once(
    live_world: World, mailbox: Mailbox, smtp_port: int
) -> None:
    world = with_settings(live_world, smtp_port=smtp_port)
    account_id = await connected_account(world, "default")
    await prove(world, account_id)
    await work_off(world)
    workspace = await workspace_of(world, account_id)
    payload = {"account_id": str(account_id), "workspace_id": str(workspace.id), "pull_id": str(workspace.pull_id)}
    await arm_default_alerts(world, payload)
    await work_off(world)
    (mail,) = mailbox.mails
    assert mail["Subject"] == "Shop is live: risk band elevated"
    for told in (part(mail, "plain"), part(mail, "html")):
        assert all(horizon in told for horizon in ("T+30", "T+60", "T+90"))
        assert "payment events from your Stripe account over the last 90 days" in told
        assert f"{world.settings.url}/dashboard" in told
    assert 'src="cid:trapped-capital"' in part(mail, "html")
    (image,) = [each for each in mail.walk() if each.get_content_type() == "image/png"]
    assert image["Content-ID"] == "<trapped-capital>"
    assert image.get_content().startswith(b"\x89PNG")
    (row,) = await log_of(world, account_id)
    assert (row.mail, row.outcome, row.refused_at) == ("activated", "The mail server has taken it.", None)
    assert row.delivered_at is not None


async def test_a_mail_that_is_refused_for_good_is_noted(world: World, clock: MovedClock) -> None:
    alice = await add_owner(world, "Alice")
    server = Controller(Mailbox("550 5.1.1 no such user"), hostname="127.0.0.1", port=free_port())
    server.start()
    refusing = with_settings(world, smtp_host="127.0.0.1", smtp_port=server.port, smtp_tls="none")
    clock.move(timedelta(hours=24))
    await send_due_reminders(refusing)
    await work(refusing, drain=True)
    server.stop()
    (row,) = await log_of(world, alice.account_id)
    assert row.refused_at is not None
    assert "550" in row.outcome
    assert "alice" not in row.outcome


async def test_a_mail_whose_job_runs_twice_is_sent_once(
    world: World, clock: MovedClock, mailbox: Mailbox, smtp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = with_settings(world, smtp_port=smtp_port)
    await add_owner(world, "Alice")
    jobs: list[Payload] = []

    async def enqueue(_session: object, _name: str, payload: Payload) -> None:
        jobs.append(payload)

    monkeypatch.setattr("payflux.world.outbox.enqueue", enqueue)
    clock.move(timedelta(hours=24))
    await send_due_reminders(here)
    (job,) = [payload for payload in jobs if payload["mail"] == "activation_reminder"]
    for _ in range(2):
        await send_mail(here, job)
    assert len(mailbox.mails) == 1


async def test_who_may_connect_is_reminded_after_one_day_and_after_three_and_never_again(
    world: World, clock: MovedClock, mailbox: Mailbox, smtp_port: int
) -> None:
    here = with_settings(world, smtp_port=smtp_port)
    alice = await add_owner(world, "Alice")
    await add_member(world, alice, "Bob", "analyst")
    arrived = []
    for hour in range(0, 13 * 24, 6):
        clock.move(timedelta(hours=6))
        await send_due_reminders(here)
        await work(here, drain=True)
        arrived += [(hour + 6, mail["Subject"], mail["To"]) for mail in mailbox.mails[len(arrived) :]]
    subjects = ("Your workspace is ready to arm", "Last reminder: your workspace is ready to arm")
    assert arrived == [(24, subjects[0], "alice@shop.example"), (72, subjects[1], "alice@shop.example")]


async def test_who_has_connected_meanwhile_is_not_reminded(
    world: World, clock: MovedClock, mailbox: Mailbox, smtp_port: int
) -> None:
    here = with_settings(world, smtp_port=smtp_port)
    alice = await add_owner(world, "Alice")
    clock.move(timedelta(hours=24))
    await send_due_reminders(here)
    async with world.database.tenant(alice.account_id) as session:
        await session.execute(text("UPDATE workspaces SET activation_state = 'connected_generating'"))
    await work(here, drain=True)
    assert mailbox.mails == []
    assert [row.outcome for row in await log_of(world, alice.account_id)] == ["Not sent: it was out of date."]


async def test_nobody_is_reminded_of_what_the_plan_does_not_have(
    world: World, clock: MovedClock, mailbox: Mailbox, smtp_port: int
) -> None:
    here = with_settings(world, smtp_port=smtp_port)
    alice = await add_owner(world, "Alice")
    async with world.database.tenant(alice.account_id) as session:
        await session.execute(
            text("UPDATE subscriptions SET current_period_end = :now"), {"now": clock.now() + timedelta(hours=1)}
        )
    clock.move(timedelta(hours=24))
    await send_due_reminders(here)
    await work(here, drain=True)
    assert mailbox.mails == []
