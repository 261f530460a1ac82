"""Stripe's events about our own billing: verified on their raw bytes, stored, answered. A worker does the rest.

Source: docs.stripe.com/webhooks. The signature is the only gate.
"""

from __future__ import annotations

import msgspec
import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from payflux.frontdoor.billing.inbox import receive
from payflux.hooks.stripe import EventRefused
from payflux.kit.errors import Unavailable
from payflux.monitor.processors.live.signatures import SignatureRefused, verify
from payflux.world.bootstrap import World
from payflux.world.stripe.billing import StripeBilling
from payflux.world.stripe.billing_objects import RemoteEvent

LARGEST_EVENT = 1024 * 1024  # bytes; an event holds a whole object

router = APIRouter()
log = structlog.get_logger(__name__)


class NotSetUp(Unavailable):
    """No signing secret is known, so nothing that comes in can be believed."""

    code = "webhook_not_set_up"


@router.post("/stripe")
async def receive_billing_event(request: Request) -> JSONResponse:
    """An event of our own account at Stripe. Stored once, however often it is sent."""
    world: World = request.app.state.world
    event = _verified(world, await request.body(), request.headers.get("Stripe-Signature", ""))
    livemode = StripeBilling(world.settings, world.http).livemode
    async with world.database.system() as session:
        new = await receive(session, [event], livemode=livemode, now=world.clock.now())
    log.info("billing webhook received", event_id=event.id, event_type=event.type, new=new)
    return JSONResponse({"received": True})


def _verified(world: World, body: bytes, signature: str) -> RemoteEvent:
    secrets = world.settings.webhook_secrets
    if not secrets:
        raise NotSetUp(
            "This endpoint is not set up.", way_out="Set STRIPE_WEBHOOK_SECRETS to the endpoint's whsec_ secret."
        )
    try:
        verify(body, signature, secrets, world.clock.now())
    except SignatureRefused as refused:
        world.metrics.webhook_signature_failures.labels("billing").inc()
        log.warning("billing webhook refused", rule=refused.rule, bytes=len(body))
        raise EventRefused(
            str(refused),
            way_out="Check that STRIPE_WEBHOOK_SECRETS holds the endpoint's signing secret (whsec_…).",
            code=f"webhook_{refused.rule}",
        ) from None
    try:
        return msgspec.json.decode(body, type=RemoteEvent)
    except msgspec.DecodeError as error:
        log.warning("billing webhook refused", rule="body", bytes=len(body))
        raise EventRefused(
            f"This is no snapshot event of Stripe's: {error}.",
            way_out="Send Stripe's snapshot events as they are.",
            code="webhook_body",
        ) from None


billing_hooks = RequestBodyLimitMiddleware(router, max_body_size=LARGEST_EVENT)
"""What the app mounts at /api/v1/webhooks, where Stripe's Dashboard has it; the rest of the API asks for a session."""
