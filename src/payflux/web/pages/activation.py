"""Connect a processor and watch the workspace come alive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation import service as activation
from payflux.activation.pipeline import retry_pipeline
from payflux.activation.problems import Problem, problem_of
from payflux.activation.progress import Progress
from payflux.activation.queries import activation_progress
from payflux.activation.states import HOME, ActivationState, Cause
from payflux.frontdoor.accounts.service import SignedIn
from payflux.frontdoor.billing.service import live_subscription
from payflux.kit.errors import InvalidInput, UserError
from payflux.monitor.processors.connecting.keys import authorize_with_key
from payflux.monitor.processors.connecting.oauth import authorize_with_code
from payflux.monitor.processors.connecting.probing import Authorized
from payflux.monitor.processors.connecting.storing import store_connection
from payflux.monitor.processors.permissions import KEY_PERMISSIONS, key_creation_url
from payflux.web.guards import (
    CurrentWorld,
    Tenant,
    Who,
    require_entitled,
    require_manager,
    signed_in,
)
from payflux.web.rendering import render
from payflux.world.bootstrap import World
from payflux.world.stripe import ConnectOAuth, StripeFailure

router = APIRouter(dependencies=[Depends(signed_in)])

MAY_CONNECT = [Depends(require_entitled, scope="function"), Depends(require_manager)]

PROGRESS_INTERVAL = 0.3  # seconds between looks at the database while somebody watches
STREAM_LOOKS = 200  # then the browser asks again, and proves again who it is


@router.get("/activate")
async def activate(request: Request, who: Who, session: Tenant) -> Response:
    """The one thing to do before a workspace is live: connect the processor."""
    workspace = await activation.get_workspace(session, account_id=who.account_id)
    if workspace.activation_state != ActivationState.PAID_UNCONNECTED:
        return _see(HOME[ActivationState(workspace.activation_state)])
    return await _activate_page(request, session, who, problem=workspace.problem)


@router.post("/api/stripe/authorize", dependencies=MAY_CONNECT)
async def authorize(who: Who, session: Tenant, world: CurrentWorld) -> Response:
    """Send the merchant to Stripe's page, with a state that is good once and for this browser."""
    workspace = await activation.get_workspace(session, account_id=who.account_id)
    state = await activation.begin_connect_attempt(
        session, world.tokens, workspace=workspace, session_id=who.session_id, now=world.clock.now()
    )
    return _see(ConnectOAuth(world.settings, world.http).authorize_url(redirect_uri=_callback(world), state=state))


@router.get("/api/stripe/callback", dependencies=MAY_CONNECT)
async def callback(
    request: Request, who: Who, world: CurrentWorld, state: str = "", code: str = "", error: str = ""
) -> Response:
    """Stripe brings the merchant back: exchange the code once, store the connection, start the pipeline."""
    now = world.clock.now()
    async with world.database.tenant(who.account_id) as session:
        first = await activation.use_connect_attempt(
            session, world.tokens, account_id=who.account_id, session_id=who.session_id, state=state, now=now
        )
    if not first:
        return _see("/activate/arming")
    if error or not code:
        declined = {
            "title": "Stripe is not connected.",
            "what_happened": "You declined on Stripe's page, or Stripe stopped the connection.",
            "what_is_safe": "PayFlux read nothing and has no access.",
            "what_to_do": "Press Connect Stripe whenever you are ready.",
        }
        async with world.database.tenant(who.account_id) as session:
            return await _activate_page(request, session, who, problem=declined)
    return await _connect(request, who, world, authorize_with_code(world, code=code))


@router.post("/api/stripe/key", dependencies=MAY_CONNECT)
async def connect_key(request: Request, who: Who, world: CurrentWorld, key: Annotated[str, Form()] = "") -> Response:
    """Connect with a restricted key that the merchant pasted."""
    return await _connect(request, who, world, authorize_with_key(world, key=key.strip()))


