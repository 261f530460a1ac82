"""Connect a processor: the page, the trips to Stripe's OAuth pages, and the restricted key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Annotated, NamedTuple, Protocol

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation import service as activation
from payflux.activation.allowances import PROCESSORS, require_within_limit
from payflux.activation.beside import refuse_beside_source
from payflux.activation.problems import Problem, declined_problem, problem_of
from payflux.activation.routing import Page, elsewhere
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.billing.queries import live_subscription
from payflux.kit.errors import InvalidInput, PaymentRequired, UserError
from payflux.monitor.processors.connecting.endpoint import enqueue_endpoint
from payflux.monitor.processors.connecting.keys import authorize_with_key
from payflux.monitor.processors.connecting.oauth import authorize_app_with_code, authorize_with_code
from payflux.monitor.processors.connecting.probing import Authorized
from payflux.monitor.processors.connecting.storing import store_connection
from payflux.monitor.processors.models import ConnectionMethod
from payflux.monitor.processors.permissions import KEY_PERMISSIONS, key_creation_url
from payflux.web.guards import (
    CurrentWorld,
    Tenant,
    Who,
)
from payflux.web.pages.connection import reads_stripe, show_connection
from payflux.web.policies import guard
from payflux.web.rendering import render, see_other
from payflux.world.bootstrap import World
from payflux.world.stripe import AppOAuth, ConnectOAuth, StripeFailure

router = APIRouter()

MAY_CONNECT = [guard(capability="connection.manage", feature="processor_connection")]


@router.get("/activate", dependencies=[guard(capability="monitor.read", feature="processor_connection")])
async def activate(request: Request, who: Who, session: Tenant, world: CurrentWorld) -> Response:
    """The one thing to do before a workspace is live: connect the processor."""
    workspace = await activation.get_workspace(session, account_id=who.account_id)
    if to := elsewhere(Page.ACTIVATE, workspace, world.clock.now()):
        return see_other(to)
    return await _activate_page(request, session, who, problem=workspace.problem)


@router.post("/api/stripe/authorize", dependencies=MAY_CONNECT)
async def authorize(who: Who, session: Tenant, world: CurrentWorld) -> Response:
    """Send the merchant to Stripe Connect's page, with a state that is good once and for this browser."""
    state = await _begin(who, session, world, ConnectionMethod.CONNECT_OAUTH)
    address = ConnectOAuth(world.settings, world.http).authorize_url(redirect_uri=_callback(world, ""), state=state)
    return see_other(address)


@router.post("/api/stripe/app/authorize", dependencies=MAY_CONNECT)
async def authorize_app(who: Who, session: Tenant, world: CurrentWorld) -> Response:
    """Send the merchant to the page on which Stripe installs our app, likewise."""
    state = await _begin(who, session, world, ConnectionMethod.STRIPE_APP)
    address = AppOAuth(world.settings, world.http).authorize_url(redirect_uri=_callback(world, "app/"), state=state)
    return see_other(address)


@router.get("/api/stripe/callback", dependencies=MAY_CONNECT)
async def callback(
    request: Request, who: Who, world: CurrentWorld, state: str = "", code: str = "", error: str = ""
) -> Response:
    """Stripe brings the merchant back: exchange the code once, store the connection, start the pipeline."""
    answer = _Answer(ConnectionMethod.CONNECT_OAUTH, state, code, error)
    return await _come_back(request, who, world, answer, authorize_with_code)


@router.get("/api/stripe/app/callback", dependencies=MAY_CONNECT)
async def app_callback(
    request: Request, who: Who, world: CurrentWorld, state: str = "", code: str = "", error: str = ""
) -> Response:
    """The same from the page that installs our app."""
    answer = _Answer(ConnectionMethod.STRIPE_APP, state, code, error)
    return await _come_back(request, who, world, answer, authorize_app_with_code)


@router.post("/api/stripe/key", dependencies=MAY_CONNECT)
async def connect_key(request: Request, who: Who, world: CurrentWorld, key: Annotated[str, Form()] = "") -> Response:
    """Connect with a restricted key that the merchant pasted."""
    return await _connect(request, who, world, partial(authorize_with_key, world, key=key.strip()))


