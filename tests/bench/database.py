"""A PostgreSQL server to measure with, bare or with the product's tables."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from pydantic import SecretStr

from payflux.cli.databases import OWNER_ROLE, ensure_owned_database, urls_of
from payflux.cli.preparing import prepare_database
from payflux.kit.database import DatabaseUrls, role_password
from payflux.kit.postgres import EmbeddedPostgres, find_binaries
from payflux.settings import Settings, load_settings

SECRET = "a secret for measuring alone, 32 characters or more"


@contextmanager
def postgresql() -> Generator[EmbeddedPostgres]:
    """A server that ends with the block; it does not wait for the disk."""
    folder = Path(mkdtemp(prefix="payflux-bench-"))
    folder.chmod(0o711)  # under root the server runs as a user who must pass through
    server = EmbeddedPostgres(folder / "pg", find_binaries(None), durable=False)
    try:
        server.start()
        yield server
    finally:
        server.release()
        rmtree(folder)


def bench_settings(folder: Path, **changes: object) -> Settings:
    return load_settings(data_dir=folder, secret_key=SecretStr(SECRET)).model_copy(update=changes)


async def migrated(server: EmbeddedPostgres, settings: Settings, database: str = "bench") -> DatabaseUrls:
    """The three addresses of a new database with the product's tables."""
    password = role_password(SECRET, OWNER_ROLE)
    await ensure_owned_database(server.url(), owner=OWNER_ROLE, password=password, database=database)
    urls = urls_of(settings, server.url(user=OWNER_ROLE, password=password, database=database))
    await prepare_database(urls)
    return urls
