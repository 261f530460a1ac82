"""Another processor than Stripe: its address and secret, what it has posted, and history from files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation import service as activation
from payflux.activation.allowances import PROCESSORS, require_within_limit
from payflux.activation.beside import refuse_beside_another
from payflux.activation.ending import end_connection
from payflux.activation.sources import compute_from_stored
from payflux.activation.states import ActivationState, Cause
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.billing.queries import live_subscription
from payflux.kit.errors import InvalidInput, NotFound
from payflux.kit.messages import gettext as _
from payflux.monitor.processors.generic.applying import apply_waiting
from payflux.monitor.processors.generic.connecting import (
    connect_source,
    current_source,
    roll_secret,
    source_url,
)
from payflux.monitor.processors.generic.history import payments_stored
from payflux.monitor.processors.generic.importing import recent_imports
from payflux.monitor.processors.generic.inbox import recent_deliveries, send_test
from payflux.monitor.processors.generic.schema import SCHEMA_PATH, json_schema
from payflux.monitor.processors.models import Connection
from payflux.monitor.risk.rules.bands import MINIMUM_PAYMENTS
from payflux.web.freshness import freshness_line
from payflux.web.guards import CurrentWorld, Tenant, Who
from payflux.web.pages.connecting import MAY_CONNECT
from payflux.web.policies import Audience, guard
from payflux.web.product import product_context
from payflux.web.rendering import render, see_other
from payflux.world.bootstrap import World

router = APIRouter()

MANAGED = [guard(capability="connection.manage", feature="processor_connection")]
TAKEN_AWAY = [guard(capability="connection.manage")]

KNOWN_PROCESSORS = ("Adyen", "Authorize.net", "Braintree", "Checkout.com", "Mollie", "PayPal", "Square", "Worldpay")
"""Offered while the name is typed; any other is as good."""


@router.get(SCHEMA_PATH, dependencies=[guard(Audience.PUBLIC)])
async def schema() -> JSONResponse:
    """What one delivery may hold, as JSON Schema."""
    return JSONResponse(json_schema(), media_type="application/schema+json")


@router.get("/sources", dependencies=[guard(capability="monitor.read")])
async def show(request: Request, who: Who, world: CurrentWorld, processor: str = "") -> Response:
    """The processor that posts to us, or the form that names one; `processor` stands in it already."""
    return await sources_page(request, world, who, form={"processor": processor[:60]})


@router.post("/sources", dependencies=MAY_CONNECT)
async def choose(request: Request, who: Who, world: CurrentWorld, processor: Annotated[str, Form()] = "") -> Response:
    """Name the processor; its address and its secret are made."""
    try:
        async with world.database.tenant(who.account_id) as session:
            workspace = await activation.get_workspace(session, account_id=who.account_id, lock=True)
            if await current_source(session, account_id=who.account_id, workspace_id=workspace.id):
                return see_other("/sources")
            await refuse_beside_another(session, workspace, None)
            await require_within_limit(session, world, account_id=who.account_id, key=PROCESSORS)
            _, secret = await connect_source(
                session,
                world,
                account_id=who.account_id,
                workspace_id=workspace.id,
                name=processor,
                actor_id=who.user_id,
            )
    except InvalidInput as wrong:
        return await sources_page(request, world, who, errors=wrong.fields, form={"processor": processor}, status=422)
    return await sources_page(request, world, who, secret=secret)


@router.post("/sources/secret", dependencies=MANAGED)
async def roll(request: Request, who: Who, world: CurrentWorld) -> Response:
    """A new secret, shown once."""
    async with world.database.tenant(who.account_id) as session:
        secret = await roll_secret(session, world, await source_in(session, who), actor_id=who.user_id)
    return await sources_page(request, world, who, secret=secret)


@router.post("/sources/test", dependencies=MANAGED)
async def send_test_event(who: Who, session: Tenant, world: CurrentWorld) -> Response:
    """Send a test event to the address."""
    await send_test(session, world, await source_in(session, who))
    return see_other("/sources#deliveries")


@router.post("/sources/compute", dependencies=MAY_CONNECT)
async def compute(who: Who, world: CurrentWorld) -> Response:
    """Compute the risk band and the projection from everything that is in."""
    async with world.database.tenant(who.account_id) as session:
        source = await source_in(session, who)
    await apply_waiting(world, account_id=who.account_id, connection_id=source.id)
    async with world.database.tenant(who.account_id) as session:
        workspace = await activation.get_workspace(session, account_id=who.account_id, lock=True)
        source = await source_in(session, who)
        await compute_from_stored(session, workspace, source, now=world.clock.now(), actor_id=who.user_id)
    return see_other("/activate/arming")


@router.post("/sources/stop", dependencies=TAKEN_AWAY)
async def stop(who: Who, world: CurrentWorld) -> Response:
    """Take no more events; what came in stays."""
    async with world.database.tenant(who.account_id) as session:
        source = await source_in(session, who)
    await end_connection(world, source, Cause.DISCONNECTED, actor_id=who.user_id)
    return see_other("/connection")


async def source_in(session: AsyncSession, who: SignedIn) -> Connection:
    """The caller's processor that posts to us. Raises NotFound."""
    workspace = await activation.get_workspace(session, account_id=who.account_id)
    source = await current_source(session, account_id=who.account_id, workspace_id=workspace.id)
    if source is None:
        raise NotFound(
            _("No other processor is set up."), way_out=_("Go to Activate and choose “I use a different processor”.")
        )
    return source


async def sources_page(
    request: Request,
    world: World,
    who: SignedIn,
    *,
    secret: str = "",
    errors: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    """The page, with a new `secret` where there is one to be shown this once."""
    async with world.database.tenant(who.account_id) as session:
        workspace = await activation.get_workspace(session, account_id=who.account_id)
        subscription = await live_subscription(session, account_id=who.account_id)
        source = await current_source(session, account_id=who.account_id, workspace_id=workspace.id)
        context = {} if source is None else await _source_context(session, world, source)
    return render(
        request,
        "sources.html",
        status,
        source=source,
        secret=secret,
        stood_on=source is not None and workspace.connection_id == source.id,
        beside=workspace.activation_state != ActivationState.PAID_UNCONNECTED
        and (source is None or workspace.connection_id != source.id),
        may_change=who.role in ("owner", "admin"),
        known_processors=KNOWN_PROCESSORS,
        schema_path=SCHEMA_PATH,
        errors=errors or {},
        form=form or {},
        **context,
        **product_context(world, workspace, subscription),
    )


async def _source_context(session: AsyncSession, world: World, source: Connection) -> dict[str, object]:
    until = source.hook_secret_until
    return {
        "url": source_url(world, source),
        "old_secret_until": until if until is not None and world.clock.now() < until else None,
        "payments": await payments_stored(session, source),
        "needed": MINIMUM_PAYMENTS,
        "deliveries": await recent_deliveries(session, source),
        "imports": await recent_imports(session, source),
        "freshness": await freshness_line(session, world, source),
    }
