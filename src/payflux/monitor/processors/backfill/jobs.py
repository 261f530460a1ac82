"""The job that reads older history, a slice at a time."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import structlog

from payflux.kit.jobs import Payload, Permanent
from payflux.monitor.processors.backfill.queries import newest_backfill, reads_and_transactions
from payflux.monitor.processors.backfill.rules import (
    ALLOWANCE_PAUSE,
    BACKGROUND,
    INTERRUPTED,
    OUTAGE_PAUSE,
    TAKEN_OVER_PAUSE,
    reads_allowed,
)
from payflux.monitor.processors.backfill.service import enqueue_slice, interrupted
from payflux.monitor.processors.models import ConnectionStatus, HistoryPull
from payflux.monitor.processors.pull import run_pull
from payflux.monitor.processors.queries import get_connection, get_pull
from payflux.monitor.processors.reading import PullTakenOver
from payflux.world.bootstrap import World
from payflux.world.stripe import Disconnected, KeyRefused, ProcessorUnavailable, StripeFailure

log = structlog.get_logger(__name__)


async def backfill_history(world: World, payload: Payload) -> None:
    """Read on for a while, then enqueue the next slice. Ends with the stretch, or with the connection."""
    account_id, pull_id, number = UUID(payload["account_id"]), UUID(payload["pull_id"]), int(payload["slice"])
    pull = await _to_read(world, account_id, pull_id, number)
    if pull is None:
        return
    pause: timedelta | None = None
    try:
        if await run_pull(world, account_id, pull_id, BACKGROUND):
            return
    except PullTakenOver:  # of two that read at the same time each may have stopped the other
        pause = TAKEN_OVER_PAUSE
    except (ProcessorUnavailable, KeyRefused, Disconnected):
        pause = OUTAGE_PAUSE  # the next slice finds out whether the connection has ended
    except StripeFailure as failure:
        async with world.database.tenant(account_id) as session:
            stored = await get_pull(session, account_id=account_id, pull_id=pull_id)
            stored.problem = type(failure).__name__
        raise Permanent(str(failure)) from failure
    async with world.database.tenant(account_id) as session:
        await enqueue_slice(session, pull, number + 1, delay=pause)


async def record_interruption(world: World, payload: Payload) -> None:
    """A slice has been given up: keep it, so that it is said and tried again."""
    account_id, pull_id = UUID(payload["account_id"]), UUID(payload["pull_id"])
    async with world.database.tenant(account_id) as session:
        await interrupted(session, account_id=account_id, pull_id=pull_id)


async def _to_read(world: World, account_id: UUID, pull_id: UUID, number: int) -> HistoryPull | None:
    """The pull, if there is something to read now; one whose turn comes later is enqueued for then."""
    async with world.database.tenant(account_id) as session:
        pull = await get_pull(session, account_id=account_id, pull_id=pull_id)
        connection = await get_connection(session, account_id=account_id, connection_id=pull.connection_id)
        newest = await newest_backfill(session, account_id=account_id, connection_id=connection.id)
        refused = pull.problem not in ("", INTERRUPTED)
        if refused or connection.status == ConnectionStatus.DISCONNECTED or newest is not pull:
            log.info("older history is not read on", pull_id=str(pull_id))
            return None
        reads, transactions = await reads_and_transactions(session, connection, world.clock.now())
        if reads < reads_allowed(transactions):
            return pull
        log.info("the month's share of reads is used up", pull_id=str(pull_id), reads=reads)
        await enqueue_slice(session, pull, number + 1, delay=ALLOWANCE_PAUSE)
        return None
