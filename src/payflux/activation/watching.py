"""Watching what is live: who is read again, when, and how often their plan allows it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from msgspec.structs import replace
from sqlalchemy import and_, exists, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.allowances import PROJECTIONS, projections_elsewhere
from payflux.activation.models import Workspace
from payflux.activation.recording import record_reading
from payflux.activation.service import get_workspace
from payflux.activation.states import is_live_monitored
from payflux.frontdoor.entitlements.resolving import Entitlements, entitlements_of
from payflux.kit.jobs import Payload, enqueue
from payflux.kit.pools import isolated_accounts, served_by
from payflux.monitor.alerts.evaluating import evaluate
from payflux.monitor.alerts.facts import reading_of
from payflux.monitor.benchmarks.service import compute_benchmarks
from payflux.monitor.processors.models import Connection, ConnectionStatus
from payflux.monitor.processors.news import ReadingReason, enqueue_reading, take_reading
from payflux.monitor.processors.queries import get_connection
from payflux.monitor.projections.current import bring_up_to_date, due_readings, give_up_turn, note_failure, read_since
from payflux.monitor.projections.models import WorkspaceReading
from payflux.monitor.projections.reading import WorkspaceRead
from payflux.monitor.projections.settings import ProjectionSettings
from payflux.monitor.risk.sweep.models import Sweep, SweepReading
from payflux.monitor.risk.sweep.service import sweep
from payflux.world.bootstrap import World

WINDOW = timedelta(hours=6)
"""How often everything live is looked at, from midnight UTC on."""

SHARD = 25
"""Workspaces of one job of a sweep."""

MONITORING_FEATURE = "reserve_projection"

log = structlog.get_logger(__name__)


async def read_workspace(world: World, payload: Payload) -> None:
    """Job: read a workspace again whose figures have changed, unless it is not live any more."""
    async with world.database.system() as session:
        await take_reading(session, payload)
    await _read(
        world,
        UUID(payload["account_id"]),
        reason=ReadingReason(payload["reason"]),
        urgent=bool(payload["urgent"]),
    )


async def sweep_workspaces(world: World, payload: Payload) -> None:
    """Job: read those of a sweep's shard that have not been read since it began. One that fails is recorded, and stops
    no other."""
    began_at = datetime.fromisoformat(payload["began_at"])
    async with world.database.system() as session:
        ours = await served_by(session, world.settings.worker_pool)
        accounts = list(map(UUID, payload["accounts"].split()))
        for account_id in accounts:
            if not ours(account_id):  # it was moved meanwhile
                await _enqueue_own_shard(session, account_id, began_at=began_at)
    for account_id in filter(ours, accounts):
        try:
            await _read(world, account_id, reason=ReadingReason.SWEEP, urgent=False, unless_since=began_at)
        except Exception as error:
            log.exception("workspace not read", account_id=str(account_id))
            await _record_failure(world, account_id, error)


async def record_unread(world: World, payload: Payload, error: Exception) -> None:
    """The job that reads a workspace has been given up: keep why. The next sweep tries again."""
    await _record_failure(world, UUID(payload["account_id"]), error)


async def begin_sweep(world: World) -> None:
    """Every few minutes: unless this window's sweep has begun, read everybody's rates anew, and have all those read
    again whose rates have moved or who have not been read for a window. However many windows nobody was there for, it
    is one sweep."""
    now = world.clock.now()
    window = window_of(now)
    async with world.database.system() as session:
        if await session.get(Sweep, window) is not None:
            return
    readings = await sweep(world.database, now)
    if readings is None:
        return  # whoever reads the rates just now begins with what has moved; here it would be left for the next window
    async with world.database.system() as session:
        accounts = await _to_read(session, now)
        row = insert(Sweep).values(window_start=window, began_at=now, workspaces=len(accounts))
        begun = await session.execute(row.on_conflict_do_nothing().returning(Sweep.window_start))
        if begun.scalar_one_or_none() is None:
            return
        livemode = world.settings.key_environment == "live"
        benchmarks = await compute_benchmarks(session, livemode=livemode, now=now)
        isolated = await isolated_accounts(session)
        shared = [account_id for account_id in accounts if account_id not in isolated]
        for number in range(0, len(shared), SHARD):
            payload = {"began_at": now.isoformat(), "accounts": " ".join(map(str, shared[number : number + SHARD]))}
            await enqueue(session, "sweep_workspaces", payload)
        for account_id in filter(isolated.__contains__, accounts):
            await _enqueue_own_shard(session, account_id, began_at=now)
    log.info("sweep begun", rates=readings, workspaces=len(accounts), benchmarks=benchmarks)


async def _enqueue_own_shard(session: AsyncSession, account_id: UUID, *, began_at: datetime) -> None:
    """A job that names the account it is for, so that the account's own workers run it."""
    payload = {"began_at": began_at.isoformat(), "accounts": str(account_id), "account_id": str(account_id)}
    await enqueue(session, "sweep_workspaces", payload)


