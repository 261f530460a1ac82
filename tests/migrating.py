"""A database at an earlier revision of the schema, to put rows into before the later migrations run."""

from __future__ import annotations

from uuid import uuid4

from alembic import command
from alembic.config import Config

from payflux.cli.databases import OWNER_ROLE, ensure_owned_database
from payflux.kit.database import create_engine, role_password
from payflux.kit.postgres import EmbeddedPostgres
from tests.conftest import SECRET


async def database_at(postgres: EmbeddedPostgres, revision: str) -> tuple[str, str]:
    """A new database at `revision`: its owner's address, and its superuser's. The roles exist already."""
    name, password = f"test_{uuid4().hex}", role_password(SECRET, OWNER_ROLE)
    await ensure_owned_database(postgres.url(), owner=OWNER_ROLE, password=password, database=name)
    url = postgres.url(user=OWNER_ROLE, password=password, database=name)
    await _upgrade_to(url, revision)
    return url, postgres.url(database=name)


async def _upgrade_to(url: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "payflux:migrations")
    config.set_main_option("path_separator", "os")
    engine = create_engine(url)

    def upgrade(connection: object) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    async with engine.begin() as connection:
        await connection.run_sync(upgrade)
    await engine.dispose()
