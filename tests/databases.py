"""One migrated database for one test after the other: its rows are put back after each, which takes a tenth of what a
new database takes, and new connections to it."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import asyncpg

from payflux.cli.databases import OWNER_ROLE, urls_of
from payflux.kit.database import Database, DatabaseUrls, role_password
from payflux.kit.postgres import EmbeddedPostgres
from payflux.settings import Settings

_PATIENCE = "5s"  # for what holds rows after its test has ended
_LARGE = 64 * 1024  # bytes from which on a table's dead rows are worth clearing away
_OURS = "relnamespace = 'public'::regnamespace"
_TABLES = f"SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND {_OURS}"
_SEQUENCES = f"SELECT oid::regclass::text FROM pg_class WHERE relkind = 'S' AND {_OURS}"
_GROWN = f"{_TABLES} AND pg_relation_size(oid) > {_LARGE}"
_SCHEMA = f"""
    SELECT md5(string_agg(xmin::text, ',' ORDER BY xmin::text)) FROM (
        SELECT xmin FROM pg_class WHERE {_OURS}
        UNION ALL SELECT xmin FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT xmin FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT xmin FROM pg_trigger
        UNION ALL SELECT xmin FROM pg_policy
    ) AS definitions
"""
_DIGEST = "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {} t"


class _KeptDatabase(Database):
    """Stays open when a world that uses it is closed."""

    def __init__(self, urls: DatabaseUrls) -> None:
        super().__init__(urls)
        for engine in (self._app, self._system):
            engine.sync_engine.pool._pre_ping = False  # nobody ends its connections, which the product asks for first

    async def close(self) -> None:
        pass

    async def end(self) -> None:
        await super().close()


class SharedDatabase:
    """`url` is its owner's address, `database` the product's way into it. Both change when it is copied anew."""

    url: str
    database: _KeptDatabase

    def __init__(self, server: EmbeddedPostgres, settings: Settings, template: str) -> None:
        self._server, self._settings, self._template = server, settings, template

    async def open(self) -> None:
        """Copy the template, and remember what it holds."""
        self._name = f"test_{uuid4().hex}"
        await self._administer(
            f"CREATE DATABASE {self._name} TEMPLATE {self._template} OWNER {OWNER_ROLE} STRATEGY FILE_COPY"
        )
        password = role_password(self._settings.secret_key.get_secret_value(), OWNER_ROLE)
        self.url = self._server.url(user=OWNER_ROLE, password=password, database=self._name)
        self.database = _KeptDatabase(urls_of(self._settings, self.url))
        # no trigger keeps it from deleting what can only be added to
        self._keeper = await asyncpg.connect(
            self._server.url(database=self._name),
            server_settings={"session_replication_role": "replica", "lock_timeout": _PATIENCE},
        )
        await self._keeper.execute(await self._putting_back())
        self._schema = await self._keeper.fetchval(_SCHEMA)

    async def tidy(self) -> None:
        """Put every row back, once what a test left running has ended. After a change of the schema, or where rows are
        still held, the database is copied anew."""
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        try:
            if await self._keeper.fetchval(_SCHEMA) == self._schema:
                await self._keeper.execute("SELECT pg_temp.put_back()")
                if grown := await self._keeper.fetch(_GROWN):
                    await self._keeper.execute(f"VACUUM {', '.join(row[0] for row in grown)}")
                return
        except asyncpg.PostgresError:
            pass
        await self.close()
        await self.open()

    async def close(self) -> None:
        await self.database.end()
        await self._keeper.close()
        await self._administer(f"DROP DATABASE {self._name} WITH (FORCE)")

    async def _putting_back(self) -> str:
        """A function that deletes every row, but for those that were there at first, which it brings back."""
        steps = []
        for (table,) in await self._keeper.fetch(_TABLES):
            if digest := await self._keeper.fetchval(_DIGEST.format(table)):
                await self._keeper.execute(f"CREATE TEMP TABLE kept_{table} AS TABLE {table}")
                changed = f"({_DIGEST.format(table)}) IS DISTINCT FROM '{digest}'"
                again = f"DELETE FROM {table}; INSERT INTO {table} TABLE kept_{table};"
                steps.append(f"IF {changed} THEN {again} END IF;")
            else:
                steps.append(f"DELETE FROM {table};")
        for (sequence,) in await self._keeper.fetch(_SEQUENCES):
            last, called = await self._keeper.fetchrow(f"SELECT last_value, is_called FROM {sequence}")
            steps.append(f"PERFORM setval('{sequence}', {last}, {called});")
        return f"CREATE FUNCTION pg_temp.put_back() RETURNS void LANGUAGE plpgsql AS $$BEGIN {' '.join(steps)} END$$"

    async def _administer(self, statement: str) -> None:
        connection = await asyncpg.connect(self._server.url())
        try:
            await connection.execute(statement)
        finally:
            await connection.close()
