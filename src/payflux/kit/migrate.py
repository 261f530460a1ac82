"""Bring a database to the current schema: roles, tables, the job queue, and what each role may do."""

from __future__ import annotations

import asyncpg
from alembic import command
from alembic.config import Config
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.db import AsyncpgDriver
from sqlalchemy.engine import make_url

from payflux.kit.database import APP_ROLE, SYSTEM_ROLE, DatabaseError, DatabaseUrls, asyncpg_address, create_engine

LOCK_TIMEOUT = "5s"
"""A migration that cannot get its lock gives up rather than make the product wait behind it; run it again."""

_MIGRATION_LOCK = 7_264_518_301


async def migrate(urls: DatabaseUrls, *, script_location: str) -> None:
    """Create the two roles unless they exist, run every migration not yet run, and grant the roles their rights.

    `script_location` is the package with the migrations. Raises DatabaseError.
    """
    try:
        connection = await asyncpg.connect(asyncpg_address(urls.owner))
    except (OSError, ValueError, asyncpg.PostgresError) as error:
        raise DatabaseError(
            f"DATABASE_URL: cannot connect ({error}). Check host, port, database, user and password."
        ) from None
    try:
        # several processes may start at once; one migrates, the others wait and find nothing to do
        await connection.execute("SELECT pg_advisory_lock($1)", _MIGRATION_LOCK)
        await _refuse_powerless_owner(connection)
        for role, url in ((APP_ROLE, urls.app), (SYSTEM_ROLE, urls.system)):
            try:
                await _ensure_role(connection, role, url)
            except asyncpg.InsufficientPrivilegeError as error:
                owner = make_url(urls.owner).username
                raise DatabaseError(
                    f"DATABASE_URL: {owner} may not set up the role {role} ({error}). Let an administrator run "
                    f"`ALTER ROLE {owner} CREATEROLE` and, if {role} exists already, `GRANT {role} TO {owner} WITH "
                    "ADMIN OPTION`; or create the roles by hand, as docs/operations.md says."
                ) from None
        await _upgrade_tables(urls.owner, script_location)
        await _upgrade_queue(connection)
    finally:
        await connection.close()


async def _refuse_powerless_owner(connection: asyncpg.Connection) -> None:
    owner, database, may_create = await connection.fetchrow(
        "SELECT current_user, current_database(), has_schema_privilege('public', 'CREATE')"
    )
    if not may_create:
        raise DatabaseError(
            f"DATABASE_URL: {owner} may not create tables in {database}. Let an administrator run "
            f"`ALTER DATABASE {database} OWNER TO {owner}`."
        )


async def _ensure_role(connection: asyncpg.Connection, role: str, url: str) -> None:
    parts = make_url(url)
    if parts.username != role:
        # the address names a role of the operator's own; make it a member of ours, which holds the rights
        await connection.execute(_create_role(role, "NOLOGIN"))
        if not await connection.fetchval("SELECT pg_has_role($1, $2, 'MEMBER')", parts.username, role):
            await connection.execute(f'GRANT {role} TO "{parts.username}"')
    else:
        password = str(parts.password).replace("'", "''")
        await connection.execute(_create_role(role, "LOGIN"))
        await connection.execute(f"ALTER ROLE {role} LOGIN PASSWORD '{password}'")
    database = await connection.fetchval("SELECT current_database()")
    await connection.execute(f'GRANT CONNECT ON DATABASE "{database}" TO {role}')
    await connection.execute(f"GRANT USAGE ON SCHEMA public TO {role}")


def _create_role(role: str, login: str) -> str:
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN "
        f"CREATE ROLE {role} {login} NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE; END IF; END $$"
    )


async def _upgrade_tables(owner: str, script_location: str) -> None:
    config = Config()
    config.set_main_option("script_location", script_location)
    config.set_main_option("path_separator", "os")
    engine = create_engine(owner)
    try:
        async with engine.begin() as connection:
            await connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")

            def upgrade(sync_connection: object) -> None:
                config.attributes["connection"] = sync_connection
                command.upgrade(config, "head")

            await connection.run_sync(upgrade)
    finally:
        await engine.dispose()


async def _upgrade_queue(connection: asyncpg.Connection) -> None:
    queries = Queries(AsyncpgDriver(connection))
    if await queries.schema_is_installed():
        await queries.apply_upgrade()
    else:
        await queries.install()
    settings = queries.qbe.settings
    tables = [settings.queue_table, settings.queue_table_log, settings.statistics_table, settings.schedules_table]
    await connection.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(tables)} TO {SYSTEM_ROLE}")
    # the app's role may add a job, and may see of the queue only what finding a duplicate takes
    await connection.execute(
        f"GRANT INSERT, SELECT ON {settings.queue_table}, {settings.queue_table_log} TO {APP_ROLE}"
    )
    await connection.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE}, {SYSTEM_ROLE}")
