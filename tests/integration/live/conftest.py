"""Alice's connection, and her account at a stand-in for Stripe whose clock the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import pytest
from sqlalchemy import select, update

from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.live.applying import apply_webhook_events
from payflux.monitor.processors.live.envelopes import read_envelope
from payflux.monitor.processors.live.inbox import receive
from payflux.monitor.processors.live.polling import poll_events
from payflux.monitor.processors.live.refreshing import catch_up
from payflux.monitor.processors.models import Connection, StoredEvent
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.live.stand_in import StripeAccount
from tests.integration.live.stripe_events import connected, inbox_of


@dataclass
class Shop:
    world: World
    stripe: StripeAccount
    connection: Connection
    clock: MovedClock

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def ids(self) -> dict[str, str]:
        return {"account_id": str(self.connection.account_id), "connection_id": str(self.connection.id)}

    async def deliver(self, *bodies: bytes) -> int:
        async with self.world.database.system() as session:
            return await receive(session, [(read_envelope(body), self.connection) for body in bodies], now=self.now)

    async def apply(self) -> None:
        await apply_webhook_events(self.world, self.ids)

    async def poll(self) -> None:
        await poll_events(self.world, self.ids)

    async def catch_up(self) -> None:
        await catch_up(self.world, self.ids)

    async def inbox(self) -> dict[str, tuple[str, str]]:
        return await inbox_of(self.world, self.connection.account_id)

    async def stored(self) -> dict[str, Status]:
        async with self.world.database.tenant(self.connection.account_id) as session:
            rows = (await session.execute(select(StoredEvent))).scalars().all()
        return {row.source_id: Status(row.status) for row in rows if row.kind != Kind.ACCOUNT_CHANGE}

    async def connection_now(self) -> Connection:
        async with self.world.database.tenant(self.connection.account_id) as session:
            return (await session.execute(select(Connection))).scalar_one()

    async def set(self, **marks: datetime | None) -> None:
        """Set marks of the connection, such as how far it has been read."""
        async with self.world.database.tenant(self.connection.account_id) as session:
            await session.execute(update(Connection).values(**marks))


@pytest.fixture
async def shop(world: World, clock: MovedClock) -> AsyncIterator[Shop]:
    """Alice's connection, whose own webhook address is registered at Stripe."""
    stripe = StripeAccount(clock)
    shop = Shop(stripe.world(world), stripe, await connected(world), clock)
    yield shop
    await shop.world.http.aclose()


@pytest.fixture
async def quiet_shop(world: World, clock: MovedClock) -> AsyncIterator[Shop]:
    """A connection that no webhook reaches; its first pull has just ended."""
    stripe = StripeAccount(clock)
    shop = Shop(stripe.world(world), stripe, await connected(world, token=""), clock)
    await shop.set(synced_through=clock.now())
    yield shop
    await shop.world.http.aclose()
