"""What is stored: brought to this version's schema, or deleted."""

from __future__ import annotations

import asyncio
import shutil
from typing import Annotated

import typer

from payflux.cli.configured import configured, console
from payflux.cli.databases import embedded_server, owner_database, urls_of
from payflux.cli.preparing import prepare_database


def migrate() -> None:
    """Bring the database to this version's schema and catalogue."""
    with configured("migrate") as settings, owner_database(settings) as owner_url:
        plans = asyncio.run(prepare_database(urls_of(settings, owner_url)))
        console.print(f"The database is up to date; the catalogue has {plans} plans.")


def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
) -> None:
    """Delete the embedded database and everything else in the data folder."""
    with configured("reset") as settings:
        home = embedded_server(settings).home
        folders = [folder for folder in (home, settings.data_dir) if folder.exists()]
        if not folders:
            console.print(f"Nothing to delete in {settings.data_dir}.")
            return
        named = " and ".join(map(str, folders))
        if not yes and not typer.confirm(f"Delete {named}, with every account in it?"):
            raise typer.Exit(1)
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        console.print(f"Deleted {named}.")