@router.get("/activate/arming")
async def arming(request: Request, who: Who, session: Tenant, world: CurrentWorld) -> Response:
    """The pipeline at work, in four stages."""
    progress = await activation_progress(session, account_id=who.account_id, now=world.clock.now())
    if progress.state == ActivationState.PAID_UNCONNECTED:
        return _see("/activate")
    return render(
        request,
        "arming.html",
        stages=progress.stages,
        done=progress.done,
        slow=progress.slow,
        live=progress.done,
        problem=progress.problem,
    )


@router.get("/activate/arming/state")
async def arming_state(who: Who, session: Tenant, world: CurrentWorld) -> Response:
    """The same as JSON, for a browser that cannot hold an event stream open."""
    progress = await activation_progress(session, account_id=who.account_id, now=world.clock.now())
    return Response(msgspec.json.encode(progress), media_type="application/json")


@router.get("/activate/arming/events", response_class=EventSourceResponse)
async def arming_events(request: Request, who: Who, world: CurrentWorld) -> AsyncIterator[ServerSentEvent]:
    """The same as server-sent events, one for each change, until the workspace is live or needs a person."""
    said: Progress | None = None
    for _ in range(STREAM_LOOKS):
        if await request.is_disconnected():
            return
        async with world.database.tenant(who.account_id) as session:
            progress = await activation_progress(session, account_id=who.account_id, now=world.clock.now())
        if progress != said:
            yield ServerSentEvent(event="progress", data=msgspec.to_builtins(progress))
            said = progress
        if progress.done or progress.problem or progress.state == ActivationState.PAID_UNCONNECTED:
            return
        await asyncio.sleep(PROGRESS_INTERVAL)


@router.post("/activate/retry", dependencies=MAY_CONNECT)
async def retry(who: Who, session: Tenant) -> Response:
    """Try the step that failed once more."""
    workspace = await activation.get_workspace(session, account_id=who.account_id, lock=True)
    if workspace.problem and workspace.pull_id:
        await retry_pipeline(session, workspace)
    return _see("/start")


@router.post("/activate/cancel", dependencies=[Depends(require_manager)])
async def cancel(who: Who, session: Tenant, world: CurrentWorld) -> Response:
    """Stop the activation and go back to connecting."""
    workspace = await activation.get_workspace(session, account_id=who.account_id, lock=True)
    if workspace.activation_state in (ActivationState.CONNECTED_GENERATING, ActivationState.BASELINE_READY):
        await activation.leave_connection(
            session, workspace, Cause.CANCELED, now=world.clock.now(), actor_id=who.user_id
        )
    return _see("/activate")


async def _connect(request: Request, who: SignedIn, world: World, authorizing: Awaitable[Authorized]) -> Response:
    """Store the connection that Stripe allows and start the pipeline, or say on the page why there is none."""
    try:
        authorized = await authorizing
        async with world.database.tenant(who.account_id) as session:
            workspace = await activation.get_workspace(session, account_id=who.account_id, lock=True)
            connection = await store_connection(
                session, world, authorized, account_id=who.account_id, workspace_id=workspace.id
            )
            await activation.begin_pipeline(session, workspace, connection, now=world.clock.now(), actor_id=who.user_id)
    except (StripeFailure, UserError) as failure:
        errors = failure.fields if isinstance(failure, InvalidInput) else {}
        problem = None if errors else problem_of(failure)
        async with world.database.tenant(who.account_id) as session:
            return await _activate_page(request, session, who, problem=problem, errors=errors, status=422)
    return _see("/activate/arming")


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
        key_permissions=KEY_PERMISSIONS,
        key_creation_url=key_creation_url(),
        form={},
        errors=errors or {},
    )


def _callback(world: World) -> str:
    return f"{world.settings.url}/api/stripe/callback"


def _see(path: str) -> RedirectResponse:
    return RedirectResponse(path, status_code=HTTPStatus.SEE_OTHER)
