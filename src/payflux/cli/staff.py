"""Who is on the staff: the commands that let somebody join, and that end their time."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.cli.acting import in_one_transaction
from payflux.cli.configured import console
from payflux.frontdoor.staff import joining
from payflux.world.bootstrap import World


def add_staff(
    email: Annotated[str, typer.Argument(help="The address that they will sign in with.")],
    name: Annotated[str, typer.Option(help="How the logs of accounts name them.")] = "",
) -> None:
    """Let somebody join the staff, or start anew after they lost their authenticator app: prints a one-time link."""

    async def add(world: World, session: AsyncSession) -> str:
        now = world.clock.now()
        token = await joining.add_staff(session, world.tokens, world.secrets, email=email, name=name, now=now)
        return f"{world.settings.url}/admin/join?token={token}"

    console.print(in_one_transaction(add), soft_wrap=True)
    console.print(f"Give this link to {escape(email)} alone. It works once, within 24 hours.", soft_wrap=True)


def remove_staff(email: Annotated[str, typer.Argument(help="The address that they sign in with.")]) -> None:
    """End somebody's time on the staff, and their sessions and visits with it."""

    async def remove(world: World, session: AsyncSession) -> None:
        await joining.remove_staff(session, email=email, now=world.clock.now())

    in_one_transaction(remove)
    console.print(f"{escape(email)} is signed out, and cannot sign in to the console any more.", soft_wrap=True)
