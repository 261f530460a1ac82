"""A workspace whose Stripe is the sandbox over real HTTP, and a network that can be made to fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from payflux.kit.clock import SystemClock
from payflux.monitor.processors.connecting.keys import authorize_with_key
from payflux.monitor.processors.connecting.probing import Authorized
from payflux.monitor.processors.connecting.storing import store_connection
from payflux.monitor.processors.models import Connection, HistoryPull
from payflux.monitor.processors.pull import start_pull
from payflux.world.bootstrap import World
from tests.sandbox_server import running_sandbox

Refusal = Callable[[httpx.Request], httpx.Response | None]


class Network(httpx.AsyncBaseTransport):
    """The real network, which writes down each request, and may refuse one or leave a path's without an answer."""

    def __init__(self) -> None:
        self._real = httpx.AsyncHTTPTransport()
        self.requests: list[httpx.Request] = []
        self.refuse: Refusal = lambda _request: None
        self.silent = ""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.path == self.silent:
            await asyncio.Event().wait()
        return self.refuse(request) or await self._real.handle_async_request(request)

    async def aclose(self) -> None:
        await self._real.aclose()


@dataclass(frozen=True)
class Shop:
    """A workspace of a new account, and the world around it."""

    world: World
    network: Network
    account_id: UUID = field(default_factory=uuid4)
    workspace_id: UUID = field(default_factory=uuid4)

    async def connect(self, merchant: str) -> Connection:
        """Connect a merchant of the sandbox by its restricted key."""
        return await self.store(await authorize_with_key(self.world, key=f"rk_test_sandbox_{merchant}"))

    async def store(self, authorized: Authorized) -> Connection:
        async with self.world.database.tenant(self.account_id) as session:
            return await store_connection(
                session, self.world, authorized, account_id=self.account_id, workspace_id=self.workspace_id
            )

    async def plan(self, connection: Connection, days: int = 90) -> HistoryPull:
        async with self.world.database.tenant(self.account_id) as session:
            now = self.world.clock.now()
            return await start_pull(session, connection, now, since=now - timedelta(days=days))


def refuse_after(requests: int, answer: Callable[[], httpx.Response | None]) -> Refusal:
    """Let so many requests through, then give every further one `answer`."""
    seen = 0

    def refuse(_request: httpx.Request) -> httpx.Response | None:
        nonlocal seen
        seen += 1
        return answer() if seen > requests else None

    return refuse


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with running_sandbox() as url:
        yield url


@pytest.fixture
async def shop(world: World, sandbox_url: str) -> AsyncIterator[Shop]:
    network = Network()
    addresses = {"stripe_api_base": sandbox_url, "stripe_connect_base": sandbox_url, "stripe_test_rate": 1000.0}
    async with httpx.AsyncClient(transport=network) as http:
        settings = world.settings.model_copy(update=addresses)
        yield Shop(replace(world, settings=settings, clock=SystemClock(), http=http), network)
