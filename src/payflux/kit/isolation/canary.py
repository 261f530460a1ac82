"""Two accounts of nobody's that try to get at each other, through every table and in every way there is.

Both get a row in each table, then the one reads, changes, removes and points at what is the other's, all as the app's
own role and in one transaction that is rolled back: nothing but the two accounts' names is ever stored.
"""

# ruff: noqa: S608 -- names of tables and columns come from PostgreSQL's own catalogue, values are bound

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import structlog

from payflux.kit.database import Database, asyncpg_address
from payflux.kit.isolation.catalogue import Column, Reference, TenantTable, tenant_tables

INTRUDER = UUID("00000000-0000-4000-8000-00000000ca01")
VICTIM = UUID("00000000-0000-4000-8000-00000000ca02")
CANARIES = {INTRUDER: "Isolation check: one", VICTIM: "Isolation check: other"}
"""The two accounts. They have no members, no subscription and no workspace, so nothing else comes upon them."""

ONE_FOR_ALL = {
    "uq_account_invites_id": "an invite is found by its random id before anybody knows its account",
    "pk_deletion_receipts": "a receipt outlives its account under a random id of its own",
    "pk_webhook_events": "the inbox takes an event before anybody knows its account; only its sender names it",
}
"""Keys that are unique over all accounts by design, and why meeting one tells nothing."""

log = structlog.get_logger(__name__)

Row = dict[str, object]


@dataclass(frozen=True)
class Isolation:
    """What a check found: each breach as a sentence, how many tables it went through, and those in which it could not
    place a row, with why."""

    at: datetime
    breaches: tuple[str, ...]
    tables: int
    unplanted: dict[str, str]


async def check_isolation(database: Database, *, now: datetime) -> Isolation:
    """Try to get across, through every table with a tenant policy. Logs the outcome."""
    await _ensure_canaries(database)
    connection = await asyncpg.connect(asyncpg_address(database.urls.app))
    try:
        tables = await tenant_tables(connection)
        found = _Attempt(connection, tables)
        await found.run()
    finally:
        await connection.close()
    isolation = Isolation(now, tuple(found.breaches), len(tables), found.unplanted)
    for breach in isolation.breaches:
        log.error("accounts are not kept apart", breach=breach)
    log.info("isolation checked", tables=isolation.tables, breaches=len(isolation.breaches))
    return isolation


async def _ensure_canaries(database: Database) -> None:
    connection = await asyncpg.connect(asyncpg_address(database.urls.system))
    try:
        for account_id, name in CANARIES.items():
            await connection.execute(
                "INSERT INTO accounts (id, name) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING", account_id, name
            )
    finally:
        await connection.close()


class _RolledBack(Exception):
    """Ends a transaction or a savepoint of a check, which is to leave nothing."""


@dataclass(frozen=True)
class _Outcome:
    """What became of a statement: how many rows it reached, or the SQLSTATE and the constraint that refused it."""

    rows: int = 0
    refusal: str = ""
    constraint: str = ""


_REFUSED = asyncpg.InsufficientPrivilegeError.sqlstate
_NO_PARENT = asyncpg.ForeignKeyViolationError.sqlstate
_TAKEN = asyncpg.UniqueViolationError.sqlstate


