"""All stored payment events as lines of JSON, made by PostgreSQL itself and never held in memory as a whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from datetime import datetime
from enum import IntEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.database import driver_connection
from payflux.monitor.processors.codes import REASONS, Kind, Method, Network, Outcome, RiskLevel, Status

AHEAD = 16
"""Pieces of the stream that wait for a slow reader at most; the database is not read further meanwhile."""
PIECE = 64 * 1024  # bytes


def _named(column: str, codes: type[IntEnum], *, zero_is_null: bool = False) -> str:
    """The name of a code as a JSON text."""
    names = [f"""WHEN {code.value} THEN '"{code.name.lower()}"'""" for code in codes]
    if zero_is_null:
        names.insert(0, "WHEN 0 THEN 'null'")
    return f"CASE {column} {' '.join(names)} ELSE 'null' END"


def _letters(column: str, *, lower: bool) -> str:
    """Packed letters as a JSON text, null for none: base 27, the first letter highest."""
    start = 96 if lower else 64
    parts = [
        f"CASE WHEN {column} >= {27**place} THEN chr({start} + ({column}::int / {27**place}) % 27) ELSE '' END"
        for place in (2, 1, 0)
    ]
    return f"""CASE WHEN {column} = 0 THEN 'null' ELSE '"' || {" || ".join(parts)} || '"' END"""


def _text(expression: str) -> str:
    return f"CASE WHEN {expression} = '' THEN 'null' ELSE to_json({expression})::text END"


def _instant(column: str) -> str:
    return f"to_json(to_timestamp({column}))::text"


_REASONS = "(ARRAY[" + ", ".join("'" + reason.replace("'", "''") + "'" for reason in REASONS) + "])[reason + 1]"
_FIELDS = {
    "id": "to_json(source_id)::text",
    "kind": _named("kind", Kind),
    "status": _named("status", Status),
    "occurred_at": _instant("at"),
    "amount": "amount",
    "currency": _letters("currency", lower=True),
    "settled_amount": "settled",
    "settled_currency": _letters("settled_currency", lower=True),
    "charge_id": _text("charge_id"),
    "network": _named("network", Network, zero_is_null=True),
    "method": _named("method", Method, zero_is_null=True),
    "outcome": _named("outcome", Outcome, zero_is_null=True),
    "risk_level": _named("risk_level", RiskLevel, zero_is_null=True),
    "three_d_secure": "CASE three_d_secure WHEN 0 THEN 'false' WHEN 1 THEN 'true' ELSE 'null' END",
    "country": _letters("country", lower=False),
    "reason": f"CASE WHEN detail <> '' THEN to_json(detail)::text WHEN reason = 0 THEN 'null' "
    f"ELSE to_json({_REASONS})::text END",
    "ends_at": f"CASE ends_at WHEN 0 THEN 'null' ELSE {_instant('ends_at')} END",
    "connection_id": """'"' || connection_id || '"'""",
}
_LINE = " || ',' || ".join(f"'\"{name}\":' || {made}" for name, made in _FIELDS.items())
LINES = f"""
    SELECT '{{' || {_LINE} || '}}' FROM payment_events
    WHERE account_id = $1 AND workspace_id = $2 AND at >= $3 AND at < $4 ORDER BY at, kind, source_id
"""  # noqa: S608 -- made of names in this module alone
_FOREVER = 2**62


async def stream_events(
    session: AsyncSession,
    *,
    account_id: UUID,
    workspace_id: UUID,
    since: datetime | None = None,
    until: datetime | None = None,
) -> AsyncGenerator[bytes]:
    """A workspace's events from `since` on and before `until`, a JSON object a line, the oldest first, in pieces of
    whole bytes. The transaction of `session` is open meanwhile. Whoever stops reading ends it."""
    connection = await driver_connection(session)
    pieces: asyncio.Queue[bytes | None] = asyncio.Queue(AHEAD)
    gathered = bytearray()

    async def gather(data: bytes) -> None:
        gathered.extend(data)
        if len(gathered) >= PIECE:
            await pieces.put(bytes(gathered))
            gathered.clear()

    async def copy() -> None:
        try:
            # as CSV whose quote and delimiter occur in no JSON, a line is sent as it is
            await connection.copy_from_query(
                LINES,
                account_id,
                workspace_id,
                _seconds(since, 0),
                _seconds(until, _FOREVER),
                output=gather,
                format="csv",
                delimiter="\x02",
                quote="\x01",
            )
            await pieces.put(bytes(gathered))
        finally:
            await pieces.put(None)

    copying = asyncio.create_task(copy())
    try:
        while (piece := await pieces.get()) is not None:
            yield piece
        await copying
    finally:
        copying.cancel()
        with suppress(asyncio.CancelledError):
            await copying


def _seconds(instant: datetime | None, otherwise: int) -> int:
    """The first whole second at or after `instant`: stored times are whole seconds."""
    return otherwise if instant is None else -int(-instant.timestamp() // 1)
