"""The embedded server: shared, ended by the last to leave, and clear about what it cannot do."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import asyncpg
import pytest

from payflux.kit.postgres import EmbeddedPostgres, PostgresError, find_binaries


def server_in(home: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(home, find_binaries(None), durable=False)


async def ask(server: EmbeddedPostgres, query: str) -> object:
    connection = await asyncpg.connect(server.url())
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_the_server_runs_until_the_last_of_its_users_leaves(postgres_home: Path) -> None:
    first, second = server_in(postgres_home), server_in(postgres_home)
    first.start()
    second.start()
    first.release()
    assert await ask(second, "SELECT 1") == 1
    second.release()
    with pytest.raises(PostgresError, match="No PostgreSQL runs"):
        second.url()


async def test_a_server_that_was_killed_starts_again_with_its_data(postgres_home: Path) -> None:
    server = EmbeddedPostgres(postgres_home, find_binaries(None))
    server.start()
    await ask(server, "CREATE TABLE kept AS SELECT 7 AS number")
    pid = int((server.data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    again = server_in(postgres_home)
    again.start()
    assert await ask(again, "SELECT number FROM kept") == 7
    server.release()
    again.release()


def test_a_damaged_folder_is_a_clear_sentence(postgres_home: Path) -> None:
    (postgres_home / "data").mkdir(parents=True)
    (postgres_home / "data" / "something").write_text("else")
    with pytest.raises(PostgresError, match=r"damaged.*make reset"):
        server_in(postgres_home).start()


def test_data_of_another_major_version_is_a_clear_sentence(postgres_home: Path) -> None:
    server = server_in(postgres_home)
    server.start()
    server.release()
    (server.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(PostgresError, match="PAYFLUX_PG_BIN"):
        server.start()


def test_a_broken_control_file_is_a_clear_sentence(postgres_home: Path) -> None:
    server = server_in(postgres_home)
    server.start()
    server.release()
    (server.data / "global" / "pg_control").write_bytes(b"broken")
    with pytest.raises(PostgresError, match="does not start"):
        server.start()


def test_a_folder_without_binaries_is_named(postgres_home: Path) -> None:
    with pytest.raises(PostgresError, match=rf"PAYFLUX_PG_BIN.*{postgres_home}"):
        find_binaries(postgres_home)
