"""Thank those who were here first: the command that makes their accounts complimentary."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape

from payflux.cli.configured import configured, console
from payflux.cli.databases import owner_database
from payflux.frontdoor.billing.complimentary import Candidate, candidates, counted, grant_complimentary
from payflux.world.bootstrap import World, build_world


def complimentary(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    before: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Accounts opened before this day (UTC); default: all.")
    ] = None,
) -> None:
    """Give Pro, complimentary, to the accounts that exist: to all but those that pay or have canceled. Each is mailed
    once; running it again changes nothing."""
    with configured("admin") as settings, owner_database(settings) as owner_url:
        instant = before.replace(tzinfo=UTC) if before else None
        found = asyncio.run(_found(build_world(settings, database_url=owner_url), instant))
        chosen = [each for each in found if not each.kept]
        for each in chosen:
            console.print(f"  {escape(each.name)} ({each.account_id})", soft_wrap=True)
        for why, accounts in counted(found).items():
            console.print(f"Stay as they are, {why}: {accounts}" if why else f"Become complimentary: {accounts}")
        if dry_run or not chosen:
            console.print("Nothing was changed.")
            return
        if not yes and not typer.confirm("Go on, and mail their members?"):
            raise typer.Exit(1)
        asyncio.run(_grant(build_world(settings, database_url=owner_url), chosen))
        console.print(f"Complimentary now: {len(chosen)}. The worker sends the mails.")


async def _found(world: World, before: datetime | None) -> list[Candidate]:
    now = world.clock.now()
    try:
        async with world.database.system() as session:
            return await candidates(session, before=before or now, now=now)
    finally:
        await world.close()


async def _grant(world: World, chosen: list[Candidate]) -> None:
    try:
        for each in chosen:
            async with world.database.tenant(each.account_id) as session:
                await grant_complimentary(session, account_id=each.account_id, now=world.clock.now())
    finally:
        await world.close()
