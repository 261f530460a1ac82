"""A connection's own webhook endpoint at Stripe, made where its key may.

Facts: docs.stripe.com/api/webhook_endpoints.
"""

from __future__ import annotations

from uuid import UUID

import msgspec
import structlog
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.jobs import Payload, Permanent, enqueue
from payflux.monitor.processors.connecting.event_types import EVENT_TYPES
from payflux.monitor.processors.connecting.signing import endpoint_url, keep_secrets, reachable
from payflux.monitor.processors.credentials import auth_of
from payflux.monitor.processors.models import Connection, ConnectionMethod, ConnectionStatus
from payflux.monitor.processors.queries import get_connection
from payflux.settings import STRIPE_API_VERSION
from payflux.world.bootstrap import World
from payflux.world.stripe import (
    PermissionMissing,
    ProcessorUnavailable,
    RequestRefused,
    StripeFailure,
    StripeGateway,
    StripeReader,
)

log = structlog.get_logger(__name__)


class _Endpoint(msgspec.Struct):
    id: str
    secret: str = ""
    status: str = ""
    url: str = ""


async def enqueue_endpoint(session: AsyncSession, world: World, connection: Connection) -> None:
    """Have an endpoint made at Stripe for `connection`, where that is possible."""
    allowed = connection.capabilities.get("webhook_endpoints") == "ok"
    if allowed and reachable(world.settings) and connection.method != ConnectionMethod.CONNECT_OAUTH:
        payload = {"account_id": str(connection.account_id), "connection_id": str(connection.id)}
        await enqueue(
            session, "create_webhook_endpoint", payload, dedupe_key=f"create_webhook_endpoint:{connection.id}"
        )


async def create_webhook_endpoint(world: World, payload: Payload) -> None:
    """Job: make the connection's endpoint at Stripe, unless it has one there that works."""
    account_id, connection_id = UUID(payload["account_id"]), UUID(payload["connection_id"])
    async with world.database.tenant(account_id) as session:
        connection = await get_connection(session, account_id=account_id, connection_id=connection_id)
    if connection.status == ConnectionStatus.DISCONNECTED:
        return
    try:
        made = await _made(world, connection)
    except ProcessorUnavailable:
        raise
    except (PermissionMissing, RequestRefused) as refusal:
        log.info("Stripe makes no endpoint; its events are asked for", reason=str(refusal))
        state = "forbidden" if isinstance(refusal, PermissionMissing) else "not_enabled"
        async with world.database.tenant(account_id) as session:
            await _store_refusal(session, connection, state)
        return
    except StripeFailure as failure:
        raise Permanent(str(failure)) from failure
    if made is None:
        return
    async with world.database.tenant(account_id) as session:
        stored = await get_connection(session, account_id=account_id, connection_id=connection_id)
        ended = stored.status == ConnectionStatus.DISCONNECTED
        if not ended:
            keep_secrets(world, stored, [made.secret])
            stored.hook_endpoint_id = made.id
            await session.flush()
    if ended:  # meanwhile; nobody else knows of the endpoint
        connection.hook_endpoint_id = made.id
        await delete_endpoint(world, connection)


async def _made(world: World, connection: Connection) -> _Endpoint | None:
    """A new endpoint; None where there is one already."""
    reader = StripeGateway(world.settings, world.http).reader(await auth_of(world, connection))
    if await _still_there(world, reader, connection):
        return None
    return await _create(world, reader, connection)


async def _still_there(world: World, reader: StripeReader, connection: Connection) -> bool:
    if not connection.hook_endpoint_id or connection.hook_secrets is None:
        return connection.hook_secrets is not None  # the merchant registered one
    try:
        body = await reader.get(f"/v1/webhook_endpoints/{connection.hook_endpoint_id}")
    except RequestRefused:
        return False
    found = msgspec.json.decode(body, type=_Endpoint)
    return found.status == "enabled" and found.url == endpoint_url(world, connection)


async def _create(world: World, reader: StripeReader, connection: Connection) -> _Endpoint:
    fields: dict[str, str | list[str]] = {
        "url": endpoint_url(world, connection),
        "api_version": STRIPE_API_VERSION,
        "description": "PayFlux",
        "enabled_events[]": list(EVENT_TYPES),
    }
    # one endpoint for each time of connecting and each that was lost: a key is answered the same for a day
    intent = f"endpoint-{connection.id}-{connection.connected_at.timestamp():.0f}-{connection.hook_endpoint_id}"
    return msgspec.json.decode(
        await reader.post("/v1/webhook_endpoints", fields, idempotency_key=intent), type=_Endpoint
    )


async def _store_refusal(session: AsyncSession, connection: Connection, state: str) -> None:
    await session.execute(
        update(Connection)
        .where(Connection.account_id == connection.account_id, Connection.id == connection.id)
        .values(capabilities=Connection.capabilities.op("||")({"webhook_endpoints": state}))
    )


async def delete_endpoint(world: World, connection: Connection) -> None:
    """Delete the endpoint that PayFlux made at Stripe. What Stripe does not do is logged alone: deliveries to an
    address that is gone harm nobody, and Stripe ends them by itself."""
    if not connection.hook_endpoint_id or connection.status == ConnectionStatus.DISCONNECTED:
        return
    try:
        reader = StripeGateway(world.settings, world.http).reader(await auth_of(world, connection))
        await reader.delete(f"/v1/webhook_endpoints/{connection.hook_endpoint_id}")
    except StripeFailure as failure:
        log.warning("the webhook endpoint was not deleted at Stripe", failure=str(failure))
