"""The chain from connected to live. Each step stores its result and enqueues the next in one transaction, so that a
step that died half-way runs again and a step that was done is not done twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.advancing import advance_workspace
from payflux.activation.models import Workspace
from payflux.activation.obstacles import look_again_after, obstacle_of
from payflux.activation.problems import (
    Problem,
    arming_problem,
    problem_of,
    retried_problem,
    retry_helps,
    told_problem,
)
from payflux.activation.recording import record_baseline, record_first_projection
from payflux.activation.sending import mail_members_once
from payflux.activation.service import change_state, enqueue_step, forget_problem, get_workspace
from payflux.activation.states import LIVE, Cause
from payflux.frontdoor.funnel.events import FirstProjectionMade, LiveMonitoringStarted
from payflux.frontdoor.funnel.recording import record
from payflux.frontdoor.onboarding.milestones import record_milestone
from payflux.kit.errors import UserError
from payflux.kit.jobs import Payload, Permanent
from payflux.monitor.alerts.service import arm_default_rules
from payflux.monitor.processors.account_state import stored_state
from payflux.monitor.processors.backfill.queries import newest_backfill
from payflux.monitor.processors.backfill.service import start_backfill
from payflux.monitor.processors.generic.history import payments_stored
from payflux.monitor.processors.models import Connection, ConnectionMethod
from payflux.monitor.processors.news import ReadingReason, enqueue_reading
from payflux.monitor.processors.planning import FIRST_STRETCH
from payflux.monitor.processors.pull import run_pull
from payflux.monitor.processors.queries import get_connection, get_pull
from payflux.monitor.projections.service import project_workspace
from payflux.monitor.risk.queries import surface_of_pull
from payflux.monitor.risk.service import score_workspace
from payflux.world.bootstrap import World
from payflux.world.stripe import StripeFailure

log = structlog.get_logger(__name__)

Step = Callable[[World, Payload], Awaitable[None]]


async def pull_processor_events(world: World, payload: Payload) -> None:
    """Pull 90 days of history, and have what is older read in the background. Resumes where an earlier attempt
    stopped."""
    account_id, pull_id = UUID(payload["account_id"]), UUID(payload["pull_id"])
    async with world.database.tenant(account_id) as session:
        workspace = await get_workspace(session, account_id=account_id)
        if workspace.pull_id != pull_id or workspace.pulled_at is not None:
            return
    try:
        await run_pull(world, account_id, pull_id)
    except (StripeFailure, UserError) as failure:
        if retry_helps(failure):
            raise
        raise Permanent(str(failure)) from failure
    async with world.database.tenant(account_id) as session:
        workspace = await _current(session, payload)
        if workspace is None or workspace.pulled_at is not None:
            return
        now = world.clock.now()
        workspace.pulled_at = now
        forget_problem(workspace)
        pull = await get_pull(session, account_id=account_id, pull_id=pull_id)
        connection = await get_connection(session, account_id=account_id, connection_id=pull.connection_id)
        await start_backfill(session, connection, pull, now)
        await enqueue_step(session, "compute_baseline", workspace)


async def compute_baseline(world: World, payload: Payload) -> None:
    """Score the pulled history: the baseline risk surface."""
    async with world.database.tenant(UUID(payload["account_id"])) as session:
        workspace = await _current(session, payload)
        if workspace is None or workspace.baseline_generated_at is not None:
            return
        pull = await get_pull(session, account_id=workspace.account_id, pull_id=UUID(payload["pull_id"]))
        surface = await score_workspace(
            session, account_id=workspace.account_id, workspace_id=workspace.id, pull_id=pull.id
        )
        connection = await get_connection(session, account_id=workspace.account_id, connection_id=pull.connection_id)
        await record_baseline(world, session, workspace, connection, surface)
        now = world.clock.now()
        workspace.baseline_generated_at = now
        forget_problem(workspace)
        await change_state(session, workspace, Cause.BASELINE, now=now)
        await enqueue_step(session, "generate_first_projection", workspace)


async def generate_first_projection(world: World, payload: Payload) -> None:
    """Project the trapped capital at T+30, T+60 and T+90 from the baseline. Where the account is not ready or has too
    few payments to be watched, the workspace waits here, with what can be said."""
    async with world.database.tenant(UUID(payload["account_id"])) as session:
        workspace = await _current(session, payload)
        if workspace is None or workspace.first_projection_at is not None:
            return
        pull = await get_pull(session, account_id=workspace.account_id, pull_id=UUID(payload["pull_id"]))
        of_pull = {"account_id": workspace.account_id, "pull_id": pull.id}
        projection = await project_workspace(session, workspace_id=workspace.id, **of_pull)
        surface = await surface_of_pull(session, **of_pull)
        assert surface is not None, "it was projected from"
        await record_first_projection(world, session, workspace, surface, projection)
        now = world.clock.now()
        workspace.first_projection_at = now
        await record_milestone(session, account_id=workspace.account_id, milestone="first_projection", now=now)
        await record(session, FirstProjectionMade(), at=now, account_id=workspace.account_id)
        forget_problem(workspace)
        connection = await get_connection(session, account_id=workspace.account_id, connection_id=pull.connection_id)
        if obstacle := await obstacle_here(session, connection, pull.to_at):
            wait(workspace, obstacle, now=now)
        else:
            await enqueue_step(session, "arm_default_alerts", workspace)


async def arm_default_alerts(world: World, payload: Payload) -> None:
    """Arm the default alert rules; the workspace is live then."""
    async with world.database.tenant(UUID(payload["account_id"])) as session:
        workspace = await _current(session, payload)
        if workspace is None or workspace.activation_state in LIVE:
            return
        now = world.clock.now()
        await arm_default_rules(session, account_id=workspace.account_id, workspace_id=workspace.id, now=now)
        workspace.alert_policy_armed_at = workspace.live_monitored_at = now
        forget_problem(workspace)
        await change_state(session, workspace, Cause.ARMED, now=now)
        await record(session, LiveMonitoringStarted(), at=now, account_id=workspace.account_id)
        await advance_workspace(session, workspace, now=now, actor_id=None)
        await _read_older_history(session, workspace)
        await mail_members_once(
            session,
            "activated",
            f"activated {workspace.pull_id}",
            account_id=workspace.account_id,
            capability="monitor.read",
            now=now,
            pull_id=str(workspace.pull_id),
        )


async def _read_older_history(session: AsyncSession, workspace: Workspace) -> None:
    """Have a workspace that is live now read again where its older history came in before: what is not live is not
    read."""
    assert workspace.connection_id is not None, "what is live is connected"
    older = await newest_backfill(session, account_id=workspace.account_id, connection_id=workspace.connection_id)
    if older is not None and older.finished_at is not None:
        await enqueue_reading(
            session,
            account_id=workspace.account_id,
            workspace_id=workspace.id,
            reason=ReadingReason.HISTORY,
            urgent=True,
            delay=None,
        )


STEPS: dict[str, Step] = {
    step.__name__: step
    for step in (pull_processor_events, compute_baseline, generate_first_projection, arm_default_alerts)
}
"""The pipeline's jobs by name, in order."""


