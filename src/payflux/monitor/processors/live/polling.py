"""Asking for events where no webhook can reach us. They go into the same inbox, so that one code path applies them.

Source: docs.stripe.com/api/events/list. Stripe lists events of the last 30 days, the newest first.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import func, update

from payflux.kit.jobs import Payload
from payflux.monitor.processors.connecting.signing import Reach, reach_of
from payflux.monitor.processors.credentials import auth_of
from payflux.monitor.processors.live.ending import ended_by
from payflux.monitor.processors.live.envelopes import Envelope, read_envelope
from payflux.monitor.processors.live.inbox import receive
from payflux.monitor.processors.live.queries import payments_lately
from payflux.monitor.processors.live.timing import TYPES_ASKED_FOR, is_due, poll_every
from payflux.monitor.processors.models import Connection, ConnectionStatus
from payflux.monitor.processors.queries import get_connection
from payflux.monitor.processors.resources import PAGE_SIZE
from payflux.world.bootstrap import World
from payflux.world.stripe import StripeFailure, StripeGateway, StripeReader

LISTED = timedelta(days=30)
"""How long Stripe lists an event."""

OVERLAP = timedelta(minutes=10)
"""Read again each time: an event may be listed a little after the instant it bears."""

log = structlog.get_logger(__name__)


class _Identified(msgspec.Struct):
    id: str


class _EventPage(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool


async def poll_events(world: World, payload: Payload) -> None:
    """Job: put the connection's events since the last time into its inbox, if it is time to. Where Stripe does not
    answer, the next time reads further back."""
    account_id, connection_id = UUID(payload["account_id"]), UUID(payload["connection_id"])
    now = world.clock.now()
    async with world.database.tenant(account_id) as session:
        connection = await get_connection(session, account_id=account_id, connection_id=connection_id)
        every = poll_every(await payments_lately(session, connection, now))
    if not must_poll(world, connection) or not is_due(connection.polled_through, every, now):
        return
    since = max((connection.polled_through or connection.synced_through or now) - OVERLAP, now - LISTED)
    new = 0
    try:
        reader = StripeGateway(world.settings, world.http).reader(await auth_of(world, connection))
        async for envelopes in _pages(reader, since):
            async with world.database.tenant(account_id) as session:
                new += await receive(session, [(envelope, connection) for envelope in envelopes], now=now)
    except StripeFailure as failure:
        if not await ended_by(world, connection, failure):
            log.warning("events not read", connection_id=str(connection_id), failure=str(failure))
        return
    async with world.database.tenant(account_id) as session:
        await session.execute(
            update(Connection)
            .where(Connection.account_id == account_id, Connection.id == connection_id)
            .values(polled_through=func.greatest(Connection.polled_through, now))
        )
    log.info("events read", connection_id=str(connection_id), new=new)


def must_poll(world: World, connection: Connection) -> bool:
    """Whether a connection, once its first pull is done, learns of changes by asking alone."""
    return (
        connection.status != ConnectionStatus.DISCONNECTED
        and connection.synced_through is not None
        and reach_of(world.settings, connection) == Reach.POLLING
    )


async def _pages(reader: StripeReader, since: datetime) -> AsyncGenerator[list[Envelope], None]:
    for types in TYPES_ASKED_FOR:
        query: dict[str, str | int | list[str]] = {
            "limit": PAGE_SIZE,
            "types[]": list(types),
            "created[gte]": int(since.timestamp()),
        }
        while True:
            page = msgspec.json.decode(await reader.get("/v1/events", query), type=_EventPage)
            yield [read_envelope(bytes(event)) for event in page.data]
            if not page.has_more:
                break
            query["starting_after"] = msgspec.json.decode(page.data[-1], type=_Identified).id
