"""Stripe's events: verified on their raw bytes, stored, answered. A worker does the rest.

Source: docs.stripe.com/webhooks; two ways lead here, the platform's one endpoint for all connected accounts, and an
unguessable address of its own for each connection by key.
"""

from __future__ import annotations

from http import HTTPStatus

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from payflux.kit.errors import NotFound, UserError
from payflux.monitor.processors.connecting.signing import signing_secrets
from payflux.monitor.processors.live.envelopes import Envelope, UnreadableEvent, read_envelope
from payflux.monitor.processors.live.inbox import connection_at, connections_of, receive
from payflux.monitor.processors.live.signatures import SignatureRefused, verify
from payflux.world.bootstrap import World

router = APIRouter()
log = structlog.get_logger(__name__)


class EventRefused(UserError):
    """What was posted is not from Stripe, or no event."""

    status = HTTPStatus.BAD_REQUEST


@router.post("/stripe/connect")
async def receive_connect_event(request: Request) -> JSONResponse:
    """An event of any connected account. Stored once for each connection that reads the account."""
    world: World = request.app.state.world
    if not world.settings.connect_webhook_secrets:
        raise NotFound(
            "This endpoint is not set up.",
            way_out="Set STRIPE_CONNECT_WEBHOOK_SECRETS to the endpoint's whsec_ secret.",
        )
    envelope = await _verified(request, world, world.settings.connect_webhook_secrets)
    async with world.database.system() as session:
        readers = await connections_of(session, envelope.account) if envelope.account else ()
        new = await receive(session, [(envelope, reader) for reader in readers or (None,)], now=world.clock.now())
    return _received(envelope, new)


@router.post("/stripe/{token}")
async def receive_event(request: Request, token: str) -> JSONResponse:
    """An event of the connection whose own address this is."""
    world: World = request.app.state.world
    async with world.database.system() as session:
        connection = await connection_at(session, world, token)
    if connection is None:
        raise NotFound(
            "No connection has this webhook address.",
            way_out="Copy the address from the connection's page, or remove this endpoint in the Stripe Dashboard.",
        )
    envelope = await _verified(request, world, signing_secrets(world, connection))
    async with world.database.system() as session:
        new = await receive(session, [(envelope, connection)], now=world.clock.now())
    return _received(envelope, new)


async def _verified(request: Request, world: World, secrets: list[str]) -> Envelope:
    body = await request.body()
    try:
        verify(body, request.headers.get("Stripe-Signature", ""), secrets, world.clock.now())
        return read_envelope(body)
    except SignatureRefused as refused:
        world.metrics.webhook_signature_failures.labels("stripe").inc()
        raise EventRefused(
            str(refused),
            way_out="Check that the endpoint's signing secret (whsec_…) is the one that PayFlux knows.",
            code=f"webhook_{refused.rule}",
        ) from None
    except UnreadableEvent as refused:
        raise EventRefused(str(refused), way_out="Send Stripe's events as they are.", code="webhook_body") from None


def _received(envelope: Envelope, new: int) -> JSONResponse:
    log.info("webhook received", event_id=envelope.id, event_type=envelope.type, new=new)
    return JSONResponse({"received": True})
