"""Writing what was read: payment events as absolute state, and the daily rollups that always equal them.

Whoever writes a workspace's events or rollups holds its lock, so that what an event replaced is known exactly. It is
taken before the lock of any row, so that no two writers wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import asyncpg
import numpy as np
from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.database import driver_connection
from payflux.monitor.processors.codes import reason_code
from payflux.monitor.processors.events import EVENT_DTYPE, PaymentEvent, event_record
from payflux.monitor.processors.models import Connection, ConnectionStatus, DailyRollup
from payflux.monitor.processors.planning import HISTORY
from payflux.monitor.processors.queries import read_events
from payflux.monitor.processors.rollups import Rollup, roll_up, unpack_rollup, update

_EVER = datetime(9999, 1, 1, tzinfo=UTC)

# and no scans of whole tables: for one that grows by the batch, the planner's figures are always out of date
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:workspace, 0)), set_config('enable_seqscan', 'off', true)")

_NUMBERS = {
    name: "bigint" if field[0].itemsize == 8 else "smallint" for name, field in (EVENT_DTYPE.fields or {}).items()
}
_TYPES = _NUMBERS | {"source_id": "text", "charge_id": "text", "detail": "text", "read_at": "timestamptz"}
_KEY = ("kind", "source_id")

# COPY into a table with row-level security is refused, and one statement of arrays needs no staging table; all parts
# of it see the table as it was before
_UPSERT = f"""
    WITH reading AS MATERIALIZED (
        SELECT * FROM unnest({", ".join(f"${n}::{kind}[]" for n, kind in enumerate(_TYPES.values(), start=4))})
            AS reading ({", ".join(_TYPES)})
    ), written AS (
        INSERT INTO payment_events (account_id, workspace_id, connection_id, {", ".join(_TYPES)})
        SELECT $1, $2, $3, * FROM reading
        ON CONFLICT (account_id, connection_id, kind, source_id) DO UPDATE
        SET {", ".join(f"{name} = EXCLUDED.{name}" for name in _TYPES if name not in _KEY)}
        WHERE payment_events.read_at <= EXCLUDED.read_at
        RETURNING kind, source_id
    )
    SELECT {", ".join(f"before.{name}" for name in _NUMBERS)}, reading.source_id,
        written.source_id IS NOT NULL AS replaced
    FROM reading CROSS JOIN LATERAL (
        SELECT {", ".join(_NUMBERS)} FROM payment_events
        WHERE account_id = $1 AND connection_id = $3 AND kind = reading.kind AND source_id = reading.source_id
        LIMIT 1
    ) AS before LEFT JOIN written ON written.kind = reading.kind AND written.source_id = reading.source_id
"""  # noqa: S608 -- our own column names


class Changes(NamedTuple):
    """What storing readings changed, as arrays of `EVENT_DTYPE` in no particular order: events as they were before, and
    as they are now. An event that was read again and is the same is in neither."""

    removed: np.ndarray
    added: np.ndarray


async def lock_workspace(session: AsyncSession, workspace_id: UUID) -> None:
    """Wait until nobody else writes the workspace's events or rollups; held until the transaction ends."""
    await session.execute(_LOCK, {"workspace": str(workspace_id)})


async def upsert_events(
    session: AsyncSession, connection: Connection, readings: Iterable[tuple[PaymentEvent, datetime]]
) -> Changes:
    """Store events with the instant each was asked for. Of two readings of one event the later one stands, whatever
    the order in which they are stored. The caller brings the rollups up to date with :func:`apply_to_rollups`."""
    newest: dict[tuple[int, str], tuple[PaymentEvent, datetime]] = {}
    for event, read_at in readings:
        key = (event.kind, event.source_id)
        if key not in newest or newest[key][1] <= read_at:
            newest[key] = (event, read_at)
    if not newest:
        return Changes(np.empty(0, EVENT_DTYPE), np.empty(0, EVENT_DTYPE))
    rows = {
        key: (
            *event_record(event),
            event.source_id,
            event.charge_id,
            event.reason if event.reason and not reason_code(event.reason) else "",
            read_at,
        )
        for key, (event, read_at) in newest.items()
    }
    await lock_workspace(session, connection.workspace_id)
    driver = await driver_connection(session)
    known = await driver.fetch(
        _UPSERT, connection.account_id, connection.workspace_id, connection.id, *zip(*rows.values(), strict=True)
    )
    return _changes({key: row[: len(_NUMBERS)] for key, row in rows.items()}, known)


