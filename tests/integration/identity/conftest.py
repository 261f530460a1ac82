"""People with mailboxes: what the product mails arrives at a mail server on loopback, and its links can be followed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage
from urllib.parse import urlsplit

import asyncpg
import pytest
from aiosmtpd.controller import Controller
from fastapi import FastAPI
from sqlalchemy import make_url

from payflux.app import create_app
from payflux.kit.postgres import EmbeddedPostgres
from payflux.worker.main import work
from payflux.world.bootstrap import World
from tests.conftest import with_settings
from tests.integration.connecting.conftest import Mailbox
from tests.integration.pages.browser import Browser
from tests.running import free_port

ALICE, BOB, CHARLIE = "alice@alice-shop.example", "bob@alice-shop.example", "charlie@charlie-shop.example"


class Post:
    """Sends what is enqueued, and shows what arrived."""

    def __init__(self, world: World, mailbox: Mailbox) -> None:
        self._world, self._mailbox = world, mailbox

    async def arrived(self, to: str = "") -> list[EmailMessage]:
        """Every mail so far, or those to one address, the oldest first."""
        await work(self._world, drain=True)
        return [mail for mail in self._mailbox.mails if not to or mail["To"] == to]

    async def last(self, to: str) -> EmailMessage:
        return (await self.arrived(to))[-1]


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return part.get_content()


def code_in(mail: EmailMessage) -> str:
    found = re.search(r"\b\d{6}\b", str(mail["Subject"]))
    assert found is not None
    return found[0]


def link_in(mail: EmailMessage) -> str:
    """The path of the mail's one link."""
    links = re.findall(r"https?://\S+", text_of(mail))
    assert len(links) == 1
    parts = urlsplit(links[0])
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def token_in(mail: EmailMessage) -> str:
    return link_in(mail).partition("token=")[2]


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def mailing(world: World, mailbox: Mailbox) -> Iterator[World]:
    """The world with a mail server."""
    server = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    server.start()
    yield with_settings(world, smtp_host="127.0.0.1", smtp_port=server.port, smtp_tls="none")
    server.stop()


@pytest.fixture
def app(mailing: World) -> FastAPI:
    return create_app(mailing)


@pytest.fixture
def post(mailing: World, mailbox: Mailbox) -> Post:
    return Post(mailing, mailbox)


@pytest.fixture
async def alice(app: FastAPI) -> Browser:
    """Alice, who has registered and not opened her mail yet."""
    browser = Browser(app)
    assert (await browser.register("Alice", ALICE)).status_code == 303
    return browser


@pytest.fixture
async def stored(postgres: EmbeddedPostgres, owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The database as its superuser sees it."""
    connection = await asyncpg.connect(postgres.url(database=make_url(owner_url).database or ""))
    yield connection
    await connection.close()


async def is_verified(stored: asyncpg.Connection, email: str) -> bool:
    return await stored.fetchval("SELECT email_verified_at IS NOT NULL FROM users WHERE email = $1", email)