class _Answer(NamedTuple):
    """What Stripe's page sent the merchant back with."""

    method: ConnectionMethod
    state: str
    code: str
    error: str


class _Exchange(Protocol):
    def __call__(self, world: World, *, code: str) -> Awaitable[Authorized]: ...


async def _begin(who: SignedIn, session: AsyncSession, world: World, method: ConnectionMethod) -> str:
    workspace = await activation.get_workspace(session, account_id=who.account_id)
    await refuse_beside_source(session, workspace)
    return await activation.begin_connect_attempt(
        session, world.tokens, workspace=workspace, session_id=who.session_id, method=method, now=world.clock.now()
    )


async def _come_back(request: Request, who: SignedIn, world: World, answer: _Answer, exchange: _Exchange) -> Response:
    async with world.database.tenant(who.account_id) as session:
        first = await activation.use_connect_attempt(
            session,
            world.tokens,
            account_id=who.account_id,
            session_id=who.session_id,
            method=answer.method,
            state=answer.state,
            now=world.clock.now(),
        )
    if not first:
        return see_other("/activate/arming")
    if answer.error or not answer.code:
        if answer.error != "access_denied":
            world.metrics.oauth_callback_failures.labels("stripe").inc()
        async with world.database.tenant(who.account_id) as session:
            return await _activate_page(request, session, who, problem=declined_problem(answer.error))
    return await _connect(request, who, world, partial(_exchanged, exchange, world, answer.code))


async def _exchanged(exchange: _Exchange, world: World, code: str) -> Authorized:
    """What `code` is worth; one that Stripe does not take is counted."""
    try:
        return await exchange(world, code=code)
    except (StripeFailure, UserError):
        world.metrics.oauth_callback_failures.labels("stripe").inc()
        raise


async def _connect(
    request: Request, who: SignedIn, world: World, authorize: Callable[[], Awaitable[Authorized]]
) -> Response:
    """Store the connection that Stripe allows and start the pipeline, or say on the page why there is none."""
    try:
        async with world.database.tenant(who.account_id) as session:
            await refuse_beside_source(session, await activation.get_workspace(session, account_id=who.account_id))
        authorized = await authorize()
        async with world.database.tenant(who.account_id) as session:
            workspace = await activation.get_workspace(session, account_id=who.account_id, lock=True)
            connection = await store_connection(
                session, world, authorized, account_id=who.account_id, workspace_id=workspace.id
            )
            await require_within_limit(session, world, account_id=who.account_id, key=PROCESSORS, adding=0)
            await enqueue_endpoint(session, world, connection)
            await activation.begin_pipeline(session, workspace, connection, now=world.clock.now(), actor_id=who.user_id)
    except PaymentRequired:
        raise  # what the plan holds is no fault of the key
    except (StripeFailure, UserError) as failure:
        errors = failure.fields if isinstance(failure, InvalidInput) else {}
        problem = None if errors else problem_of(failure)
        async with world.database.tenant(who.account_id) as session:
            workspace = await activation.get_workspace(session, account_id=who.account_id)
            if not await reads_stripe(session, workspace):
                return await _activate_page(request, session, who, problem=problem, errors=errors, status=422)
            subscription = await live_subscription(session, account_id=who.account_id)
            return await show_connection(
                request, session, world, who, subscription, problem=problem, errors=errors, status=422
            )
    return see_other("/activate/arming")


async def _activate_page(
    request: Request,
    session: AsyncSession,
    who: SignedIn,
    *,
    problem: Problem | None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    world: World = request.app.state.world
    workspace = await activation.get_workspace(session, account_id=who.account_id)
    subscription = await live_subscription(session, account_id=who.account_id)
    return render(
        request,
        "activate.html",
        status,
        entitled_at=workspace.entitled_at,
        in_trial=subscription is not None and subscription.status == "trialing",
        problem=problem,
        oauth_available=bool(world.settings.stripe_client_id and world.settings.stripe_secret_key.get_secret_value()),
        app_available=world.settings.stripe_app_offered,
        key_permissions=KEY_PERMISSIONS,
        key_creation_url=key_creation_url(),
        form={},
        errors=errors or {},
    )


def _callback(world: World, part: str) -> str:
    return f"{world.settings.url}/api/stripe/{part}callback"
