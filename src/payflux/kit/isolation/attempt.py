"""The check itself: a row for either of two accounts in each table, and what the one tries on the other's."""

# ruff: noqa: S608 -- names of tables and columns come from PostgreSQL's own catalogue, values are bound

from __future__ import annotations

import os
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg

from payflux.kit.isolation.catalogue import Column, Reference, TenantTable

INTRUDER = UUID("00000000-0000-4000-8000-00000000ca01")
VICTIM = UUID("00000000-0000-4000-8000-00000000ca02")
CANARIES = {INTRUDER: "Isolation check: one", VICTIM: "Isolation check: other"}
"""The two accounts. They have no members, no subscription and no workspace, so nothing else comes upon them."""

ONE_FOR_ALL = {
    "uq_account_invites_id": "an invite is found by its random id before anybody knows its account",
    "pk_product_events": "an event may be a stranger's; its key is random",
    "pk_site_scans": "a scan may be a stranger's; its key is random",
    "pk_deletion_receipts": "a receipt outlives its account under a random id of its own",
    "pk_subscriptions": "its key is random",
    "pk_webhook_events": "the inbox takes an event before anybody knows its account; only its sender names it",
}
"""Keys that are unique over all accounts by design, and why meeting one tells nothing."""

Row = dict[str, object]


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


