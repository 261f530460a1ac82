"""An account whose workspace can be connected in every way, and a mailbox for what it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from uuid import UUID

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr

from payflux.activation import service as activation
from payflux.activation.models import Workspace
from payflux.frontdoor.accounts.registering import register
from payflux.frontdoor.billing.trials import start_trial
from payflux.monitor.processors.connecting.probing import Authorized
from payflux.monitor.processors.connecting.storing import store_connection
from payflux.monitor.processors.models import Connection
from payflux.monitor.processors.queries import get_connection
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.connecting.app_server import DEVELOPER_KEY, AppServer, running_app_server
from tests.integration.processors.conftest import Network
from tests.running import free_port


@dataclass(frozen=True)
class Shop:
    """Alice's account and workspace, and the world around them."""

    world: World
    network: Network
    clock: MovedClock
    account_id: UUID
    user_id: UUID

    async def connect(self, authorized: Authorized) -> Connection:
        """Store the connection and begin the pipeline, as the page does."""
        async with self.world.database.tenant(self.account_id) as session:
            workspace = await activation.get_workspace(session, account_id=self.account_id, lock=True)
            connection = await store_connection(
                session, self.world, authorized, account_id=self.account_id, workspace_id=workspace.id
            )
            await activation.begin_pipeline(session, workspace, connection, now=self.clock.now(), actor_id=self.user_id)
        return connection

    async def stored(self, connection: Connection) -> Connection:
        async with self.world.database.tenant(self.account_id) as session:
            return await get_connection(session, account_id=self.account_id, connection_id=connection.id)

    async def workspace(self) -> Workspace:
        async with self.world.database.tenant(self.account_id) as session:
            return await activation.get_workspace(session, account_id=self.account_id)


@dataclass
class Mailbox:
    """A mail server that takes everything, unless it is told to answer with `reply`."""

    reply: str = ""
    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd's name
        if self.reply:
            return self.reply
        assert isinstance(envelope.content, bytes)
        self.mails.append(BytesParser(EmailMessage, policy=default).parsebytes(envelope.content))
        return "250 OK"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def smtp_port(mailbox: Mailbox) -> Iterator[int]:
    server = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    server.start()
    yield server.port
    server.stop()


@pytest.fixture
def app_server(sandbox_url: str) -> Iterator[AppServer]:
    with running_app_server(sandbox_url) as server:
        yield server


@pytest.fixture
async def shop(world: World, clock: MovedClock, sandbox_url: str, smtp_port: int) -> AsyncIterator[Shop]:
    """The shop, whose Stripe is the sandbox."""
    network = Network()
    addresses = {"stripe_api_base": sandbox_url, "stripe_connect_base": sandbox_url, "stripe_test_rate": 1000.0}
    mail = {"smtp_host": "127.0.0.1", "smtp_port": smtp_port, "smtp_tls": "none"}
    async with httpx.AsyncClient(transport=network) as http:
        built = replace(world, settings=world.settings.model_copy(update=addresses | mail), http=http)
        async with built.database.system() as session:
            user, account = await register(
                session,
                name="Alice",
                email="alice@shop.example",
                password="quiet harbour lantern",
                now=clock.now(),
            )
            await start_trial(session, account_id=account.id, now=clock.now())
            await activation.create_workspace(session, account_id=account.id, name="Shop", now=clock.now())
        yield Shop(built, network, clock, account.id, user.id)


@pytest.fixture
def app_shop(shop: Shop, app_server: AppServer) -> Shop:
    """The same, whose Stripe knows a Stripe App."""
    settings = shop.world.settings.model_copy(
        update={
            "stripe_api_base": app_server.address,
            "stripe_app_client_id": "ca_app",
            "stripe_app_secret_key": SecretStr(DEVELOPER_KEY),
            "stripe_app_authorize_url": "https://marketplace.stripe.com/oauth/v2/authorize",
        }
    )
    return replace(shop, world=replace(shop.world, settings=settings))
