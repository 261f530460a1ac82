"""Who is told of an alert, once, and by what."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select, update

from payflux.activation.alerting import keep_alerts_going, tell_alert
from payflux.kit.database import driver_connection
from payflux.monitor.alerts import handling
from payflux.monitor.alerts.mail_times import set_mail_times
from payflux.monitor.alerts.models import AlertAttempt, AlertDelivery, AlertEvent, AlertRule
from payflux.worker.main import work
from payflux.world.bootstrap import World
from tests.conftest import with_settings
from tests.integration.alerts.conftest import SPIKE, Watched
from tests.integration.team.conftest import add_member
from tests.running import free_port


class Mailbox:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd's
        mail = message_from_bytes(envelope.original_content or b"", policy=default)
        self.mails.append(mail)
        return "250 Taken"


@pytest.fixture
def mail_server() -> Iterator[Controller]:
    server = Controller(Mailbox(), hostname="127.0.0.1", port=free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def mailbox(mail_server: Controller) -> Mailbox:
    return mail_server.handler


@pytest.fixture
def mailed(world: World, mail_server: Controller) -> World:
    return with_settings(world, smtp_port=mail_server.port)


async def work_off(world: World) -> None:
    async with asyncio.timeout(60):
        await work(world, drain=True, heartbeat_timeout=timedelta(seconds=1))


def text_of(mail: EmailMessage) -> str:
    plain = mail.get_body(("plain",))
    assert plain is not None
    return " ".join(plain.get_content().split())


async def test_those_who_look_after_alerts_are_mailed_each_once(
    watched: Watched, mailed: World, mailbox: Mailbox
) -> None:
    await add_member(watched.world, watched.who, "Bob", "analyst")
    await add_member(watched.world, watched.who, "Vera", "viewer")
    await watched.read(risk_tier=3, band="elevated")
    await work_off(mailed)
    await work_off(mailed)
    assert sorted(mail["To"] for mail in mailbox.mails) == ["alice@shop.example", "bob@shop.example"]
    mail = mailbox.mails[0]
    assert mail["Subject"] == "Risk tier 3 (elevated), up from 2"
    told = text_of(mail)
    assert "Refund doubtful payments before they are disputed." in told
    assert "by the rule “Tier escalation”" in told
    assert f"/alerts#alert-{(await watched.alerts())[0].id}" in told
    async with watched.world.database.tenant(watched.account_id) as session:
        deliveries = (await session.execute(select(AlertDelivery))).scalars().all()
        attempts = (await session.execute(select(AlertAttempt))).scalars().all()
        event = (await session.execute(select(AlertEvent))).scalar_one()
    assert [(one.kind, one.state, one.attempts) for one in deliveries] == [("email", "delivered", 1)] * 2
    assert [attempt.outcome for attempt in attempts] == ["The mail server has taken it."] * 2
    assert event.told_at == watched.clock.now()


async def test_a_trend_is_for_the_dashboard_alone_and_what_is_over_is_not_mailed(
    watched: Watched, mailed: World, mailbox: Mailbox
) -> None:
    await watched.read(trend="DEGRADING")
    await watched.read(trend="STABLE")
    await watched.read(trend="STABLE")
    await work_off(mailed)
    assert mailbox.mails == []
    assert [event.kind for event in await watched.history()] == ["raised", "cleared"]


async def test_a_rule_mails_the_members_that_it_names(watched: Watched, mailed: World, mailbox: Mailbox) -> None:
    bob = await add_member(watched.world, watched.who, "Bob", "viewer")
    async with watched.world.database.tenant(watched.account_id) as session:
        await session.execute(update(AlertRule).values(told_to=[bob.user_id]))
    await watched.read(trapped=SPIKE)
    await work_off(mailed)
    assert {mail["To"] for mail in mailbox.mails} == {"bob@shop.example"}
    subjects = {mail["Subject"] for mail in mailbox.mails}
    assert "Trapped capital at T+90 is 17,000 USD, up 42 %" in subjects
    assert "Past its previous worst case: trapped capital at T+90" in subjects


async def test_a_mail_that_comes_too_late_is_not_sent(watched: Watched, mailed: World, mailbox: Mailbox) -> None:
    await watched.read(risk_tier=3)
    (event,) = await watched.history()
    await tell_alert(mailed, {"account_id": str(watched.account_id), "event_id": str(event.id)})
    async with watched.world.database.tenant(watched.account_id) as session:
        await handling.resolve(
            session,
            account_id=watched.account_id,
            alert_id=event.alert_id,
            actor_id=watched.who.user_id,
            now=watched.clock.now(),
        )
    await work_off(mailed)
    assert mailbox.mails == []
    async with watched.world.database.tenant(watched.account_id) as session:
        assert (await session.execute(select(AlertDelivery.state))).scalar_one() == "dropped"


async def test_what_a_dead_worker_left_is_told_and_a_snooze_that_is_over_is_told_again(
    watched: Watched, mailed: World, mailbox: Mailbox
) -> None:
    await watched.read(risk_tier=3)
    async with watched.world.database.system() as session:
        await (await driver_connection(session)).execute("DELETE FROM pgqueuer")
    await keep_alerts_going(mailed)
    await work_off(mailed)
    assert mailbox.mails == []
    watched.clock.move(timedelta(minutes=3))
    await keep_alerts_going(mailed)
    await work_off(mailed)
    assert len(mailbox.mails) == 1
    async with watched.world.database.tenant(watched.account_id) as session:
        await handling.snooze(
            session,
            account_id=watched.account_id,
            alert_id=(await watched.alerts())[0].id,
            length="1h",
            actor_id=watched.who.user_id,
            now=watched.clock.now(),
        )
    await keep_alerts_going(mailed)
    watched.clock.move(timedelta(hours=1))
    await keep_alerts_going(mailed)
    await keep_alerts_going(mailed)
    await work_off(mailed)
    assert [mail["Subject"].partition(":")[0] for mail in mailbox.mails][1:] == ["Still so"]


async def test_what_is_raised_in_quiet_hours_comes_in_one_mail_after_them(
    watched: Watched, mailed: World, mailbox: Mailbox
) -> None:
    until = watched.clock.now() + timedelta(hours=13)
    await set_times(watched, quiet_from=watched.clock.now(), quiet_until=until)
    await watched.read(risk_tier=3, band="elevated")
    await watched.read(trapped=SPIKE)
    await watched.read(after=timedelta(minutes=30), trend="DEGRADING")
    await keep_alerts_going(mailed)
    await work_off(mailed)
    assert mailbox.mails == []
    watched.clock.move(until - watched.clock.now())
    await keep_alerts_going(mailed)
    await keep_alerts_going(mailed)
    await work_off(mailed)
    (mail,) = mailbox.mails
    assert mail["Subject"].startswith("3 alerts: ")
    assert all(
        told in text_of(mail)
        for told in (
            "Risk tier 3 (elevated), up from 2.",
            "Trapped capital at T+90 is 17,000 USD",
            "3 alerts are open.",
        )
    )
    async with watched.world.database.tenant(watched.account_id) as session:
        assert set((await session.execute(select(AlertDelivery.state))).scalars()) == {"delivered"}


async def test_a_critical_tier_is_mailed_in_quiet_hours_too(watched: Watched, mailed: World, mailbox: Mailbox) -> None:
    now = watched.clock.now()
    await set_times(watched, quiet_from=now, quiet_until=now + timedelta(hours=20))
    await watched.read(risk_tier=5, band="critical")
    await work_off(mailed)
    assert [mail["Subject"] for mail in mailbox.mails] == ["Risk tier 5 (critical), up from 2"]


async def test_a_mail_that_is_refused_for_good_is_in_the_log(watched: Watched, mailed: World) -> None:
    await watched.read(risk_tier=3)
    await work_off(with_settings(mailed, smtp_host=""))
    async with watched.world.database.tenant(watched.account_id) as session:
        assert (await session.execute(select(AlertDelivery.state))).scalar_one() == "failed"
        assert "no mail server is set" in (await session.execute(select(AlertAttempt.outcome))).scalar_one()


async def set_times(watched: Watched, *, quiet_from: datetime, quiet_until: datetime) -> None:
    async with watched.world.database.tenant(watched.account_id) as session:
        await set_mail_times(
            session,
            **watched.where,
            quiet_from=f"{quiet_from:%H:%M}",
            quiet_until=f"{quiet_until:%H:%M}",
            digest_at="",
            time_zone="UTC",
            actor_id=watched.who.user_id,
            now=watched.clock.now(),
        )
