"""Writing what was read: payment events as absolute state, and the rollups rebuilt from them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

import numpy as np
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.database import driver_connection
from payflux.monitor.processors.codes import reason_code
from payflux.monitor.processors.events import EVENT_DTYPE, PaymentEvent, event_record
from payflux.monitor.processors.models import Connection, DailyRollup
from payflux.monitor.processors.rollups import roll_up

_NUMBERS = {
    name: "bigint" if field[0].itemsize == 8 else "smallint" for name, field in (EVENT_DTYPE.fields or {}).items()
}
_TYPES = _NUMBERS | {"source_id": "text", "charge_id": "text", "detail": "text", "read_at": "timestamptz"}
_KEY = ("kind", "source_id")

# COPY into a table with row-level security is refused, and one statement of arrays needs no staging table
_UPSERT = f"""
    INSERT INTO payment_events (account_id, workspace_id, connection_id, {", ".join(_TYPES)})
    SELECT $1, $2, $3, * FROM unnest({", ".join(f"${n}::{kind}[]" for n, kind in enumerate(_TYPES.values(), start=4))})
    ON CONFLICT (account_id, connection_id, kind, source_id) DO UPDATE
    SET {", ".join(f"{name} = EXCLUDED.{name}" for name in _TYPES if name not in _KEY)}
    WHERE payment_events.read_at <= EXCLUDED.read_at
"""  # noqa: S608 -- our own column names


async def upsert_events(
    session: AsyncSession, connection: Connection, readings: Iterable[tuple[PaymentEvent, datetime]]
) -> None:
    """Store events with the instant each was asked for. Of two readings of one event the later one stands, whatever
    the order in which they are stored."""
    newest: dict[tuple[int, str], tuple[PaymentEvent, datetime]] = {}
    for event, read_at in readings:
        key = (event.kind, event.source_id)
        if key not in newest or newest[key][1] <= read_at:
            newest[key] = (event, read_at)
    if not newest:
        return
    # in the order of the key, so that two writers never wait for each other in a circle
    rows = [
        (
            *event_record(event),
            event.source_id,
            event.charge_id,
            event.reason if event.reason and not reason_code(event.reason) else "",
            read_at,
        )
        for _, (event, read_at) in sorted(newest.items())
    ]
    driver = await driver_connection(session)
    await driver.execute(
        _UPSERT, connection.account_id, connection.workspace_id, connection.id, *zip(*rows, strict=True)
    )


async def replace_rollups(
    session: AsyncSession, *, account_id: UUID, workspace_id: UUID, events: np.ndarray, now: datetime
) -> None:
    """Make the workspace's daily rollups those of `events`."""
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
        for rollup in roll_up(events)
    )
    await session.flush()
