"""The processor connection: what it reads, how events come in, what it holds, and how to end it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation import service as activation
from payflux.activation.ending import end_connection
from payflux.activation.models import Workspace
from payflux.activation.problems import Problem, problem_of
from payflux.activation.states import Cause
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.billing.models import Subscription
from payflux.kit.errors import InvalidInput, NotFound, UserError
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.monitor.processors.backfill.queries import backfill_progress
from payflux.monitor.processors.codes import Kind
from payflux.monitor.processors.connecting.ending import (
    disconnected_by_processor,
    ends_connection,
)
from payflux.monitor.processors.connecting.endpoint import enqueue_endpoint
from payflux.monitor.processors.connecting.event_types import EVENT_TYPES
from payflux.monitor.processors.connecting.hosts import set_host
from payflux.monitor.processors.connecting.probing import look
from payflux.monitor.processors.connecting.signing import (
    add_signing_secret,
    endpoint_url,
    reach_of,
    reachable,
    remove_signing_secret,
    secret_ending,
    signing_secrets,
)
from payflux.monitor.processors.connecting.storing import latest_connection, look_again
from payflux.monitor.processors.credentials import auth_of
from payflux.monitor.processors.live.queries import latest_events
from payflux.monitor.processors.models import Connection, ConnectionMethod, ConnectionStatus
from payflux.monitor.processors.permissions import CAPABILITIES, key_creation_url
from payflux.monitor.processors.queries import count_events, get_connection, last_pulled_at, reads_declines
from payflux.monitor.scan.queries import scanned_host
from payflux.web.books import books_lines
from payflux.web.freshness import freshness_line
from payflux.web.guards import CurrentSubscription, CurrentWorld, Tenant, Who
from payflux.web.policies import guard
from payflux.web.product import product_context
from payflux.web.rendering import render, see_other
from payflux.world.bootstrap import World
from payflux.world.stripe import StripeFailure

router = APIRouter()

MANAGED = [guard(capability="connection.manage", feature="processor_connection")]
TAKEN_AWAY = [guard(capability="connection.manage")]

_KINDS = {
    Kind.CHARGE: mark("Charges"),
    Kind.REFUND: mark("Refunds"),
    Kind.DISPUTE: mark("Disputes"),
    Kind.EARLY_FRAUD_WARNING: mark("Early fraud warnings"),
    Kind.REVIEW: mark("Reviews"),
    Kind.PAYOUT: mark("Payouts"),
    Kind.RESERVE_HOLD: mark("Reserve holds"),
    Kind.RESERVE_RELEASE: mark("Reserve releases"),
    Kind.ACCOUNT_CHANGE: mark("Changes of the account"),
}


@router.get("/connection", dependencies=[guard(capability="monitor.read")])
async def connection_page(
    request: Request, who: Who, session: Tenant, world: CurrentWorld, subscription: CurrentSubscription
) -> Response:
    """What is connected, what it may read, how its events come in, and how many it has brought."""
    stored = await _shown(session, await activation.get_workspace(session, account_id=who.account_id))
    if stored is not None and posts_to_us(stored):
        return see_other("/sources")
    return await show_connection(request, session, world, who, subscription)


@router.post("/connection/check", dependencies=MANAGED)
async def check(request: Request, who: Who, world: CurrentWorld, subscription: CurrentSubscription) -> Response:
    """Ask Stripe anew what the connection may do."""
    async with world.database.tenant(who.account_id) as session:
        if (await activation.get_workspace(session, account_id=who.account_id)).connection_id is None:
            return see_other("/connection")  # it ended while the page was open, and the page says why
        connection = await _current(session, who)
    try:
        state, capabilities = await look(world, await auth_of(world, connection))
    except (StripeFailure, UserError) as failure:
        async with world.database.tenant(who.account_id) as session:
            if ends_connection(connection, failure):
                await disconnected_by_processor(session, world, connection)
            return await show_connection(
                request, session, world, who, subscription, problem=problem_of(failure), status=422
            )
    async with world.database.tenant(who.account_id) as session:
        connection = await _current(session, who)
        await look_again(session, connection, state, capabilities)
        await enqueue_endpoint(session, world, connection)
    return see_other("/connection#reads")


@router.post("/connection/host", dependencies=MANAGED)
async def host(
    request: Request,
    who: Who,
    session: Tenant,
    world: CurrentWorld,
    subscription: CurrentSubscription,
    host: Annotated[str, Form()] = "",
) -> Response:
    """Name the website that the account sells on."""
    connection = await _current(session, who)
    try:
        await set_host(session, connection, host, now=world.clock.now(), actor_id=who.user_id)
    except InvalidInput as wrong:
        return await show_connection(
            request, session, world, who, subscription, errors=wrong.fields, form={"host": host}, status=422
        )
    return see_other("/connection")


@router.post("/connection/secrets", dependencies=MANAGED)
async def add_secret(
    request: Request,
    who: Who,
    session: Tenant,
    world: CurrentWorld,
    subscription: CurrentSubscription,
    secret: Annotated[str, Form()] = "",
) -> Response:
    """Accept deliveries signed with a secret that the merchant pasted."""
    connection = await _current(session, who)
    try:
        await add_signing_secret(
            session, world, connection, secret.strip(), now=world.clock.now(), actor_id=who.user_id
        )
    except InvalidInput as wrong:
        return await show_connection(request, session, world, who, subscription, errors=wrong.fields, status=422)
    return see_other("/connection#events-in")


@router.post("/connection/secrets/remove", dependencies=TAKEN_AWAY)
async def remove_secret(
    who: Who, session: Tenant, world: CurrentWorld, ending: Annotated[str, Form()] = ""
) -> Response:
    """Accept no more deliveries signed with one of them."""
    connection = await _current(session, who)
    await remove_signing_secret(session, world, connection, ending, now=world.clock.now(), actor_id=who.user_id)
    return see_other("/connection#events-in")


@router.post("/connection/disconnect", dependencies=TAKEN_AWAY)
async def disconnect_processor(who: Who, world: CurrentWorld) -> Response:
    """Stop reading the processor; what was read stays."""
    async with world.database.tenant(who.account_id) as session:
        connection = await _shown(session, await activation.get_workspace(session, account_id=who.account_id))
    if connection is not None and connection.status != ConnectionStatus.DISCONNECTED:
        await end_connection(world, connection, Cause.DISCONNECTED, actor_id=who.user_id)
    return see_other("/connection")


async def _current(session: AsyncSession, who: SignedIn) -> Connection:
    """The connection that the workspace stands on. Raises NotFound."""
    workspace = await activation.get_workspace(session, account_id=who.account_id)
    if workspace.connection_id is None:
        raise NotFound(_("No processor is connected."), way_out=_("Connect Stripe first."))
    return await get_connection(session, account_id=who.account_id, connection_id=workspace.connection_id)


async def show_connection(
    request: Request,
    session: AsyncSession,
    world: World,
    who: SignedIn,
    subscription: Subscription | None,
    *,
    problem: Problem | None = None,
    errors: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    """The connection's page; after a form was refused with what is wrong with it."""
    workspace = await activation.get_workspace(session, account_id=who.account_id)
    stored = await _shown(session, workspace)
    context = {} if stored is None else await _connection_context(session, world, stored)
    return render(
        request,
        "connection.html",
        status,
        connection=stored,
        ended=stored is not None and stored.status == ConnectionStatus.DISCONNECTED,
        may_change=who.role in ("owner", "admin"),
        problem=problem or workspace.problem,
        errors=errors or {},
        form=form or {},
        **context,
        **product_context(world, workspace, subscription),
    )


