"""Watch the workspace come alive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Annotated

import msgspec
from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation import service as activation
from payflux.activation.ending import end_connection
from payflux.activation.keeping import go_on
from payflux.activation.progress import Progress
from payflux.activation.queries import activation_progress
from payflux.activation.routing import Page, elsewhere
from payflux.activation.states import LIVE, ActivationState, Cause
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team.capabilities import may
from payflux.kit.errors import InvalidInput
from payflux.monitor.processors.connecting.hosts import set_host
from payflux.monitor.processors.models import ConnectionMethod
from payflux.monitor.processors.queries import get_connection
from payflux.monitor.scan.queries import scanned_host
from payflux.web.guards import (
    CurrentWorld,
    Tenant,
    Who,
)
from payflux.web.pages.connecting import MAY_CONNECT
from payflux.web.policies import guard
from payflux.web.rendering import render, see_other
from payflux.world.bootstrap import World

router = APIRouter()

WATCHING = [guard(capability="monitor.read")]

PROGRESS_INTERVAL = 0.3  # seconds between looks at the database while somebody watches
STREAM_LOOKS = 200  # then the browser asks again, and proves again who it is


@router.get("/activate/arming", dependencies=[guard(capability="monitor.read", feature="processor_connection")])
async def arming(request: Request, who: Who, session: Tenant, world: CurrentWorld) -> Response:
    """The pipeline at work, in four stages."""
    return await _arming_page(request, session, who, world)


async def _arming_page(
    request: Request,
    session: AsyncSession,
    who: SignedIn,
    world: World,
    *,
    errors: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    now = world.clock.now()
    workspace = await activation.get_workspace(session, account_id=who.account_id)
    if to := elsewhere(Page.ARMING, workspace, now):
        return see_other(to)
    assert workspace.connection_id is not None, "unconnected workspaces are led elsewhere"
    connection = await get_connection(session, account_id=who.account_id, connection_id=workspace.connection_id)
    progress = await activation_progress(session, account_id=who.account_id, now=now)
    return render(
        request,
        "arming.html",
        status,
        stages=progress.stages,
        done=progress.done,
        slow=progress.slow,
        live=progress.done,
        problem=progress.problem,
        waiting=progress.waiting,
        again=progress.again,
        dashboard=progress.dashboard,
        ask_host=connection.method != ConnectionMethod.WEBHOOK and not connection.host,
        may_change=may(who.role, "connection.manage"),
        errors=errors or {},
        form=form or {},
        suggested_host=await scanned_host(session, account_id=who.account_id),
    )


@router.get("/activate/arming/state", dependencies=WATCHING)
async def arming_state(who: Who, session: Tenant, world: CurrentWorld) -> Response:
    """The same as JSON, for a browser that cannot hold an event stream open."""
    progress = await activation_progress(session, account_id=who.account_id, now=world.clock.now())
    return Response(msgspec.json.encode(progress), media_type="application/json")


@router.get("/activate/arming/events", dependencies=WATCHING, response_class=EventSourceResponse)
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
async def retry(who: Who, world: CurrentWorld) -> Response:
    """Try the step that failed once more, or look again at what is waited for."""
    await go_on(world, who.account_id, at_once=True)
    return see_other("/start")


@router.post("/activate/host", dependencies=MAY_CONNECT)
async def name_host(
    request: Request, who: Who, session: Tenant, world: CurrentWorld, host: Annotated[str, Form()] = ""
) -> Response:
    """Name the website that the account sells on, where Stripe does not say it."""
    workspace = await activation.get_workspace(session, account_id=who.account_id)
    if workspace.connection_id is None:
        return see_other(Page.ACTIVATE)
    connection = await get_connection(session, account_id=who.account_id, connection_id=workspace.connection_id)
    try:
        await set_host(session, connection, host, now=world.clock.now(), actor_id=who.user_id)
    except InvalidInput as wrong:
        return await _arming_page(
            request, session, who, world, errors=wrong.fields, form={"host": host}, status=wrong.status
        )
    return see_other("/start")


@router.post("/activate/cancel", dependencies=[guard(capability="connection.manage")])
async def cancel(who: Who, world: CurrentWorld) -> Response:
    """Stop the activation, end the connection that it began with, and go back to connecting. A processor that posts to
    us goes on posting."""
    async with world.database.tenant(who.account_id) as session:
        workspace = await activation.get_workspace(session, account_id=who.account_id, lock=True)
        if workspace.connection_id is None or workspace.activation_state in LIVE:
            return see_other("/activate")
        connection = await get_connection(session, account_id=who.account_id, connection_id=workspace.connection_id)
        if connection.method == ConnectionMethod.WEBHOOK:
            await activation.leave_connection(
                session, workspace, Cause.CANCELED, now=world.clock.now(), actor_id=who.user_id
            )
            return see_other("/activate")
    await end_connection(world, connection, Cause.CANCELED, actor_id=who.user_id)
    return see_other("/activate")
