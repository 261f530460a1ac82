"""Two accounts of nobody's that try to get at each other, through every table and in every way there is.

Both get a row in each table, then the one reads, changes, removes and points at what is the other's, all as the app's
own role and in one transaction that is rolled back: nothing but the two accounts' names is ever stored. Where a row
names a person or a plan, those that are there serve. Where the app may add no row, the intruder reaches for whatever
there is.
"""

# ruff: noqa: S608 -- names of tables and columns come from PostgreSQL's own catalogue, values are bound

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import asyncpg
import structlog

from payflux.kit.database import Database, asyncpg_address
from payflux.kit.isolation.attempt import CANARIES, Attempt, Row
from payflux.kit.isolation.catalogue import TenantTable, tenant_tables

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Isolation:
    """What a check found: each breach as a sentence, how many tables it went through, and those in which there was no
    row of another account to reach for, with why."""

    at: datetime
    breaches: tuple[str, ...]
    tables: int
    unplanted: dict[str, str]


async def check_isolation(database: Database, *, now: datetime) -> Isolation:
    """Try to get across, through every table with a tenant policy. Logs the outcome."""
    connection = await asyncpg.connect(asyncpg_address(database.urls.app))
    system = await asyncpg.connect(asyncpg_address(database.urls.system))
    try:
        tables = await tenant_tables(connection)
        await _ensure_canaries(system)
        found = Attempt(connection, tables, await _shared_parents(system, tables), await _filled(system, tables))
        await found.run()
    finally:
        await system.close()
        await connection.close()
    isolation = Isolation(now, tuple(found.breaches), len(tables), found.unplanted)
    for breach in isolation.breaches:
        log.error("accounts are not kept apart", breach=breach)
    log.info("isolation checked", tables=isolation.tables, breaches=len(isolation.breaches))
    return isolation


async def _ensure_canaries(system: asyncpg.Connection) -> None:
    for account_id, name in CANARIES.items():
        await system.execute(
            "INSERT INTO accounts (id, name) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING", account_id, name
        )


async def _shared_parents(system: asyncpg.Connection, tables: list[TenantTable]) -> dict[str, list[Row]]:
    """Rows that belong to no account and that tenants' rows name, by their table: two for each account where there
    are so many."""
    own = {table.name for table in tables}
    columns: dict[str, set[str]] = {}
    for reference in (each for table in tables for each in table.references if each.parent not in own):
        columns.setdefault(reference.parent, set()).update(reference.parent_columns)
    return {
        parent: [dict(row) for row in await system.fetch(f"SELECT {', '.join(sorted(keys))} FROM {parent} LIMIT 4")]
        for parent, keys in columns.items()
        if await _readable(system, parent)
    }


async def _filled(system: asyncpg.Connection, tables: list[TenantTable]) -> set[str]:
    """The tables to which the app may add no row, and in which somebody has one."""
    closed = [table.name for table in tables if "INSERT" not in table.privileges]
    return {
        name
        for name in closed
        if await _readable(system, name) and await system.fetchval(f"SELECT EXISTS (SELECT FROM {name})")
    }


async def _readable(system: asyncpg.Connection, table: str) -> bool:
    return await system.fetchval("SELECT has_table_privilege($1, 'SELECT')", table)
