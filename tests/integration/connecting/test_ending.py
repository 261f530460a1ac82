"""What follows when Stripe takes the access away."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import AuthResult
from pydantic import SecretStr

from payflux.activation.mails import RETRY_AFTER, send_mail
from payflux.activation.pipeline import STEPS
from payflux.activation.states import ActivationState
from payflux.kit.ids import new_id
from payflux.kit.jobs import Payload, Permanent
from payflux.monitor.processors.connecting.ending import disconnected_by_processor
from payflux.monitor.processors.connecting.keys import authorize_with_key
from payflux.monitor.processors.models import Connection
from payflux.worker.main import work
from payflux.world.bootstrap import World
from payflux.world.mail import Mail, MailRefused, MailUnavailable, deliver, write_mail
from tests.integration.connecting.conftest import Mailbox, Shop
from tests.running import free_port


async def left_for_later(_world: World, _payload: Payload) -> None:
    """No ending waits for older history."""


async def work_off(shop: Shop) -> None:
    steps = {**STEPS, "backfill_history": left_for_later}
    async with asyncio.timeout(120):
        await work(shop.world, drain=True, steps=steps, heartbeat_timeout=timedelta(seconds=1))


async def connected(shop: Shop) -> Connection:
    return await shop.connect(await authorize_with_key(shop.world, key="rk_test_sandbox_healthy"))


async def end(shop: Shop, connection: Connection) -> bool:
    async with shop.world.database.tenant(shop.account_id) as session:
        return await disconnected_by_processor(session, shop.world, connection)


async def test_a_key_that_was_revoked_ends_the_connection_and_the_owner_is_told_once(
    shop: Shop, mailbox: Mailbox
) -> None:
    connection = await connected(shop)
    refusal = {"error": {"type": "invalid_request_error", "message": "Invalid API Key provided: rk_test_***"}}
    shop.network.refuse = lambda _request: httpx.Response(401, json=refusal)
    await work_off(shop)
    ended = await shop.stored(connection)
    assert (ended.status, ended.disconnected_by, ended.secret) == ("disconnected", "processor", None)
    workspace = await shop.workspace()
    assert (workspace.activation_state, workspace.connection_id) == (ActivationState.PAID_UNCONNECTED, None)
    assert workspace.problem is not None
    assert workspace.problem["title"] == "Stripe does not accept the key."
    [mail] = mailbox.mails
    assert (mail["Subject"], mail["To"]) == ("Stripe is no longer connected", "alice@shop.example")
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    for part in (text.get_content(), html.get_content()):
        assert connection.host in part
        assert f"{shop.world.settings.url}/activate" in part
        assert "Create a new restricted key" in part


async def test_a_connection_ends_once_and_one_that_was_made_anew_is_left_alone(shop: Shop) -> None:
    first = await connected(shop)
    assert await end(shop, first)
    assert not await end(shop, first)
    shop.clock.move(timedelta(minutes=1))
    again = await connected(shop)
    assert again.id == first.id
    assert not await end(shop, first)  # a worker that still held the old key
    stored = await shop.stored(again)
    assert (stored.status, stored.disconnected_by, stored.disconnected_at) == ("active", "", None)
    await work_off(shop)
    assert (await shop.workspace()).activation_state == ActivationState.LIVE_MONITORED


async def test_a_mail_waits_for_a_mail_server_that_is_down_and_is_given_up_in_the_end(
    shop: Shop, mailbox: Mailbox
) -> None:
    connection = await connected(shop)
    payload = {
        "mail": "connection_ended",
        "mail_id": str(mail_id := new_id()),
        "account_id": str(shop.account_id),
        "user_id": str(shop.user_id),
        "connection_id": str(connection.id),
    }
    mailbox.reply = "451 try again later"
    await send_mail(shop.world, payload)
    with pytest.raises(Permanent):
        await send_mail(shop.world, payload | {"attempt": str(len(RETRY_AFTER))})
    mailbox.reply = "550 no such user"
    with pytest.raises(Permanent) as refused:
        await send_mail(shop.world, payload)
    assert "shop.example" not in str(refused.value)
    mailbox.reply = ""
    await send_mail(shop.world, payload | {"attempt": "1"})
    assert mailbox.mails[0]["Message-ID"].startswith(f"<{mail_id}@")
    assert sum(RETRY_AFTER, timedelta()) > timedelta(hours=12)


async def test_no_address_and_no_name_sits_in_the_queue(shop: Shop) -> None:
    connection = await connected(shop)
    await end(shop, connection)
    from_the_queue = []

    async def note(_world: object, payload: dict[str, str]) -> None:
        from_the_queue.append(payload)

    broken = shop.world.settings.model_copy(update={"smtp_port": free_port()})
    async with asyncio.timeout(60):
        await work(
            replace(shop.world, settings=broken),
            drain=True,
            steps={"send_mail": note, "pull_processor_events": note},
            heartbeat_timeout=timedelta(seconds=1),
        )
    assert any(payload.get("mail") == "connection_ended" for payload in from_the_queue)
    assert all("Alice" not in str(payload) and "@" not in str(payload) for payload in from_the_queue)


async def test_a_mail_server_that_does_not_answer_is_tried_again_and_none_at_all_is_refused(shop: Shop) -> None:
    mail = write_mail(
        "connection_ended",
        greeting="Hello <Alice>,",
        account="Shop",
        processor="Stripe",
        entity="shop.example",
        ended_at="today",
        problem={"what_happened": "a", "what_is_safe": "b", "what_to_do": "c"},
        url="https://payflux.example/activate",
    )
    assert "Hello &lt;Alice&gt;," in mail.html
    assert "Hello <Alice>," in mail.text
    silent = shop.world.settings.model_copy(update={"smtp_port": free_port()})
    with pytest.raises(MailUnavailable):
        await deliver(silent, mail, to="alice@shop.example")
    with pytest.raises(MailRefused, match="PAYFLUX_SMTP_HOST"):
        await deliver(shop.world.settings.model_copy(update={"smtp_host": ""}), mail, to="alice@shop.example")


async def test_a_wrong_password_for_the_mail_server_loses_no_mail(shop: Shop) -> None:
    mail = Mail("Subject", "Text", "<p>Text</p>")
    server = Controller(
        Sink(),
        hostname="127.0.0.1",
        port=free_port(),
        authenticator=lambda *_: AuthResult(success=False, handled=False),
        auth_require_tls=False,
    )
    server.start()
    try:
        account = {"smtp_port": server.port, "smtp_username": "payflux", "smtp_password": SecretStr("mistyped")}
        settings = shop.world.settings.model_copy(update={"smtp_host": "127.0.0.1", "smtp_tls": "none"} | account)
        with pytest.raises(MailUnavailable, match="PAYFLUX_SMTP"):
            await deliver(settings, mail, to="alice@shop.example")
    finally:
        server.stop()
