"""Which database the commands work on: the configured one, or the embedded one for as long as it is needed."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from payflux.kit.database import Database, DatabaseError, DatabaseUrls, database_urls, role_password
from payflux.kit.postgres import EmbeddedPostgres, find_binaries
from payflux.settings import Settings, environment_variable

OWNER_ROLE = "payflux_owner"
DATABASE = "payflux"


@contextmanager
def owner_database(settings: Settings) -> Generator[str, None, None]:
    """The address of the database as its owner. The embedded server runs for as long as the context is open.

    Raises DatabaseError for an address that is none, and PostgresError when the embedded server cannot run.
    """
    for field in ("database_url", "app_database_url", "system_database_url"):
        _refuse_unreadable(getattr(settings, field), environment_variable(field))
    if settings.database_url:
        yield settings.database_url
        return
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:  # it would end this process and leave the server running
        signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    server = embedded_server(settings)
    server.start()
    try:
        password = role_password(settings.secret_key.get_secret_value(), OWNER_ROLE)
        asyncio.run(ensure_owned_database(server.url(), owner=OWNER_ROLE, password=password, database=DATABASE))
        yield server.url(user=OWNER_ROLE, password=password, database=DATABASE)
    finally:
        server.release()


def embedded_server(settings: Settings) -> EmbeddedPostgres:
    """The embedded server of these settings, not started; its `home` says where its data is."""
    return EmbeddedPostgres(settings.data_dir / "postgres", find_binaries(settings.pg_bin))


def _refuse_unreadable(url: str, variable: str) -> None:
    """Raises DatabaseError, without the address's password, unless `url` is empty or can be read."""
    try:
        if url:
            make_url(url)
    except (ArgumentError, ValueError):
        raise DatabaseError(
            f"{variable}: cannot be read as an address. It has the form postgresql://USER:PASSWORD@HOST:PORT/DATABASE; "
            "write a special character of the password as % and its code (@ is %40)."
        ) from None


async def ensure_owned_database(superuser_url: str, *, owner: str, password: str, database: str) -> None:
    """Create the role that owns the schema, and its database, where they are missing. Raises DatabaseError."""
    try:
        connection = await asyncpg.connect(superuser_url)
    except (OSError, asyncpg.PostgresError) as error:
        raise DatabaseError(
            f"The embedded database does not let PayFlux in ({error}). Restore PAYFLUX_DATA_DIR from a backup, or "
            "start anew with `make reset` (this deletes its data)."
        ) from None
    try:
        if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", owner):
            await connection.execute(f"CREATE ROLE {owner} LOGIN CREATEROLE")
        await connection.execute(f"ALTER ROLE {owner} PASSWORD '{password}'")
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", database):
            await connection.execute(f"CREATE DATABASE {database} OWNER {owner}")
    finally:
        await connection.close()


def urls_of(settings: Settings, owner_url: str) -> DatabaseUrls:
    return database_urls(
        owner_url,
        app=settings.app_database_url,
        system=settings.system_database_url,
        secret=settings.secret_key.get_secret_value(),
    )


async def check_database(urls: DatabaseUrls) -> None:
    """Raises DatabaseError unless the app's and the system role connect and have no more power than they should."""
    database = Database(urls)
    try:
        await database.check()
    finally:
        await database.close()
