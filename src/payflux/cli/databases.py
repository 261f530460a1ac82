"""Which database the commands work on: the configured one, or the embedded one for as long as it is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.billing.service import seed_catalogue
from payflux.kit.database import DatabaseUrls, create_engine, database_urls, role_password
from payflux.kit.migrate import migrate_async
from payflux.kit.postgres import EmbeddedPostgres, find_binaries
from payflux.settings import Settings

OWNER_ROLE = "payflux_owner"
DATABASE = "payflux"


@contextmanager
def owner_database(settings: Settings) -> Generator[str, None, None]:
    """The address of the database as its owner. The embedded server runs for as long as the context is open."""
    if settings.database_url:
        yield settings.database_url
        return
    server = EmbeddedPostgres(settings.data_dir / "postgres", find_binaries(settings.pg_bin))
    server.start()
    try:
        password = role_password(settings.secret_key.get_secret_value(), OWNER_ROLE)
        asyncio.run(ensure_owned_database(server.url(), owner=OWNER_ROLE, password=password, database=DATABASE))
        yield server.url(user=OWNER_ROLE, password=password, database=DATABASE)
    finally:
        server.release()


async def ensure_owned_database(superuser_url: str, *, owner: str, password: str, database: str) -> None:
    """Create the role that owns the schema, and its database, where they are missing."""
    connection = await asyncpg.connect(superuser_url)
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


async def prepare_database(urls: DatabaseUrls) -> int:
    """Migrate, then write the catalogue; returns the number of plans."""
    await migrate_async(urls, script_location="payflux:migrations")
    engine = create_engine(urls.owner)
    try:
        async with AsyncSession(engine) as session, session.begin():
            return await seed_catalogue(session)
    finally:
        await engine.dispose()
