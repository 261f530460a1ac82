"""Jobs on PostgreSQL: enqueued in the caller's transaction, run by any number of workers, picked up again when a
worker dies.

A handler takes the job's payload and must be idempotent: after a crash it runs again. It raises :class:`Permanent`
for what no retry mends.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import asyncpg
import structlog
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.applications import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.models import Job, Schedule
from pgqueuer.types import QueueExecutionMode
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.database import driver_connection
from payflux.kit.pools import COMMON, isolated_accounts, queue_name, split_queue_name

Payload = dict[str, str]
Handler = Callable[[Payload], Awaitable[None]]
FailureHandler = Callable[[str, Payload, Exception], Awaitable[None]]

MAX_ATTEMPTS = 3
"""How often a failing job is tried again before it is given up."""

HEARTBEAT_TIMEOUT = timedelta(seconds=6)
"""How long a worker may stay silent before its job is picked up by another."""

LATE_AFTER, GONE_AFTER = timedelta(minutes=1), timedelta(minutes=3)
"""After so long a job that could begin is late, and a pool without a timer has no worker."""

log = structlog.get_logger(__name__)


class Permanent(Exception):
    """A job failed for a reason that trying again does not mend."""


async def enqueue(
    session: AsyncSession,
    name: str,
    payload: Payload,
    *,
    dedupe_key: str | None = None,
    delay: timedelta | None = None,
) -> None:
    """Add a job that exists if, and only if, `session`'s transaction commits.

    With `dedupe_key`, nothing is added while a job with the same key waits or runs. A job whose payload names an
    `account_id` is run by that account's workers (:mod:`payflux.kit.pools`).
    """
    pool = COMMON
    if "account_id" in payload:
        pool = (await isolated_accounts(session)).get(UUID(payload["account_id"]), COMMON)
    queries = Queries(AsyncpgDriver(await driver_connection(session)))
    await queries.enqueue(
        queue_name(name, pool),
        json.dumps(payload).encode(),
        execute_after=delay,
        dedupe_key=dedupe_key,
        on_conflict="skip",
    )


async def release_key(session: AsyncSession, dedupe_key: str) -> None:
    """From now on a job with `dedupe_key` is added again, though the one that has the key still runs. For a job that
    has found nothing left to do; takes the system's role."""
    queries = Queries(AsyncpgDriver(await driver_connection(session)))
    table = queries.qbe.settings.queue_table
    statement = f"UPDATE {table} SET dedupe_key = NULL WHERE dedupe_key = $1 AND status = 'picked'"  # noqa: S608
    await queries.driver.execute(statement, dedupe_key)


async def is_pending(session: AsyncSession, name: str, part: Payload) -> bool:
    """Whether a job waits or runs whose payload holds `part`."""
    queries = Queries(AsyncpgDriver(await driver_connection(session)))
    table = queries.qbe.settings.queue_table
    found = await queries.driver.fetch(
        f"SELECT FROM {table} WHERE split_part(entrypoint, '@', 1) = $1 AND status IN ('queued', 'picked') "
        "AND convert_from(payload, 'UTF8')::jsonb @> $2::jsonb LIMIT 1",
        name,
        json.dumps(part),
    )
    return bool(found)


class WaitingJobs(NamedTuple):
    """How many jobs of a name wait or run in a pool of workers, and for how many seconds the oldest that waits could
    have begun."""

    name: str
    pool: str
    number: int
    seconds_overdue: float


async def waiting_jobs(session: AsyncSession) -> list[WaitingJobs]:
    """The queue by job, as the system role."""
    connection = await driver_connection(session)
    table = Queries(AsyncpgDriver(connection)).qbe.settings.queue_table
    overdue = "extract(epoch FROM max(now() - execute_after) FILTER (WHERE status = 'queued'))::float8"
    rows = await connection.fetch(
        f"SELECT entrypoint, count(*) AS number, greatest({overdue}, 0) AS overdue FROM {table} "  # noqa: S608
        "WHERE status IN ('queued', 'picked') GROUP BY entrypoint ORDER BY entrypoint"
    )
    return [WaitingJobs(*split_queue_name(row["entrypoint"]), row["number"], row["overdue"]) for row in rows]


async def unattended_pools(session: AsyncSession) -> dict[str, int]:
    """How many jobs each pool of an account's own has that are late, and no worker: nobody has run a timer of the pool
    for :data:`GONE_AFTER`, and workers do each minute. As the system role."""
    late: Counter[str] = Counter()
    for job in await waiting_jobs(session):
        if job.pool and job.seconds_overdue > LATE_AFTER.total_seconds():
            late[job.pool] += job.number
    connection = await driver_connection(session)
    table = Queries(AsyncpgDriver(connection)).qbe.settings.schedules_table
    there = await connection.fetch(
        f"SELECT DISTINCT entrypoint FROM {table} WHERE last_run > now() - $1::interval",  # noqa: S608
        GONE_AFTER,
    )
    attended = {split_queue_name(row["entrypoint"])[1] for row in there}
    return {pool: number for pool, number in sorted(late.items()) if pool not in attended}


async def run_jobs(
    connection: asyncpg.Connection,
    handlers: Mapping[str, Handler],
    *,
    timers: Mapping[str, tuple[str, Callable[[], Awaitable[None]]]],
    on_failure: FailureHandler,
    shutdown: asyncio.Event | None = None,
    drain: bool = False,
    pool: str = COMMON,
    heartbeat_timeout: timedelta = HEARTBEAT_TIMEOUT,
) -> None:
    """Run the jobs of `pool` until `shutdown` is set, or, with `drain`, until it has none left.

    `timers` maps a name to a cron expression (UTC) and what to run then. A job whose worker has sent no heartbeat for
    `heartbeat_timeout` is picked up by another. A job that has failed for good is handed to `on_failure`.
    """
    queuer = PgQueuer.from_asyncpg_connection(connection)
    if shutdown is not None:
        queuer.shutdown = queuer.qm.shutdown = queuer.sm.shutdown = shutdown
    for name, handler in handlers.items():
        queuer.entrypoint(queue_name(name, pool))(_attempt(name, handler, on_failure))
    for name, (expression, run) in timers.items():
        queuer.schedule(queue_name(name, pool), expression)(_fire(run))
    if drain:
        await queuer.qm.run(
            mode=QueueExecutionMode.drain,
            dequeue_timeout=timedelta(seconds=0.1),
            heartbeat_timeout=heartbeat_timeout,
            log_aggregation_interval=timedelta(0),  # by the workers that stay
        )
    else:
        await queuer.run(dequeue_timeout=heartbeat_timeout / 2, heartbeat_timeout=heartbeat_timeout)


def _attempt(name: str, handler: Handler, on_failure: FailureHandler) -> Callable[[Job], Awaitable[None]]:
    async def attempt(job: Job) -> None:
        payload: Payload = json.loads(job.payload or b"{}")
        try:
            await handler(payload)
        except RetryRequested:
            raise
        except Exception as error:
            if not isinstance(error, Permanent) and job.attempts < MAX_ATTEMPTS:
                log.warning("job failed and will be tried again", job=name, attempt=job.attempts + 1, exc_info=True)
                raise RetryRequested(delay=timedelta(seconds=2**job.attempts), reason=type(error).__name__) from error
            log.exception("job failed for good", job=name)
            await on_failure(name, payload, error)

    return attempt


def _fire(run: Callable[[], Awaitable[None]]) -> Callable[[Schedule], Awaitable[None]]:
    async def fire(_schedule: Schedule) -> None:
        await run()

    return fire