async def read_due(world: World) -> None:
    """Every minute: a job for each workspace whose newer figures had to wait for their turn."""
    async with world.database.system() as session:
        ours = await served_by(session, world.settings.worker_pool)
        for account_id, workspace_id in await due_readings(session, now=world.clock.now()):
            if ours(account_id):
                await enqueue_reading(
                    session,
                    account_id=account_id,
                    workspace_id=workspace_id,
                    reason=ReadingReason.EVENT,
                    urgent=False,
                    delay=None,
                )


def window_of(now: datetime) -> datetime:
    """The start of the sweep's window that `now` lies in."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (now - midnight) // WINDOW * WINDOW


def may_be_monitored(held: Entitlements) -> bool:
    """Whether the plan in force has a workspace watched."""
    return held.features[MONITORING_FEATURE] and held.limits[PROJECTIONS] != 0


async def _to_read(session: AsyncSession, now: datetime) -> Sequence[UUID]:
    """The accounts whose workspace stands on a live connection, and was not read for a window or has moved since. What
    their plans allow is asked of each when its turn comes."""
    last, rates = WorkspaceReading, SweepReading
    moved = exists().where(
        rates.account_id == Workspace.account_id, rates.workspace_id == Workspace.id, rates.moved_at > last.read_at
    )
    query = (
        select(Workspace.account_id)
        .outerjoin(last, and_(last.account_id == Workspace.account_id, last.workspace_id == Workspace.id))
        .where(
            Workspace.connection_id.is_not(None),
            Workspace.live_monitored_at.is_not(None),
            or_(last.read_at.is_(None), last.read_at <= now - WINDOW, last.failed_at.is_not(None), moved),
        )
        .order_by(Workspace.account_id)
    )
    return (await session.execute(query)).scalars().all()


async def _read(
    world: World, account_id: UUID, *, reason: ReadingReason, urgent: bool, unless_since: datetime | None = None
) -> None:
    midnight = world.clock.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    elsewhere = await projections_elsewhere(world, account_id=account_id, since=midnight)
    async with world.database.tenant(account_id) as session:
        workspace = await get_workspace(session, account_id=account_id)
        place = {"account_id": account_id, "workspace_id": workspace.id}
        held = await entitlements_of(session, world, account_id=account_id)
        connection = await _live_connection(session, workspace, held)
        if connection is None:
            # it is perhaps going live in a transaction that has not seen what this job is about
            await session.refresh(workspace, with_for_update=True)
            connection = await _live_connection(session, workspace, held)
        if connection is None:
            await give_up_turn(session, **place)
            return
        if unless_since is not None and await read_since(session, **place, since=unless_since):
            return
        read = await bring_up_to_date(
            session,
            world,
            connection,
            reason=reason,
            urgent=urgent,
            per_day=held.limits[PROJECTIONS],
            elsewhere=elsewhere,
        )
        if read is not None:
            await _judge(session, workspace, read, now=world.clock.now())
            await record_reading(world, session, workspace, read)
    log.info("workspace read", workspace_id=str(workspace.id), reason=reason, changed=read.changed if read else None)


async def _live_connection(session: AsyncSession, workspace: Workspace, held: Entitlements) -> Connection | None:
    """What a live workspace stands on; None of one that is not live, or whose connection has ended and is told so."""
    live = is_live_monitored(workspace, entitled=may_be_monitored(held))
    if not live or workspace.connection_id is None:
        return None
    connection = await get_connection(session, account_id=workspace.account_id, connection_id=workspace.connection_id)
    return None if connection.status == ConnectionStatus.DISCONNECTED else connection


async def _judge(session: AsyncSession, workspace: Workspace, read: WorkspaceRead, *, now: datetime) -> None:
    """Have the alert rules judge a reading, also one that found the same anew: what stays calm clears an alert."""
    before, after = read.before, read.after
    await evaluate(
        session,
        account_id=workspace.account_id,
        workspace_id=workspace.id,
        before=reading_of(before.surface, before.projection) if before else None,
        after=reading_of(after.surface, after.projection, as_of=read.as_of),
        now=now,
        terms_changed=before is not None and not _on_same_terms(before.projection.settings, after.projection.settings),
    )


def _on_same_terms(before: ProjectionSettings, after: ProjectionSettings) -> bool:
    """Whether two projections go by the same reserve: how far else they look ahead changes no figure of it."""
    return replace(before, horizons=after.horizons) == after


async def _record_failure(world: World, account_id: UUID, error: Exception) -> None:
    async with world.database.tenant(account_id) as session:
        query = select(Workspace.id).where(Workspace.account_id == account_id)
        workspace_id = (await session.execute(query)).scalar_one_or_none()
        if workspace_id is not None:  # else the account is gone
            await note_failure(
                session, account_id=account_id, workspace_id=workspace_id, error=error, now=world.clock.now()
            )
