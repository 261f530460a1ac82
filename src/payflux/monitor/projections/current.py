"""Keeping what is said of a workspace current, within what is allowed a day."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.processors.events import moment
from payflux.monitor.processors.generic import history as posted
from payflux.monitor.processors.live.queries import freshness_of
from payflux.monitor.processors.models import Connection, ConnectionMethod
from payflux.monitor.processors.news import ReadingReason
from payflux.monitor.projections.models import WorkspaceReading
from payflux.monitor.projections.queries import count_projections
from payflux.monitor.projections.reading import WorkspaceRead, read_workspace
from payflux.monitor.projections.rules.pacing import may_read_at
from payflux.world.bootstrap import World


async def bring_up_to_date(
    session: AsyncSession,
    world: World,
    connection: Connection,
    *,
    reason: ReadingReason,
    urgent: bool,
    per_day: int | None,
    elsewhere: int,
) -> WorkspaceRead | None:
    """Read the workspace of `connection` again if it may be read now; else note when, and return None.

    `per_day` is how many projections may be made from midnight to midnight UTC, None for any number; `elsewhere` is how
    many of today's were made in other workspaces that share them. Two who want to read the same workspace do it one
    after the other.
    """
    state = await _locked(session, connection)
    now = world.clock.now()
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    used = await count_projections(session, account_id=connection.account_id, since=midnight)
    turn = may_read_at(now, used=used + elsewhere, per_day=per_day, urgent=urgent)
    if turn is None or turn > now:
        state.due_at = turn
        return None
    as_of = await _known_until(session, world, connection, now)
    if state.as_of is not None and state.connection_id == connection.id:
        as_of = max(as_of, state.as_of)
    read = await read_workspace(session, connection, as_of=as_of, reason=reason)
    state.connection_id, state.read_at, state.as_of = connection.id, now, as_of
    state.due_at, state.failed_at, state.failure = None, None, ""
    await session.flush()
    return read


async def note_failure(
    session: AsyncSession, *, account_id: UUID, workspace_id: UUID, error: Exception, now: datetime
) -> None:
    """Keep that a workspace could not be read, and by what kind of error; what was said before stands."""
    failed = {"failed_at": now, "failure": type(error).__name__}
    statement = insert(WorkspaceReading).values(account_id=account_id, workspace_id=workspace_id, **failed)
    await session.execute(statement.on_conflict_do_update(index_elements=["account_id", "workspace_id"], set_=failed))


async def give_up_turn(session: AsyncSession, *, account_id: UUID, workspace_id: UUID) -> None:
    """Let the workspace wait for nothing: what is not live is not read."""
    await session.execute(
        update(WorkspaceReading)
        .where(WorkspaceReading.account_id == account_id, WorkspaceReading.workspace_id == workspace_id)
        .values(due_at=None)
    )


async def reading_state(session: AsyncSession, *, account_id: UUID, workspace_id: UUID) -> WorkspaceReading | None:
    """When the workspace was last read, None before its second reading."""
    return await session.get(WorkspaceReading, (account_id, workspace_id))


async def read_since(session: AsyncSession, *, account_id: UUID, workspace_id: UUID, since: datetime) -> bool:
    """Whether the workspace has been read at `since` or after, and not failed to be."""
    state = await reading_state(session, account_id=account_id, workspace_id=workspace_id)
    return state is not None and state.failed_at is None and state.read_at is not None and state.read_at >= since


async def due_readings(session: AsyncSession, *, now: datetime) -> list[tuple[UUID, UUID]]:
    """(account, workspace) of all whose turn has come, of all accounts: for the system role."""
    query = select(WorkspaceReading.account_id, WorkspaceReading.workspace_id).where(WorkspaceReading.due_at <= now)
    return [(account_id, workspace_id) for account_id, workspace_id in await session.execute(query)]


async def _locked(session: AsyncSession, connection: Connection) -> WorkspaceReading:
    key = {"account_id": connection.account_id, "workspace_id": connection.workspace_id}
    await session.execute(insert(WorkspaceReading).values(**key, failure="").on_conflict_do_nothing())
    return await session.get_one(WorkspaceReading, tuple(key.values()), with_for_update=True)


async def _known_until(session: AsyncSession, world: World, connection: Connection, now: datetime) -> datetime:
    """The instant, in whole seconds, as of which the workspace is judged: now, unless it is known that news is
    missing."""
    if connection.method == ConnectionMethod.WEBHOOK:
        return posted.as_of(min(connection.last_event_at or now, now), now)
    fresh = await freshness_of(session, world.settings, connection, now)
    until = fresh.through if fresh.stale and fresh.through is not None else now
    return moment(int(until.timestamp()))