def posts_to_us(connection: Connection) -> bool:
    """Whether another processor than Stripe is connected, which has a page of its own."""
    return connection.method == ConnectionMethod.WEBHOOK and connection.status != ConnectionStatus.DISCONNECTED


async def reads_stripe(session: AsyncSession, workspace: Workspace) -> bool:
    """Whether the workspace stands on a connection to Stripe."""
    if workspace.connection_id is None:
        return False
    return not posts_to_us(
        await get_connection(session, account_id=workspace.account_id, connection_id=workspace.connection_id)
    )


async def _shown(session: AsyncSession, workspace: Workspace) -> Connection | None:
    """The connection, or the last one that there was."""
    if workspace.connection_id is None:
        return await latest_connection(session, account_id=workspace.account_id, workspace_id=workspace.id)
    return await get_connection(session, account_id=workspace.account_id, connection_id=workspace.connection_id)


async def _connection_context(session: AsyncSession, world: World, stored: Connection) -> dict[str, object]:
    counts = await count_events(session, account_id=stored.account_id, connection_id=stored.id)
    known = ((capability, stored.capabilities.get(name)) for name, capability in CAPABILITIES.items())
    return {
        "suggested_host": await scanned_host(session, account_id=stored.account_id),
        "last_pulled_at": await last_pulled_at(session, account_id=stored.account_id, connection_id=stored.id),
        "capabilities": [(capability, state) for capability, state in known if state],
        "event_counts": [(_(label), counts[kind]) for kind, label in _KINDS.items() if counts.get(kind)],
        "freshness": await freshness_line(session, world, stored),
        "books": await books_lines(session, world, stored),
        "older": await backfill_progress(session, account_id=stored.account_id, connection_id=stored.id),
        "latest_events": await latest_events(session, stored),
        "reads_declines": reads_declines(stored),
        "reach": reach_of(world.settings, stored),
        "reachable": reachable(world.settings),
        "endpoint_url": endpoint_url(world, stored),
        "event_types": EVENT_TYPES,
        "secret_endings": [secret_ending(secret) for secret in signing_secrets(world, stored)],
        "key_creation_url": key_creation_url(),
    }
