"""Connect a processor and watch the workspace come alive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from payflux.activation import service as activation
from payflux.activation.models import Workspace
from payflux.activation.problems import Problem, problem_of
from payflux.activation.progress import Progress
from payflux.activation.queries import activation_progress
from payflux.activation.states import HOME, ActivationState, Cause
from payflux.frontdoor.accounts.service import SignedIn
from payflux.kit.errors import InvalidInput, UserError
from payflux.monitor.processors import connect as processors
from payflux.monitor.processors.permissions import KEY_PERMISSIONS, key_creation_url
from payflux.web.guards import (
    CurrentSubscription,
    CurrentWorld,
    Tenant,
    Who,
    get_world,
    require_entitled,
    require_manager,
    signed_in,
)
from payflux.web.rendering import render
from payflux.world.bootstrap import World
from payflux.world.stripe import StripeFailure, StripeGateway

router = APIRouter(dependencies=[Depends(signed_in)])

MAY_CONNECT = [Depends(require_entitled, scope="function"), Depends(require_manager)]

PROGRESS_INTERVAL = 0.3  # seconds between looks at the database while somebody watches


def _see(path: str) -> RedirectResponse:
    return RedirectResponse(path, status_code=HTTPStatus.SEE_OTHER)


@router.get("/activate")
async def activate(request: Request, who: Who, session: Tenant, subscription: CurrentSubscription) -> Response:
    """The one thing to do before a workspace is live: connect the processor."""
    workspace = await activation.get_workspace(session, account_id=who.account_id)
    if workspace.activation_state != ActivationState.PAID_UNCONNECTED:
        return _see(HOME[ActivationState(workspace.activation_state)])
    in_trial = subscription is not None and subscription.status == "trialing"
    return _activate_page(request, workspace, in_trial=in_trial, problem=workspace.problem)


@router.post("/api/stripe/authorize", dependencies=MAY_CONNECT)
async def authorize(who: Who, session: Tenant, world: CurrentWorld) -> Response:
    """Send the merchant to Stripe's page, with a state that is good once and for this browser."""
    workspace = await activation.get_workspace(session, account_id=who.account_id)
    state = await activation.begin_connect_attempt(
        session, world.tokens, workspace=workspace, session_id=who.session_id, now=world.clock.now()
    )
    return _see(StripeGateway(world.settings, world.http).authorize_url(redirect_uri=_callback(world), state=state))


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
        workspace = await activation.get_workspace(session, account_id=who.account_id)
    if not first:
        return _see("/activate/arming")
    if error or not code:
        declined = {
            "title": "Stripe is not connected.",
            "what_happened": "You declined on Stripe's page, or Stripe stopped the connection.",
            "what_is_safe": "PayFlux read nothing and has no access.",
            "what_to_do": "Press Connect Stripe whenever you are ready.",
        }
        return _activate_page(request, workspace, in_trial=True, problem=declined)
    return await _connected(request, world, who, workspace, processors.authorize_with_code(world, code=code))


@router.post("/api/stripe/key", dependencies=MAY_CONNECT)
async def connect_key(request: Request, who: Who, world: CurrentWorld, key: Annotated[str, Form()] = "") -> Response:
    """Connect with a restricted key that the merchant pasted."""
    async with world.database.tenant(who.account_id) as session:
        workspace = await activation.get_workspace(session, account_id=who.account_id)
    return await _connected(request, world, who, workspace, processors.authorize_with_key(world, key=key.strip()))