def _changes(read: dict[tuple[int, str], tuple], known: Sequence[asyncpg.Record]) -> Changes:
    """`read` are the events of the readings by key, `known` those of them that had been stored before."""
    removed = []
    for row in known:
        key, before = (row["kind"], row["source_id"]), tuple(row)[: len(_NUMBERS)]
        if not row["replaced"] or before == read[key]:
            del read[key]
        else:
            removed.append(before)
    return Changes(np.array(removed, EVENT_DTYPE), np.array(list(read.values()), EVENT_DTYPE))


async def apply_to_rollups(
    session: AsyncSession, connection: Connection, removed: np.ndarray, added: np.ndarray, now: datetime
) -> None:
    """Bring the daily rollups of the connection's workspace up to date with what :func:`upsert_events` changed, in the
    same transaction: they then equal the rolled-up events of the last 13 months. What a connection brings after it has
    ended is left out; connecting it again makes them anew."""
    if not len(removed) and not len(added):
        return
    since = _first_kept(now)
    removed, added = (part[part["at"] >= since.timestamp()] for part in (removed, added))
    account_id, workspace_id = connection.account_id, connection.workspace_id
    await lock_workspace(session, workspace_id)
    mine = (Connection.account_id == account_id, Connection.id == connection.id)
    status = (await session.execute(select(Connection.status).where(*mine))).scalar_one()
    if status == ConnectionStatus.DISCONNECTED:
        return
    columns = (DailyRollup.currency, DailyRollup.first_day, DailyRollup.days, DailyRollup.vector)
    query = select(*columns).where(DailyRollup.account_id == account_id, DailyRollup.workspace_id == workspace_id)
    try:
        kept = [_without_days_before(since, unpack_rollup(*row)) for row in await session.execute(query)]
        rollups = update(kept, removed, added)
    except ValueError:  # of other metrics, or without the events of a connection that has been taken up again
        await renew_rollups(session, account_id=account_id, workspace_id=workspace_id, now=now)
        return
    await _replace(session, rollups, account_id=account_id, workspace_id=workspace_id, now=now)


async def renew_rollups(session: AsyncSession, *, account_id: UUID, workspace_id: UUID, now: datetime) -> None:
    """Make the workspace's daily rollups anew from its events of the last 13 months."""
    await lock_workspace(session, workspace_id)
    events = await read_events(
        session, account_id=account_id, workspace_id=workspace_id, since=_first_kept(now), until=_EVER
    )
    await _replace(session, roll_up(events), account_id=account_id, workspace_id=workspace_id, now=now)


async def _replace(
    session: AsyncSession, rollups: Iterable[Rollup], *, account_id: UUID, workspace_id: UUID, now: datetime
) -> None:
    await session.execute(
        delete(DailyRollup).where(DailyRollup.account_id == account_id, DailyRollup.workspace_id == workspace_id)
    )
    session.add_all(
        DailyRollup(
            account_id=account_id,
            workspace_id=workspace_id,
            currency=rollup.currency,
            first_day=rollup.first_day,
            days=len(rollup.matrix),
            vector=rollup.vector,
            updated_at=now.astimezone(UTC),
        )
        for rollup in rollups
    )
    await session.flush()


def _first_kept(now: datetime) -> datetime:
    """The start of the first day, of UTC, that rollups hold."""
    return (now - HISTORY).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _without_days_before(since: datetime, rollup: Rollup) -> Rollup:
    past = min(max(0, (since.date() - rollup.first_day).days), len(rollup.matrix))
    return Rollup(rollup.currency, rollup.first_day + timedelta(days=past), rollup.matrix[past:])
