"""Everything that is held of an account, as JSON, row by row.

The tables are found in the metadata, so that a new one cannot be forgotten. Binary columns hold keys, tokens and
digests; they are left out unless they stand in :data:`BINARY_DATA`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Column, LargeBinary, Table, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.family import workspaces_of
from payflux.frontdoor.accounts.team import queries
from payflux.kit.database import Base, Database


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


BINARY_DATA: dict[str, Callable[[bytes], str]] = {
    "audit_entries.hash": bytes.hex,
    "audit_entries.previous_hash": bytes.hex,
    "audit_heads.hash": bytes.hex,
    "daily_rollups.vector": _base64,
    "event_deliveries.body": _text,
    "ledger_artifacts.body_hash": bytes.hex,
    "ledger_artifacts.hash": bytes.hex,
    "ledger_artifacts.previous_hash": bytes.hex,
    "ledger_artifacts.signature": _base64,
    "ledger_heads.hash": bytes.hex,
    "webhook_events.body": _text,
}
"""Binary columns that hold data of the account and no secret, and how each is written."""

ROWS_AT_ONCE = 1000


def account_tables() -> dict[Table, Column[UUID]]:
    """Every table with rows of an account, parents before children, and the column that names the account."""
    return {
        table: table.c.id if table.name == "accounts" else table.c.account_id
        for table in Base.metadata.sorted_tables
        if table.name == "accounts" or ("account_id" in table.c and table.name not in _OF_PEOPLE)
    }


_OF_PEOPLE = frozenset({"sessions"})
"""Tables whose rows are a user's and only name the account they act in."""


def exported_columns(table: Table) -> list[Column[object]]:
    """The columns of `table` that an export holds."""
    return [
        column
        for column in table.columns
        if not isinstance(column.type, LargeBinary) or f"{table.name}.{column.name}" in BINARY_DATA
    ]


async def export_account(session: AsyncSession, *, account_id: UUID, now: datetime) -> AsyncGenerator[bytes, None]:
    """The pieces of one JSON document: `account_id`, `exported_at`, `workspaces` with the further ones, which each
    have an export of their own, `members` with their names and addresses, and `tables`, each a list of rows.

    Written row by row, so that an account of any size fits into memory.
    """
    head = {"account_id": account_id, "exported_at": now, "workspaces": [], "members": []}
    for workspace in await workspaces_of(session, account_id=account_id):
        head["workspaces"].append({"account_id": workspace.id, "name": workspace.name})
    for member in await queries.members(session, account_id=account_id):
        head["members"].append({"user_id": member.user_id, "name": member.name, "email": member.email})
    yield f'{_json(head)[:-1]}, "tables": {{'.encode()
    for number, (table, account_column) in enumerate(account_tables().items()):
        yield f"{',' if number else ''}\n{json.dumps(table.name)}: [".encode()
        first = True
        query = select(*exported_columns(table)).where(account_column == account_id).order_by(*table.primary_key)
        rows = await session.stream(query, execution_options={"yield_per": ROWS_AT_ONCE})
        async for batch in rows.mappings().partitions():
            lines = ",\n".join(_json(_written(table, row)) for row in batch)
            yield f"{'' if first else ','}\n{lines}".encode()
            first = False
        yield b"]"
    yield b"\n}}\n"


async def account_document(database: Database, *, account_id: UUID, now: datetime) -> AsyncGenerator[bytes, None]:
    """The export of an account, in a transaction of its own that lasts for as long as it is read."""
    async with database.tenant(account_id) as session:
        async for piece in export_account(session, account_id=account_id, now=now):
            yield piece


def _written(table: Table, row: Mapping[str, object]) -> dict[str, object]:
    """`row` with its binary values as text."""
    return {
        name: BINARY_DATA[f"{table.name}.{name}"](value) if isinstance(value, bytes) else value
        for name, value in row.items()
    }


def _json(value: object) -> str:
    return json.dumps(value, default=_plain, ensure_ascii=False)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime | date) else str(value)
