"""Mail that comes back: only by a return path of ours, and until the address is proven again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import asyncpg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from fastapi import FastAPI
from httpx import Response

from payflux.activation.reminding import send_due_reminders
from payflux.sandbox.mailbox.bouncing import report
from payflux.worker.main import work
from payflux.world.bootstrap import World
from tests.conftest import MovedClock, with_settings
from tests.integration.connecting.conftest import Mailbox
from tests.integration.identity.conftest import ALICE, CHARLIE, Post, code_in, token_in
from tests.integration.pages.browser import MACHINE, Browser
from tests.running import free_port

HOOK = "/hooks/mail/bounces"
TELLS = "came back"


class ReturningMailbox(Mailbox):
    """A mailbox that keeps each mail's return path, and what would be sent back there."""

    def __init__(self) -> None:
        super().__init__()
        self.returned: dict[str, tuple[str, bytes]] = {}
        self.refusal = ""

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd's name
        assert isinstance(envelope.content, bytes)
        (to,) = envelope.rcpt_tos
        self.returned[to] = (envelope.mail_from or "", envelope.content)
        return await super().handle_DATA(_server, _session, envelope)

    def report(self, to: str, status: str = "5.1.1", *, path: str = "") -> bytes:
        """What a mail server says of the last mail to `to`."""
        return_path, raw = self.returned[to]
        return report(raw, return_path=path or return_path, recipient=to, status=status)


@pytest.fixture
def mailbox() -> ReturningMailbox:
    return ReturningMailbox()


@pytest.fixture
def mailing(world: World, mailbox: ReturningMailbox) -> Iterator[World]:
    server = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    server.start()
    mail = {"smtp_host": "127.0.0.1", "smtp_port": server.port, "bounce_address": "bounces@payflux.example"}
    yield with_settings(world, **mail)
    server.stop()


async def came_back(app: FastAPI, raw: bytes) -> Response:
    return await Browser(app).http.post(HOOK, content=raw, headers={"Content-Type": "message/rfc822"} | MACHINE)


async def test_an_address_that_does_not_work_gets_no_reminders_until_it_is_proven_again(
    app: FastAPI,
    alice: Browser,
    post: Post,
    mailing: World,
    mailbox: ReturningMailbox,
    clock: MovedClock,
    stored: asyncpg.Connection,
) -> None:
    await alice.post("/verify-email/code", {"code": code_in(await post.last(ALICE))})
    path, _ = mailbox.returned[ALICE]
    assert path.startswith("bounces+")
    assert path.endswith("@payflux.example")
    assert len(path.partition("@")[0]) <= 64
    clock.move(timedelta(hours=24))
    await send_due_reminders(mailing)
    assert (await post.last(ALICE))["Subject"] == "Your workspace is ready to arm"

    late = await came_back(app, mailbox.report(ALICE, "4.4.1"))
    assert (late.status_code, late.json()) == (200, {"noted": True})
    assert TELLS not in (await alice.get("/settings")).text, "it may still arrive"
    (noted,) = await stored.fetchrow("SELECT outcome FROM activation_mails")
    assert noted == "Not delivered so far (4.4.1): it is late, or was given up after several tries."
    gone = mailbox.report(ALICE)
    assert (await came_back(app, gone)).json() == {"noted": True}
    assert (await came_back(app, gone.replace(b"To: b", b"To: B"))).json() == {"noted": True}, "another one of the same"
    assert (await came_back(app, gone)).json() == {"noted": False}, "told before"
    outcome = await stored.fetchval("SELECT outcome FROM activation_mails")
    assert outcome == "Came back (5.1.1): there is no such address."
    assert f"Mail to {ALICE} came back" in (await alice.get("/settings")).text

    clock.move(timedelta(hours=48))
    await send_due_reminders(mailing)
    arrived = len(await post.arrived(ALICE))
    outcomes = await stored.fetch("SELECT outcome FROM activation_mails ORDER BY enqueued_at")
    assert outcomes[-1]["outcome"] == "Not sent: mails to its reader's address come back."

    assert (await alice.post("/verify-email/resend", {"next": "/settings"})).status_code == 303
    mails = await post.arrived(ALICE)
    assert len(mails) == arrived + 1, "what proves it goes out all the same"
    page = (await alice.get("/verify-email")).text
    assert TELLS in page
    assert 'href="/account/email"' in page
    answer = await alice.post("/verify-email/code", {"code": code_in(mails[-1]), "next": "/settings"})
    assert answer.headers["Location"] == "/settings"
    assert TELLS not in (await alice.get("/settings")).text
    completed = "SELECT count(*) FROM product_events WHERE name = 'email_verification_completed'"
    assert await stored.fetchval(completed) == 1, "it is not a second one"