class Attempt:
    """One check: what it found are `breaches`, each a sentence, and `unplanted`, the tables without a row to reach for,
    each with why."""

    def __init__(
        self, connection: asyncpg.Connection, tables: list[TenantTable], shared: dict[str, list[Row]], filled: set[str]
    ) -> None:
        """`shared` are rows that belong to no account, by their table; `filled` names the tables to which the app may
        add no row, and in which somebody has one."""
        self._connection, self._tables, self._shared, self._filled = connection, tables, shared, filled
        self._planted: dict[tuple[str, UUID], list[Row]] = {("accounts", each): [{"id": each}] for each in CANARIES}
        for parent, rows in shared.items():
            self._planted[parent, INTRUDER], self._planted[parent, VICTIM] = rows[::2], rows[1::2] or rows
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
        if "INSERT" not in table.privileges:
            if table.name not in self._filled:
                self.unplanted[table.name] = "the app may not add to it, and nobody has a row"
            return
        # a row for each person, where a row names one: what needs two of them finds two
        parents = [self._planted[each.parent, account_id] for each in table.references if each.parent in self._shared]
        refusals = []
        for number in range(max([self._generations(table), *map(len, parents)])):
            row = self._made_up(table, account_id, number)
            if row is None:
                refusals.append("its parent has no row")
                continue
            outcome = await self._insert(table, row, keep=True)
            if outcome.refusal:
                refusals.append(f"{outcome.refusal} {outcome.constraint}".strip())
            else:
                self._planted.setdefault((table.name, account_id), []).append(row)
        if (table.name, account_id) not in self._planted:
            self.unplanted[table.name] = refusals[0]

    def _generations(self, table: TenantTable) -> int:
        """How many rows of `table` leave one to spare for each of the tables that point at it, one below the other: a
        parent may have only one child."""
        children = [
            each for each in self._tables if each is not table and table.name in {one.parent for one in each.references}
        ]
        return 1 + max(map(self._generations, children), default=0)

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
        if not self._planted.get((name, INTRUDER)) or not self._planted.get((name, VICTIM)):
            return
        theirs = self._planted[name, VICTIM][0]
        foreign = self._made_up(table, VICTIM)
        if foreign is not None and (await self._insert(table, foreign)).refusal != _REFUSED:
            self.breaches.append(f"{name}: a row can be written into another account")
        if "UPDATE" in table.privileges:
            given = await self._tried(f"UPDATE {name} SET {column} = $1 WHERE {column} = $2", VICTIM, INTRUDER)
            if given.refusal != _REFUSED:
                self.breaches.append(f"{name}: a row can be given to another account")
        for reference in table.references:
            if reference.parent in self._shared:
                continue
            pointed = self._pointed(table, reference)
            if pointed and not await self._finds_no_parent(table, pointed):
                self.breaches.append(f"{name}: {reference.name} takes a row of another account for its parent")
        fresh = self._made_up(table, INTRUDER, len(self._planted[name, INTRUDER]))
        if fresh is not None:
            met = fresh | {key: theirs[key] for key in table.key if key in theirs and key != column}
            outcome, harmless = await self._insert(table, met), await self._insert(table, fresh)
            # what refuses a row with a key of its own too has met the intruder's own row
            if outcome.refusal == _TAKEN and outcome.constraint not in {*ONE_FOR_ALL, harmless.constraint}:
                self.breaches.append(f"{name}: {outcome.constraint} tells that another account has a row")

    def _pointed(self, table: TenantTable, reference: Reference) -> Row:
        """The columns of `reference`, but for the account, as they name a parent of the victim's; empty without one, or
        where the intruder has one of the same name, as with a person who is a member of both."""

        def named(parent: Row) -> Row:
            pairs = zip(reference.columns, reference.parent_columns, strict=True)
            return {child: parent[key] for child, key in pairs if child != table.account_column}

        own = [named(parent) for parent in self._planted.get((reference.parent, INTRUDER), [])]
        theirs = map(named, self._planted.get((reference.parent, VICTIM), []))
        return next((row for row in theirs if row not in own), {})

    async def _finds_no_parent(self, table: TenantTable, pointed: Row) -> bool:
        """Whether a row of the intruder's that names the victim's parent is refused for that: also when others of its
        making are refused for something else, such as a parent that has its one child already."""
        for number in range(len(self._planted[table.name, INTRUDER]) + 1):
            row = self._made_up(table, INTRUDER, number)
            if row is None or await self._point(table, row, pointed) == _NO_PARENT:
                return True
        return False

    async def _point(self, table: TenantTable, row: Row, pointed: Row) -> str:
        """What refuses a row of the intruder's that names the victim's parent; its own, changed, where it may have no
        second one, or make none."""
        refusal = (await self._insert(table, row | pointed)).refusal
        if refusal in (_TAKEN, _REFUSED) and "UPDATE" in table.privileges:
            changes = ", ".join(f"{column} = ${place}" for place, column in enumerate(pointed, 2))
            one = f"SELECT ctid FROM {table.name} WHERE {table.account_column} = $1 LIMIT 1"
            own = f"UPDATE {table.name} SET {changes} WHERE ctid = ({one})"
            refusal = (await self._tried(own, INTRUDER, *pointed.values())).refusal
        return refusal

    def _made_up(self, table: TenantTable, account_id: UUID, number: int = 0) -> Row | None:
        """A row of `account_id` with a value for each column that needs one; None while a parent has no row. Rows of
        another `number` have other parents and other texts from a list, where there are several."""
        row: Row = {column.name: _value(column, number) for column in table.columns if column.required or column.in_key}
        named: Counter[str] = Counter()
        for reference in table.references:
            if not set(reference.columns) & set(row) - {table.account_column}:
                continue
            parents = self._planted.get((reference.parent, account_id))
            if not parents:
                return None
            parent = parents[(number + named[reference.parent]) % len(parents)]
            named[reference.parent] += 1
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


def _value(column: Column, number: int) -> object:
    """Something that `column` takes: of a list of texts the one at `number`. Numbers differ from row to row, so that
    keys do."""
    drawn = int.from_bytes(os.urandom(2)) % 32_000 + 1
    kind = column.type.partition("(")[0]
    if column.type.endswith("[]"):
        return []
    if kind in ("text", "character varying", "character"):
        length = int(found[1]) if (found := re.search(r"\((\d+)\)", column.type)) else 40
        return column.allowed[number % len(column.allowed)] if column.allowed else f"{uuid4().hex}canary"[:length]
    return {
        "uuid": uuid4,
        "bytea": lambda: os.urandom(32),
        "smallint": lambda: drawn if column.in_key else 1,
        "integer": lambda: drawn if column.in_key else 1,
        "bigint": lambda: drawn if column.in_key else 1,
        "double precision": lambda: 0.5,
        "numeric": lambda: 1,
        "boolean": lambda: False,
        "jsonb": lambda: "{}",
        "date": lambda: datetime.now(UTC).date(),
        "timestamp with time zone": lambda: datetime.now(UTC),
    }[kind]()
