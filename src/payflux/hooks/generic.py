"""Events that a processor of any kind, or the merchant's own system, posts in our form: verified, read, stored,
answered. Whoever sends something wrong is told at once what and where."""

from __future__ import annotations

import math
from http import HTTPStatus

import msgspec
import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from payflux.kit.errors import NotFound, TooManyRequests, UserError, problem_details
from payflux.monitor.processors.generic.connecting import active_secrets, source_at
from payflux.monitor.processors.generic.inbox import keep_refused, receive_delivery
from payflux.monitor.processors.generic.reading import EventsRefused, Fault, Posted, read_posted
from payflux.monitor.processors.generic.signatures import verify
from payflux.monitor.processors.live.signatures import SignatureRefused
from payflux.monitor.processors.models import Connection
from payflux.world.bootstrap import World

router = APIRouter()
log = structlog.get_logger(__name__)

_INSTANCE = "/hooks/events/…"  # without the token

_WAY_OUT = {
    "header": "Send the headers webhook-id, webhook-timestamp and webhook-signature of Standard Webhooks.",
    "time": "Sign each attempt anew, with the time at which it is sent, on a machine whose clock is right.",
    "signature": "Sign `<webhook-id>.<webhook-timestamp>.<body>`, the body byte by byte as it is sent, with the bytes "
    "that follow whsec_ in your secret after decoding them from base64.",
}


class DeliveryRefused(UserError):
    """What was posted is not signed right, or is no event."""

    status = HTTPStatus.BAD_REQUEST


@router.post("/events/{token}")
async def receive_events(request: Request, token: str) -> JSONResponse:
    """A delivery to the connection whose own address this is. All of its events are taken, or none."""
    world: World = request.app.state.world
    async with world.database.system() as session:
        connection = await source_at(session, world, token)
    if connection is None:
        raise NotFound(
            "Nothing is received at this address.",
            way_out="Copy the address from your processor's page in PayFlux, or stop sending.",
        )
    now = world.clock.now()
    if wait := world.deliveries.wait(connection.id, now):
        return _too_often(request, connection, wait)
    body, message_id = await request.body(), request.headers.get("webhook-id", "")
    try:
        _verify(request, world, connection, body)
        posted = read_posted(body, now)
    except SignatureRefused as refused:
        world.metrics.webhook_signature_failures.labels("generic").inc()
        fault = Fault(None, "", str(refused), _WAY_OUT[refused.rule])
        return await _refused(request, connection, f"({refused.rule})", f"webhook_{refused.rule}", [fault])
    except EventsRefused as refused:
        return await _refused(request, connection, message_id, "webhook_events", refused.faults)
    return await _received(world, connection, message_id, posted)


def _verify(request: Request, world: World, connection: Connection, body: bytes) -> None:
    now, headers = world.clock.now(), request.headers
    verify(
        body,
        message_id=headers.get("webhook-id", ""),
        timestamp=headers.get("webhook-timestamp", ""),
        signatures=headers.get("webhook-signature", ""),
        secrets=active_secrets(world, connection, now),
        now=now,
    )


async def _received(world: World, connection: Connection, message_id: str, posted: Posted) -> JSONResponse:
    async with world.database.tenant(connection.account_id) as session:
        new = await receive_delivery(session, connection, message_id=message_id, posted=posted, now=world.clock.now())
    log.info("delivery received", connection_id=str(connection.id), events=len(posted.events), new=new)
    return JSONResponse({"received": len(posted.events), "new": new})


def _too_often(request: Request, connection: Connection, wait: float) -> JSONResponse:
    log.warning("deliveries come too often", connection_id=str(connection.id))
    seconds = math.ceil(wait)
    error = TooManyRequests(
        "Deliveries come too often. This one was not taken.",
        way_out=f"Send it again after {seconds} s, and put more events into each delivery.",
    )
    details = problem_details(error, instance=_INSTANCE, request_id=request.state.request_id)
    return JSONResponse(details, error.status, {"Retry-After": str(seconds)}, media_type="application/problem+json")


async def _refused(
    request: Request, connection: Connection, message_id: str, code: str, faults: list[Fault]
) -> JSONResponse:
    world: World = request.app.state.world
    async with world.database.tenant(connection.account_id) as session:
        await keep_refused(session, connection, message_id=message_id, faults=faults, now=world.clock.now())
    log.info("delivery refused", connection_id=str(connection.id), code=code, field=faults[0].field)
    error = DeliveryRefused(faults[0].detail, way_out=faults[0].way_out, code=code)
    details = problem_details(error, instance=_INSTANCE, request_id=request.state.request_id)
    return JSONResponse(
        details | {"errors": [msgspec.to_builtins(fault) for fault in faults]},
        status_code=error.status,
        media_type="application/problem+json",
    )