class _Attempt:
    def __init__(self, connection: asyncpg.Connection, tables: list[TenantTable]) -> None:
        self._connection, self._tables = connection, tables
        self._planted: dict[tuple[str, UUID], Row] = {("accounts", each): {"id": each} for each in CANARIES}
        self.breaches: list[str] = []
        self.unplanted: dict[str, str] = {}

    async def run(self) -> None:
        with suppress(_RolledBack):
            async with self._connection.transaction():
                for account_id in CANARIES:
                    await self._become(account_id)
                    for table in self._tables:
                        await self._plant(table, account_id)
                await self._become(INTRUDER)
                for table in self._tables:
                    await self._reach(table)
                    await self._smuggle(table)
                raise _RolledBack

    async def _become(self, account_id: UUID) -> None:
        await self._connection.execute("SELECT set_config('app.current_account_id', $1, true)", str(account_id))

    async def _plant(self, table: TenantTable, account_id: UUID) -> None:
        if (table.name, account_id) in self._planted:
            return
        row = self._made_up(table, account_id)
        if "INSERT" not in table.privileges:
            self.unplanted[table.name] = "the app may not add to it"
        elif row is None:
            self.unplanted[table.name] = "its parent has no row"
        else:
            outcome = await self._insert(table, row, keep=True)
            if outcome.refusal:
                self.unplanted[table.name] = f"{outcome.refusal} {outcome.constraint}".strip()
            else:
                self._planted[table.name, account_id] = row

    async def _reach(self, table: TenantTable) -> None:
        """Read, change and remove whatever is not the intruder's own."""
        name, column, may = table.name, table.account_column, table.privileges
        if "SELECT" not in may:
            return
        attempts = {
            "read": f"SELECT FROM {name} WHERE {column} <> $1",
            "changed": f"UPDATE {name} SET {column} = $1 WHERE {column} <> $1" if "UPDATE" in may else "",
            "removed": f"DELETE FROM {name} WHERE {column} <> $1" if "DELETE" in may else "",
        }
        for done, statement in attempts.items():
            if statement and (await self._tried(statement, INTRUDER)).rows:
                self.breaches.append(f"{name}: rows of another account can be {done}")

    async def _smuggle(self, table: TenantTable) -> None:
        """Write rows into the other account, give rows away, point at the other's rows, and meet them by their keys."""
        name, column = table.name, table.account_column
        own, theirs = self._planted.get((name, INTRUDER)), self._planted.get((name, VICTIM))
        if own is None or theirs is None or "INSERT" not in table.privileges:
            return
        foreign = self._made_up(table, VICTIM)
        if foreign is not None and (await self._insert(table, foreign)).refusal != _REFUSED:
            self.breaches.append(f"{name}: a row can be written into another account")
        if "UPDATE" in table.privileges:
            given = await self._tried(f"UPDATE {name} SET {column} = $1 WHERE {column} = $2", VICTIM, INTRUDER)
            if given.refusal != _REFUSED:
                self.breaches.append(f"{name}: a row can be given to another account")
        for reference in table.references:
            child = self._pointing(table, reference)
            if child is not None and (await self._insert(table, child)).refusal != _NO_PARENT:
                self.breaches.append(f"{name}: {reference.name} takes a row of another account for its parent")
        fresh = self._made_up(table, INTRUDER)
        if fresh is not None:
            met = fresh | {key: theirs[key] for key in table.key if key in theirs and key != column}
            outcome, harmless = await self._insert(table, met), await self._insert(table, fresh)
            # what refuses a row with a key of its own too has met the intruder's own row
            if outcome.refusal == _TAKEN and outcome.constraint not in {*ONE_FOR_ALL, harmless.constraint}:
                self.breaches.append(f"{name}: {outcome.constraint} tells that another account has a row")

    def _pointing(self, table: TenantTable, reference: Reference) -> Row | None:
        """A row of the intruder's whose parent, but for the account, is the victim's."""
        parent = self._planted.get((reference.parent, VICTIM))
        row = self._made_up(table, INTRUDER)
        pairs = zip(reference.columns, reference.parent_columns, strict=True)
        pointed = {child: parent[key] for child, key in pairs if parent and child != table.account_column}
        return row | pointed if row is not None and pointed else None

    def _made_up(self, table: TenantTable, account_id: UUID) -> Row | None:
        """A row of `account_id` with a value for each column that needs one; None while a parent has no row."""
        row: Row = {column.name: _value(column) for column in table.columns if column.required or column.in_key}
        for reference in table.references:
            if not set(reference.columns) & set(row) - {table.account_column}:
                continue
            parent = self._planted.get((reference.parent, account_id))
            if parent is None:
                return None
            row |= {child: parent[key] for child, key in zip(reference.columns, reference.parent_columns, strict=True)}
        return row | {table.account_column: account_id}

    async def _insert(self, table: TenantTable, row: Row, *, keep: bool = False) -> _Outcome:
        places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
        return await self._tried(
            f"INSERT INTO {table.name} ({', '.join(row)}) VALUES ({places})", *row.values(), keep=keep
        )

    async def _tried(self, statement: str, *values: object, keep: bool = False) -> _Outcome:
        """What becomes of `statement`; undone at once unless it is to be kept."""
        outcome = _Outcome()
        try:
            async with self._connection.transaction():
                done = await self._connection.execute(statement, *values)
                outcome = _Outcome(rows=int(done.rsplit(" ", 1)[1]))
                if not keep:
                    raise _RolledBack
        except _RolledBack:
            pass
        except asyncpg.PostgresError as error:
            outcome = _Outcome(
                refusal=str(getattr(error, "sqlstate", "")), constraint=getattr(error, "constraint_name", None) or ""
            )
        return outcome


def _value(column: Column) -> object:
    """Something that `column` takes. Numbers differ from row to row, so that keys do."""
    number = int.from_bytes(os.urandom(2)) % 32_000 + 1
    kind = column.type.partition("(")[0]
    if column.type.endswith("[]"):
        return []
    if kind in ("text", "character varying", "character"):
        length = int(found[1]) if (found := re.search(r"\((\d+)\)", column.type)) else 40
        return column.allowed or f"{uuid4().hex}canary"[:length]
    return {
        "uuid": uuid4,
        "bytea": lambda: os.urandom(32),
        "smallint": lambda: number if column.in_key else 1,
        "integer": lambda: number if column.in_key else 1,
        "bigint": lambda: number if column.in_key else 1,
        "double precision": lambda: 0.5,
        "numeric": lambda: 1,
        "boolean": lambda: False,
        "jsonb": lambda: "{}",
        "date": lambda: datetime.now(UTC).date(),
        "timestamp with time zone": lambda: datetime.now(UTC),
    }[kind]()
