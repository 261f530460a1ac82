"""Keeping activations going: what failed is tried again, what was waited for is looked at, and support is told of what
stays broken."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.models import Workspace
from payflux.activation.obstacles import SUPPORT_AFTER, Obstacle, is_obstacle
from payflux.activation.pipeline import enqueue_next_step, obstacle_here, wait
from payflux.activation.problems import told_problem
from payflux.activation.sending import mail_support
from payflux.activation.service import begin_again, forget_problem, get_workspace
from payflux.kit.errors import Conflict, UserError
from payflux.kit.pools import served_by
from payflux.monitor.processors.connecting.ending import disconnected_by_processor, ends_connection
from payflux.monitor.processors.connecting.probing import look
from payflux.monitor.processors.connecting.storing import look_again
from payflux.monitor.processors.credentials import auth_of
from payflux.monitor.processors.models import Connection, ConnectionStatus
from payflux.monitor.processors.queries import get_connection
from payflux.world.bootstrap import World
from payflux.world.stripe import StripeFailure

STALLED_AFTER = timedelta(minutes=5)
"""After so long without a problem a job is taken to be lost; one that is there is not added twice."""

log = structlog.get_logger(__name__)


async def keep_activations_going(world: World) -> None:
    """Every minute: whatever is on its way to live and due. One that fails stops no other."""
    now = world.clock.now()
    due = or_(
        Workspace.retry_at <= now,
        and_(
            Workspace.failing_since <= now - SUPPORT_AFTER,
            Workspace.retry_at.is_not(None),
            Workspace.support_told_at.is_(None),
        ),
        and_(Workspace.problem.is_(None), Workspace.connected_at <= now - STALLED_AFTER),
    )
    under_way = (Workspace.pull_id.is_not(None), Workspace.live_monitored_at.is_(None))
    async with world.database.system() as session:
        ours = await served_by(session, world.settings.worker_pool)
        found = (await session.execute(select(Workspace.account_id).where(*under_way, due))).scalars().all()
    for account_id in filter(ours, found):
        try:
            await go_on(world, account_id)
        except Exception:
            log.exception("activation not kept going", account_id=str(account_id))


async def go_on(world: World, account_id: UUID, *, at_once: bool = False) -> None:
    """Do what is due for a workspace on its way to live; with `at_once`, as if its next attempt were due."""
    async with world.database.tenant(account_id) as session:
        workspace = await get_workspace(session, account_id=account_id, lock=True)
        now = world.clock.now()
        if workspace.pull_id is None or workspace.connection_id is None or workspace.live_monitored_at is not None:
            return
        await _tell_support(session, world, workspace, now)
        if not at_once and workspace.retry_at is not None and workspace.retry_at > now:
            return
        if not is_obstacle(workspace.problem):
            if at_once:
                workspace.problem = workspace.retry_at = None
            elif workspace.problem is not None:
                workspace.retry_at = now + STALLED_AFTER  # its next failure sets another; this is for a lost job
            await enqueue_next_step(session, workspace)
            return
        asks = workspace.problem is not None and workspace.problem["code"] == Obstacle.NOT_READY
        connection = await get_connection(session, account_id=account_id, connection_id=workspace.connection_id)
    await _look_at(world, connection, workspace.pull_id, asks_stripe=asks)


class NothingToRelease(Conflict):
    code = "nothing_to_release"


async def release(session: AsyncSession, *, account_id: UUID) -> None:
    """Let a workspace that waits for what is nobody's failure go live with what there is. Raises NothingToRelease."""
    workspace = await get_workspace(session, account_id=account_id, lock=True)
    if not is_obstacle(workspace.problem):
        raise NothingToRelease(
            "This workspace does not wait for anything.", way_out="Run it again, or look at its account."
        )
    forget_problem(workspace)
    await enqueue_next_step(session, workspace)


async def _tell_support(session: AsyncSession, world: World, workspace: Workspace, now: datetime) -> None:
    failing = workspace.failing_since
    if failing is None or workspace.retry_at is None or workspace.problem is None:
        return
    if now - failing < SUPPORT_AFTER or workspace.support_told_at is not None:
        return
    log.error("activation keeps failing", workspace_id=str(workspace.id), since=failing.isoformat())
    if await mail_support(session, world, workspace, now=now):
        workspace.support_told_at = now
        workspace.problem = told_problem(workspace.problem)


async def _look_at(world: World, connection: Connection, pull_id: UUID, *, asks_stripe: bool) -> None:
    """Whether what a scored workspace waits for has come. Payments come in by themselves; of an account that was not
    ready, what Stripe says now is asked for."""
    asked = None
    if asks_stripe and connection.status != ConnectionStatus.DISCONNECTED:
        try:
            asked = await look(world, await auth_of(world, connection))
        except (StripeFailure, UserError) as failure:
            if ends_connection(connection, failure):
                async with world.database.tenant(connection.account_id) as session:
                    await disconnected_by_processor(session, world, connection)
            log.warning("account not looked at again", connection_id=str(connection.id), failure=type(failure).__name__)
    async with world.database.tenant(connection.account_id) as session:
        workspace = await get_workspace(session, account_id=connection.account_id, lock=True)
        stored = await get_connection(session, account_id=connection.account_id, connection_id=connection.id)
        if workspace.pull_id != pull_id or stored.status == ConnectionStatus.DISCONNECTED:
            return
        if asked is not None:
            await look_again(session, stored, *asked)
        now = world.clock.now()
        obstacle = await obstacle_here(session, stored, now)
        if obstacle is None:
            await begin_again(session, workspace, stored, now=now)
        else:
            wait(workspace, obstacle, now=now)