async def record_failure(world: World, step: str, payload: Payload, error: Exception) -> None:
    """A step has failed for good: say so on the workspace, in words, unless it has moved on. What may pass by itself is
    tried again later."""
    if step not in STEPS:
        return
    problem = arming_problem() if step == arm_default_alerts.__name__ else problem_of(error)
    async with world.database.tenant(UUID(payload["account_id"])) as session:
        workspace = await _current(session, payload)
        if workspace is None:
            return
        now = world.clock.now()
        if workspace.problem is not None and workspace.problem["code"] != problem["code"]:
            forget_problem(workspace)
        workspace.failures += 1
        workspace.failing_since = workspace.failing_since or now
        wait(workspace, problem, now=now)
        log.error("activation failing", workspace_id=str(workspace.id), step=step, failures=workspace.failures)


def wait(workspace: Workspace, problem: Problem, *, now: datetime) -> None:
    """Say what is in the way of `workspace`, and when it is looked at again by itself."""
    pause = look_again_after(problem["code"], workspace.failures)
    workspace.retry_at = None if pause is None else now + pause
    if workspace.failing_since is not None and pause is not None:
        problem = retried_problem(problem) if workspace.support_told_at is None else told_problem(problem)
    workspace.problem = problem


async def obstacle_here(session: AsyncSession, connection: Connection, as_of: datetime) -> Problem | None:
    """What keeps a scored connection from being watched. A processor that posts to us began with enough."""
    if connection.method == ConnectionMethod.WEBHOOK:
        return None
    payments = await payments_stored(session, connection, since=as_of - FIRST_STRETCH)
    return obstacle_of(stored_state(connection.snapshot).account, payments)


async def enqueue_next_step(session: AsyncSession, workspace: Workspace) -> None:
    """Run the step at which the pipeline stopped once more."""
    done = (workspace.pulled_at, workspace.baseline_generated_at, workspace.first_projection_at)
    await enqueue_step(session, list(STEPS)[sum(moment is not None for moment in done)], workspace)


async def _current(session: AsyncSession, payload: Payload) -> Workspace | None:
    """The job's workspace, locked; None when it has since been connected anew or disconnected."""
    workspace = await get_workspace(session, account_id=UUID(payload["account_id"]), lock=True)
    if workspace.pull_id != UUID(payload["pull_id"]):
        log.info("step of an earlier connection left undone", workspace_id=str(workspace.id))
        return None
    return workspace
