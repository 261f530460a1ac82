"""What is chained and signed: the commands that check the audit logs and change the ledger's key."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.cli.acting import in_one_transaction
from payflux.cli.configured import complaints, configured, console
from payflux.cli.databases import owner_database, urls_of
from payflux.kit.audit_chain import Break
from payflux.kit.audit_check import verify_every_log
from payflux.kit.database import Database, DatabaseUrls
from payflux.monitor.ledger.keys import replace_key
from payflux.world.bootstrap import World


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


def rotate_ledger_key() -> None:
    """Put a new key into force that signs the ledger. The old one stays published, with the time it signed in."""

    async def rotate(world: World, session: AsyncSession) -> str:
        return (await replace_key(world, session)).key_id

    console.print(f"The ledger is signed by key {in_one_transaction(rotate)} from now on.", soft_wrap=True)


async def _verified(urls: DatabaseUrls) -> Mapping[UUID, list[Break]]:
    database = Database(urls)
    try:
        return await verify_every_log(database)
    finally:
        await database.close()