async def test_only_what_comes_by_a_return_path_of_ours_is_believed(
    app: FastAPI, alice: Browser, post: Post, mailing: World, mailbox: ReturningMailbox, stored: asyncpg.Connection
) -> None:
    charlie = Browser(app)
    await charlie.register("Charlie", CHARLIE)
    await post.last(CHARLIE)
    path, other = mailbox.returned[ALICE][0], mailbox.returned[CHARLIE][0]
    forged = path.replace(path[8:34], other[8:34])  # one's id with the other's MAC
    for wrong in (
        "bounces@payflux.example",
        "bounces+aaaa@payflux.example",
        forged,
        path.replace("payflux", "elsewhere"),
    ):
        answer = await came_back(app, mailbox.report(ALICE, path=wrong))
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_return_path"), wrong
    for rubbish in (b"", b"\xff\x00", b"\r\n\r\n" + path.encode(), b"a" * 1024 * 1024):
        assert (await came_back(app, rubbish)).status_code == 404
    assert (await came_back(app, b"a" * (1024 * 1024 + 1))).status_code == 413
    notice = f"From: {ALICE}\r\nTo: {path.upper()}\r\nSubject: Out of office\r\n\r\nBack on Monday\r\n"
    assert (await came_back(app, notice.encode())).json() == {"noted": False}
    assert await stored.fetchval("SELECT count(*) FROM mail_bounces") == 0

    assert (await came_back(app, mailbox.report(ALICE))).json() == {"noted": True}
    assert TELLS in (await alice.get("/verify-email")).text
    assert TELLS not in (await charlie.get("/verify-email")).text
    assert TELLS not in (await Browser(app).get("/verify-email")).text
    await alice.post("/verify-email/address", {"email": "alice@another-shop.example"})
    assert TELLS not in (await alice.get("/verify-email")).text, "that was the address before"
    assert (await came_back(app, mailbox.report(ALICE, "5.2.1"))).status_code == 404


async def test_a_password_set_by_a_mailed_link_proves_the_address_again(
    app: FastAPI, alice: Browser, post: Post, mailing: World, mailbox: ReturningMailbox, clock: MovedClock
) -> None:
    await alice.post("/verify-email/code", {"code": code_in(await post.last(ALICE))})
    clock.move(timedelta(minutes=1))
    await came_back(app, mailbox.report(ALICE))
    assert TELLS in (await alice.get("/settings")).text
    clock.move(timedelta(minutes=1))
    await alice.post("/forgot", {"email": ALICE})
    fields = {"token": token_in(await post.last(ALICE)), "password": "another lantern in the fog"}
    assert 'data-state="done"' in (await alice.post("/reset", fields)).text
    await alice.sign_in(ALICE, fields["password"])
    settings = await alice.get("/settings")
    assert (settings.status_code, TELLS in settings.text) == (200, False)


async def test_a_mail_server_that_refuses_the_recipient_says_the_same(
    app: FastAPI, alice: Browser, mailing: World, mailbox: ReturningMailbox, stored: asyncpg.Connection
) -> None:
    refusals = (("550 5.7.1 relaying denied", 0), ("550 go away", 0), ("550 5.1.1 no such user", 1))
    for refusal, known in refusals:
        mailbox.refusal = refusal
        await alice.post("/forgot", {"email": ALICE})
        await stored.execute("DELETE FROM email_challenges WHERE purpose = 'reset'")
        await stored.execute("UPDATE email_challenges SET created_at = created_at - interval '2 days'")
        await work(mailing, drain=True)
        await alice.post("/verify-email/resend")
        await work(mailing, drain=True)
        assert await stored.fetchval("SELECT count(*) FROM users WHERE mail_returned_at IS NOT NULL") == known, refusal


async def test_without_a_return_path_nothing_is_taken_in(app: FastAPI, mailing: World) -> None:
    app.state.world = with_settings(mailing, bounce_address="")
    answer = await came_back(app, b"To: bounces+aaaa@payflux.example\r\n\r\n")
    assert (answer.status_code, answer.json()["code"]) == (404, "bounces_not_set_up")
