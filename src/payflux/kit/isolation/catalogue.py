"""The tables that belong to accounts, as PostgreSQL's own catalogue describes them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

_TABLES = """
    SELECT c.relname AS name, (regexp_match(p.qual, '\\((\\w+) = '))[1] AS account_column,
        array_remove(ARRAY[
            CASE WHEN has_table_privilege(current_user, c.oid, 'SELECT') THEN 'SELECT' END,
            CASE WHEN has_table_privilege(current_user, c.oid, 'INSERT') THEN 'INSERT' END,
            CASE WHEN has_table_privilege(current_user, c.oid, 'UPDATE') THEN 'UPDATE' END,
            CASE WHEN has_table_privilege(current_user, c.oid, 'DELETE') THEN 'DELETE' END
        ], NULL) AS privileges
    FROM pg_class c JOIN pg_policies p ON p.schemaname = 'public' AND p.tablename = c.relname
    WHERE c.relnamespace = 'public'::regnamespace AND p.policyname = 'tenant' ORDER BY c.relname
"""
_COLUMNS = """
    SELECT c.relname AS table, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
        a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AS required,
        EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p' AND a.attnum = ANY (k.conkey))
            AS in_key
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.relname, a.attnum
"""
_CONSTRAINTS = """
    SELECT c.relname AS table, k.conname AS name, k.contype::text AS kind, pg_get_constraintdef(k.oid) AS definition,
        p.relname AS parent,
        ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY n (number, place)
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = n.number ORDER BY n.place) AS columns,
        ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY n (number, place)
            JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = n.number ORDER BY n.place) AS parent_columns
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid LEFT JOIN pg_class p ON p.oid = k.confrelid
    WHERE c.relnamespace = 'public'::regnamespace AND k.contype IN ('c', 'f')
"""


@dataclass(frozen=True)
class Column:
    """`required` has to be given on insert; `allowed` are the texts that its check constraint takes, where it lists
    them."""

    name: str
    type: str
    required: bool
    in_key: bool
    allowed: tuple[str, ...]


@dataclass(frozen=True)
class Reference:
    """A foreign key: `columns` of the table that holds it, and those of `parent` in the same order."""

    name: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]


@dataclass(frozen=True)
class TenantTable:
    """A table whose rows belong to accounts by `account_column`, and what the connected role may do with it."""

    name: str
    account_column: str
    privileges: frozenset[str]
    columns: tuple[Column, ...]
    references: tuple[Reference, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the primary key."""
        return tuple(column.name for column in self.columns if column.in_key)


async def tenant_tables(connection: asyncpg.Connection) -> list[TenantTable]:
    """Every table with a tenant policy, parents before their children."""
    columns, constraints = await connection.fetch(_COLUMNS), await connection.fetch(_CONSTRAINTS)
    tables = {
        row["name"]: TenantTable(
            row["name"],
            row["account_column"],
            frozenset(row["privileges"]),
            tuple(
                Column(
                    each["name"],
                    each["type"],
                    each["required"],
                    each["in_key"],
                    _allowed(each["name"], [k["definition"] for k in constraints if _checks(k, row["name"])]),
                )
                for each in columns
                if each["table"] == row["name"]
            ),
            tuple(
                Reference(k["name"], tuple(k["columns"]), k["parent"], tuple(k["parent_columns"]))
                for k in constraints
                if k["kind"] == "f" and k["table"] == row["name"]
            ),
        )
        for row in await connection.fetch(_TABLES)
    }
    return _parents_first(tables)


def _checks(constraint: asyncpg.Record, table: str) -> bool:
    return constraint["kind"] == "c" and constraint["table"] == table


def _allowed(column: str, checks: Sequence[str]) -> tuple[str, ...]:
    """The texts that a check such as `status = ANY (ARRAY['trialing', …])` lists for `column`."""
    for check in checks:
        if found := re.search(rf"\b{column}\b[^']*'[^']+'.*", check):
            return tuple(re.findall(r"'([^']+)'", found[0]))
    return ()


def _parents_first(tables: dict[str, TenantTable]) -> list[TenantTable]:
    ordered: dict[str, TenantTable] = {}

    def add(table: TenantTable) -> None:
        for reference in table.references:
            if reference.parent in tables and reference.parent != table.name and reference.parent not in ordered:
                add(tables[reference.parent])
        ordered.setdefault(table.name, table)

    for table in tables.values():
        add(table)
    return list(ordered.values())
