"""`payflux doctor`: look at everything PayFlux stands on, and say what to do about what is wrong."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import NamedTuple

import asyncpg
import httpx
from pydantic import SecretStr
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from payflux.cli.configured import console
from payflux.cli.databases import check_database, owner_database, urls_of
from payflux.kit.database import Database, DatabaseError, DatabaseUrls, asyncpg_address
from payflux.kit.jobs import unattended_pools
from payflux.kit.postgres import PostgresError, find_binaries
from payflux.settings import STRIPE_API_VERSION, Settings, SettingsError, environment_variable, load_settings

_MINIMUM_POSTGRES = 150_000
_ADDRESSES_WITH_PASSWORDS = ("database_url", "app_database_url", "system_database_url")


class Finding(NamedTuple):
    """One thing looked at: what it is about and, where it is wrong, the way out."""

    subject: str
    ok: bool
    found: str
    about: str = ""
    way_out: str = ""


def doctor() -> None:
    """Check every setting and everything PayFlux stands on, and say what to do."""
    findings = examine()
    report(findings, console)
    sys.exit(0 if all(finding.ok for finding in findings) else 1)


def examine() -> list[Finding]:
    """Look at the Python, the settings, the database and Stripe, in the order in which they depend on each other."""
    version = ".".join(map(str, sys.version_info[:3]))
    findings = [Finding("Python", sys.version_info >= (3, 11), version, way_out="PayFlux needs 3.11 or newer.")]
    try:
        settings = load_settings()
    except SettingsError as error:
        return [*findings, *(Finding("setting", False, "not usable", way_out=line) for line in str(error).splitlines())]
    findings += [_setting(settings, field) for field in Settings.model_fields]
    findings.append(_look("database", lambda: _database(settings)))
    if findings[-1].ok:
        findings.append(_look("workers", lambda: _workers(settings)))
    findings.append(_look("Stripe", lambda: _stripe(settings)))
    return findings


def report(findings: list[Finding], console: Console) -> None:
    """The findings as a table, and below it what to do about each that is wrong."""
    table = Table("", box=None, pad_edge=False, header_style="bold")
    table.add_column("What", no_wrap=True)
    table.add_column("Found", overflow="fold")
    table.add_column("Meaning")
    for finding in findings:
        mark = "[green]ok[/green]" if finding.ok else "[red]wrong[/red]"
        table.add_row(mark, finding.subject, escape(finding.found), finding.about)
    console.print(table)
    wrong = [finding for finding in findings if not finding.ok]
    console.print("\nWhat to do" if wrong else "\nAll is well.", style="bold")
    for finding in wrong:
        console.print(f"  {finding.subject}: {finding.way_out}", markup=False, soft_wrap=True)


def _look(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, True, look())
    except (PostgresError, DatabaseError, _Unreachable, _Unattended) as error:
        return Finding(subject, False, "not usable", way_out=str(error))


class _Unreachable(Exception):
    """Stripe, or the sandbox, does not answer as it should."""


class _Unattended(Exception):
    """Jobs wait for workers that are not there."""


def _setting(settings: Settings, field: str) -> Finding:
    value = getattr(settings, field)
    if isinstance(value, SecretStr) or field in _ADDRESSES_WITH_PASSWORDS:
        shown = "set" if (value.get_secret_value() if isinstance(value, SecretStr) else value) else "not set"
    else:
        shown = "not set" if value in (None, "") else str(value)
    return Finding(environment_variable(field), True, shown, str(Settings.model_fields[field].description))


def _database(settings: Settings) -> str:
    if not settings.database_url:
        find_binaries(settings.pg_bin)
    with owner_database(settings) as owner_url:
        return asyncio.run(_examine_database(urls_of(settings, owner_url)))


async def _examine_database(urls: DatabaseUrls) -> str:
    try:
        connection = await asyncpg.connect(asyncpg_address(urls.owner))
    except (OSError, ValueError, asyncpg.PostgresError) as error:
        raise DatabaseError(
            f"DATABASE_URL: cannot connect ({error}). Check host, port, database, user and password."
        ) from None
    try:
        number = int(await connection.fetchval("SHOW server_version_num"))
        version = await connection.fetchval("SHOW server_version")
        migrated = await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")
    finally:
        await connection.close()
    if number < _MINIMUM_POSTGRES:
        raise DatabaseError(f"PostgreSQL {version} is too old; 15 or newer is needed.")
    if not migrated:
        raise DatabaseError("The database is empty. Run `payflux migrate`.")
    await check_database(urls)
    return f"PostgreSQL {version}, migrated, roles as they should be"


def _workers(settings: Settings) -> str:
    with owner_database(settings) as owner_url:
        silent = asyncio.run(_examine_pools(urls_of(settings, owner_url)))
    if silent:
        raise _Unattended(
            " ".join(
                f"Pool {pool} has {jobs} late jobs and no worker. Start one: PAYFLUX_WORKER_POOL={pool} payflux work"
                for pool, jobs in silent.items()
            )
        )
    return "every pool with late jobs has a worker"


async def _examine_pools(urls: DatabaseUrls) -> dict[str, int]:
    database = Database(urls)
    try:
        async with database.system() as session:
            return await unattended_pools(session)
    finally:
        await database.close()


def _stripe(settings: Settings) -> str:
    key = settings.stripe_secret_key.get_secret_value()
    if not key:
        return "no platform key: merchants connect with restricted keys"
    headers = {"Authorization": f"Bearer {key}", "Stripe-Version": STRIPE_API_VERSION}
    place = "the sandbox" if settings.uses_sandbox else "Stripe"
    try:
        answer = httpx.get(f"{settings.stripe_api_base}/v1/account", headers=headers, timeout=10.0)
    except httpx.TransportError as error:
        way_out = "It runs with `payflux run` or `payflux sandbox`." if settings.uses_sandbox else "Check the network."
        raise _Unreachable(
            f"{place} does not answer at {settings.stripe_api_base} ({type(error).__name__}). {way_out}"
        ) from None
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        raise _Unreachable("STRIPE_SECRET_KEY is not accepted. Copy it again from the Stripe Dashboard.")
    if not settings.stripe_client_id:
        raise _Unreachable("STRIPE_CLIENT_ID is not set; Connect OAuth needs it beside STRIPE_SECRET_KEY.")
    return f"{place} answers"
