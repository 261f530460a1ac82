"""Watch the workspace come alive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from payflux.activation import service as activation
from payflux.activation.ending import end_connection
from payflux.activation.pipeline import retry_pipeline
from payflux.activation.progress import Progress
from payflux.activation.queries import activation_progress
from payflux.activation.states import ActivationState, Cause
from payflux.monitor.processors.models import ConnectionMethod
from payflux.monitor.processors.queries import get_connection
from payflux.web.guards import (
    CurrentWorld,
    Tenant,
    Who,
)
from payflux.web.pages.connecting import MAY_CONNECT
from payflux.web.policies import guard
from payflux.web.rendering import render, see_other

router = APIRouter()

WATCHING = [guard(capability="monitor.read")]

PROGRESS_INTERVAL = 0.3  # seconds between looks at the database while somebody watches
STREAM_LOOKS = 200  # then the browser asks again, and proves again who it is


@router.get("/activate/arming", dependencies=[guard(capability="monitor.read", feature="processor_connection")])
async def arming(request: Request, who: Who, session: Tenant, world: CurrentWorld) -> Response:
    """The pipeline at work, in four stages."""
    progress = await activation_progress(session, account_id=who.account_id, now=world.clock.now())
    if progress.state == ActivationState.PAID_UNCONNECTED:
        return see_other("/activate")
    return render(
        request,
        "arming.html",
        stages=progress.stages,
        done=progress.done,
        slow=progress.slow,
        live=progress.done,
        problem=progress.problem,
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
async def retry(who: Who, session: Tenant) -> Response:
    """Try the step that failed once more."""
    workspace = await activation.get_workspace(session, account_id=who.account_id, lock=True)
    if workspace.problem and workspace.pull_id:
        await retry_pipeline(session, workspace)
    return see_other("/start")


@router.post("/activate/cancel", dependencies=[guard(capability="connection.manage")])
async def cancel(who: Who, world: CurrentWorld) -> Response:
    """Stop the activation, end the connection that it began with, and go back to connecting. A processor that posts to
    us goes on posting."""
    async with world.database.tenant(who.account_id) as session:
        workspace = await activation.get_workspace(session, account_id=who.account_id, lock=True)
        if workspace.connection_id is None or workspace.activation_state == ActivationState.LIVE_MONITORED:
            return see_other("/activate")
        connection = await get_connection(session, account_id=who.account_id, connection_id=workspace.connection_id)
        if connection.method == ConnectionMethod.WEBHOOK:
            await activation.leave_connection(
                session, workspace, Cause.CANCELED, now=world.clock.now(), actor_id=who.user_id
            )
            return see_other("/activate")
    await end_connection(world, connection, Cause.CANCELED, actor_id=who.user_id)
    return see_other("/activate")
