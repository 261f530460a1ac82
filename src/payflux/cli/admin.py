"""The commands of whoever runs PayFlux: who gets through to which route, and whether the audit logs hold."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from uuid import UUID

import typer

from payflux.app import create_app
from payflux.cli.configured import complaints, configured, console
from payflux.cli.databases import owner_database, urls_of
from payflux.kit.audit_chain import Break
from payflux.kit.audit_check import verify_every_log
from payflux.kit.database import Database, DatabaseUrls
from payflux.web.guard_matrix import as_table
from payflux.web.policies import guarded_routes
from payflux.world.bootstrap import build_world

admin = typer.Typer(help="Look after a running PayFlux.", no_args_is_help=True)

_NO_DATABASE = "postgresql://nobody@localhost/nothing"


@admin.command()
def guards() -> None:
    """Print who gets through to which route, as Markdown. Needs no database."""
    with configured("admin") as settings:
        app = create_app(build_world(settings, database_url=_NO_DATABASE))
        sys.stdout.write(as_table(guarded_routes(app)))


@admin.command(name="verify-audit")
def verify_audit() -> None:
    """Check the audit log of every account; exit code 1 when one does not hold."""
    with configured("admin") as settings, owner_database(settings) as owner_url:
        found = asyncio.run(_verified(urls_of(settings, owner_url)))
    broken = [(account_id, each) for account_id, breaks in found.items() for each in breaks]
    for account_id, each in broken:
        complaints.print(f"Account {account_id}: entry {each.sequence} is {each.flaw}.")
    if broken:
        raise typer.Exit(1)
    console.print(f"The audit logs of {len(found)} accounts hold.")


async def _verified(urls: DatabaseUrls) -> Mapping[UUID, list[Break]]:
    database = Database(urls)
    try:
        return await verify_every_log(database)
    finally:
        await database.close()
