"""The commands of whoever runs PayFlux: who gets through to which route, whether the audit logs hold, who is on the
staff, and who may register."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

import typer
from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.app import create_app
from payflux.cli.acting import in_one_transaction
from payflux.cli.complimentary import complimentary
from payflux.cli.configured import complaints, configured, console
from payflux.cli.databases import owner_database, urls_of
from payflux.cli.launch import self_serve
from payflux.cli.operations import report
from payflux.cli.sample import sample_readout
from payflux.frontdoor.staff.joining import add_staff, remove_staff
from payflux.kit.audit_chain import Break
from payflux.kit.audit_check import verify_every_log
from payflux.kit.database import Database, DatabaseUrls
from payflux.monitor.ledger.keys import replace_key
from payflux.web.guard_matrix import as_table
from payflux.web.policies import guarded_routes
from payflux.world.bootstrap import World, build_world

admin = typer.Typer(help="Look after a running PayFlux.", no_args_is_help=True)
admin.add_typer(self_serve, name="self-serve")
admin.command()(complimentary)
admin.command()(report)
admin.command(name="sample-readout")(sample_readout)

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


@admin.command(name="add-staff")
def add_staff_member(
    email: Annotated[str, typer.Argument(help="The address that they will sign in with.")],
    name: Annotated[str, typer.Option(help="How the logs of accounts name them.")] = "",
) -> None:
    """Let somebody join the staff, or start anew after they lost their authenticator app: prints a one-time link."""

    async def add(world: World, session: AsyncSession) -> str:
        now = world.clock.now()
        token = await add_staff(session, world.tokens, world.secrets, email=email, name=name, now=now)
        return f"{world.settings.url}/admin/join?token={token}"

    console.print(in_one_transaction(add), soft_wrap=True)
    console.print(f"Give this link to {escape(email)} alone. It works once, within 24 hours.", soft_wrap=True)


@admin.command(name="rotate-ledger-key")
def rotate_ledger_key() -> None:
    """Put a new key into force that signs the ledger. The old one stays published, with the time it signed in."""

    async def rotate(world: World, session: AsyncSession) -> str:
        return (await replace_key(world, session)).key_id

    console.print(f"The ledger is signed by key {in_one_transaction(rotate)} from now on.", soft_wrap=True)


@admin.command(name="remove-staff")
def remove_staff_member(email: Annotated[str, typer.Argument(help="The address that they sign in with.")]) -> None:
    """End somebody's time on the staff, and their sessions and visits with it."""

    async def remove(world: World, session: AsyncSession) -> None:
        await remove_staff(session, email=email, now=world.clock.now())

    in_one_transaction(remove)
    console.print(f"{escape(email)} is signed out, and cannot sign in to the console any more.", soft_wrap=True)


async def _verified(urls: DatabaseUrls) -> Mapping[UUID, list[Break]]:
    database = Database(urls)
    try:
        return await verify_every_log(database)
    finally:
        await database.close()
