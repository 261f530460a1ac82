"""An act of whoever runs PayFlux, on its database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import typer
from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.cli.configured import complaints, configured
from payflux.cli.databases import owner_database
from payflux.kit.errors import InvalidInput, UserError
from payflux.world.bootstrap import World, build_world

Result = TypeVar("Result")

COMMAND_LINE = "command line"
"""Who did it, where a log asks."""


def in_one_transaction(act: Callable[[World, AsyncSession], Awaitable[Result]]) -> Result:
    """What `act` returns; an error meant for a person ends the command with its sentence."""

    async def run(world: World) -> Result:
        try:
            async with world.database.system() as session:
                return await act(world, session)
        finally:
            await world.close()

    with configured("admin") as settings, owner_database(settings) as owner_url:
        try:
            return asyncio.run(run(build_world(settings, database_url=owner_url)))
        except UserError as error:
            said = " ".join(error.fields.values()) if isinstance(error, InvalidInput) else error.message
            complaints.print(escape(said), soft_wrap=True)
            raise typer.Exit(1) from None
