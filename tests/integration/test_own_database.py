"""`DATABASE_URL` alone replaces the embedded database: what `payflux migrate` needs of it, and what it makes there."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import quote

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from payflux.cli.databases import urls_of
from payflux.cli.preparing import prepare_database
from payflux.kit.database import Database, DatabaseError, DatabaseUrls
from payflux.kit.postgres import EmbeddedPostgres, find_binaries
from payflux.settings import load_settings
from tests.conftest import SECRET, open_folder
from tests.integration.commands import Outcome, payflux
from tests.running import free_port
from tests.sandbox_server import running_sandbox

PASSWORD = "p@ss/w%rd"
PLANS = 4


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """Somebody's PostgreSQL, in which PayFlux is a guest."""
    with open_folder() as folder:
        somebodys = EmbeddedPostgres(folder / "pg", find_binaries(None), durable=False)
        somebodys.start()
        yield somebodys
        somebodys.release()


@pytest.fixture
async def administrator(server: EmbeddedPostgres) -> AsyncIterator[asyncpg.Connection]:
    """The server's superuser, after whose work a role `shop` with CREATEROLE owns an empty database `shop`."""
    connection = await asyncpg.connect(server.url())
    await connection.execute(f"CREATE ROLE shop LOGIN CREATEROLE PASSWORD '{PASSWORD}'")
    await connection.execute("CREATE DATABASE shop OWNER shop")
    yield connection
    await connection.execute("DROP DATABASE shop WITH (FORCE)")
    for role in ("payflux_app", "payflux_system", "shop_app", "shop_system", "shop"):
        await connection.execute(f"DROP ROLE IF EXISTS {role}")
    await connection.close()


def address(server: EmbeddedPostgres, role: str = "shop") -> str:
    return server.url(user=role, password=quote(PASSWORD, safe=""), database="shop")


def command(name: str, data_dir: Path, database_url: str, **environment: str) -> Outcome:
    return payflux(name, data_dir=data_dir, DATABASE_URL=database_url, PAYFLUX_SECRET_KEY=SECRET, **environment)


async def migrate(database_url: str, **settings: str) -> int:
    """What `payflux migrate` does, without its process."""
    read = load_settings(database_url=database_url, secret_key=SecretStr(SECRET), **settings)
    return await prepare_database(urls_of(read, database_url))


def everything_in(server: EmbeddedPostgres) -> list[str]:
    """Schema, rights and rows of the database `shop`."""
    dump = subprocess.run(
        [server.binaries / "pg_dump", "--inserts", server.url(database="shop")],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    ).stdout
    return [line for line in dump.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]


async def test_migrate_makes_the_roles_and_the_tables_and_the_second_time_nothing(
    server: EmbeddedPostgres, administrator: asyncpg.Connection, tmp_path: Path
) -> None:
    url = address(server)
    assert command("migrate", tmp_path, url) == (0, "The database is up to date; the catalogue has 4 plans.")
    before = everything_in(server)
    assert any("CREATE TABLE public.payment_events" in line for line in before)
    assert command("migrate", tmp_path, url).code == 0
    assert everything_in(server) == before
    powers = "rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb"
    rows = await administrator.fetch(
        f"SELECT {powers} FROM pg_roles WHERE rolname IN ('payflux_app', 'payflux_system')"
    )
    assert [tuple(row) for row in rows] == [(True, False, False, False, False)] * 2
    with running_sandbox() as sandbox:
        seen = command("doctor", tmp_path, url, PAYFLUX_SANDBOX_PORT=sandbox.rpartition(":")[2])
    assert (seen.code, "roles as they should be" in seen.said) == (0, True)
    assert not (tmp_path / "postgres").exists(), "no embedded server is made beside it"


async def test_an_owner_that_may_not_create_roles_is_told_what_to_let_an_administrator_run(
    server: EmbeddedPostgres, administrator: asyncpg.Connection, tmp_path: Path
) -> None:
    await administrator.execute("ALTER ROLE shop NOCREATEROLE")
    refused = command("migrate", tmp_path, address(server))
    assert refused.code == 1
    assert "`ALTER ROLE shop CREATEROLE`" in refused.said
    assert "Traceback" not in refused.said
    await administrator.execute("ALTER ROLE shop CREATEROLE")
    assert await migrate(address(server)) == PLANS


async def test_roles_of_somebody_else_are_taken_over_once_an_administrator_grants_them(
    server: EmbeddedPostgres, administrator: asyncpg.Connection
) -> None:
    await administrator.execute("CREATE ROLE payflux_app; CREATE ROLE payflux_system")
    with pytest.raises(DatabaseError, match="`GRANT payflux_app TO shop WITH ADMIN OPTION`"):
        await migrate(address(server))
    await administrator.execute("GRANT payflux_app, payflux_system TO shop WITH ADMIN OPTION")
    assert await migrate(address(server)) == PLANS


async def test_roles_made_by_hand_need_no_right_to_create_roles(
    server: EmbeddedPostgres, administrator: asyncpg.Connection
) -> None:
    await administrator.execute("ALTER ROLE shop NOCREATEROLE")
    for part in ("app", "system"):
        await administrator.execute(f"CREATE ROLE payflux_{part} NOLOGIN")
        await administrator.execute(f"CREATE ROLE shop_{part} LOGIN PASSWORD '{PASSWORD}' IN ROLE payflux_{part}")
    by_hand = {part: address(server, f"shop_{part}") for part in ("app", "system")}
    plans = await migrate(address(server), app_database_url=by_hand["app"], system_database_url=by_hand["system"])
    assert plans == PLANS
    database = Database(DatabaseUrls(owner=address(server), **by_hand))
    await database.check()
    async with database.system() as session:
        assert await session.scalar(text("SELECT count(*) FROM accounts")) == 0
    await database.close()


async def test_a_role_that_does_not_own_the_database_is_told_so(
    server: EmbeddedPostgres, administrator: asyncpg.Connection
) -> None:
    await administrator.execute("ALTER DATABASE shop OWNER TO postgres")
    with pytest.raises(DatabaseError, match="`ALTER DATABASE shop OWNER TO shop`"):
        await migrate(address(server))


async def test_serve_refuses_a_role_that_could_see_every_account(
    server: EmbeddedPostgres, administrator: asyncpg.Connection, tmp_path: Path
) -> None:
    url = address(server)
    assert await migrate(url) == PLANS
    port = str(free_port())
    refused = command("serve", tmp_path, url, PAYFLUX_APP_DATABASE_URL=server.url(database="shop"), PAYFLUX_PORT=port)
    assert refused.code != 0
    assert "The database role postgres is a superuser" in refused.said
    assert "Unset PAYFLUX_APP_DATABASE_URL" in refused.said


async def test_wrong_password_host_and_database_are_a_sentence(
    server: EmbeddedPostgres, administrator: asyncpg.Connection, tmp_path: Path
) -> None:
    right = address(server)
    refused = command("migrate", tmp_path, right.replace(quote(PASSWORD, safe=""), "wrong"))
    assert refused == (
        1,
        'PayFlux cannot go on. DATABASE_URL: cannot connect (password authentication failed for user "shop"). '
        "Check host, port, database, user and password.",
    )
    wrong = {
        "Connect call failed": f"postgresql://shop:wrong@127.0.0.1:{free_port()}/shop",
        'database "elsewhere" does not exist': right.removesuffix("/shop") + "/elsewhere",
    }
    for reason, url in wrong.items():
        with pytest.raises(DatabaseError, match=rf"DATABASE_URL: cannot connect \(.*{reason}"):
            await migrate(url)
