"""The switch of the launch: who may register without an invite, from the next request on."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.cli.acting import COMMAND_LINE, in_one_transaction
from payflux.cli.configured import console
from payflux.frontdoor.billing import launch
from payflux.world.bootstrap import World

self_serve = typer.Typer(help="Say who may register without an invite. No restart is needed.", no_args_is_help=True)

Address = Annotated[str, typer.Argument(help="The address that they register with.")]


@self_serve.command()
def on() -> None:
    """Let everybody register, and show the prices."""
    _switch(True)


@self_serve.command()
def off() -> None:
    """Let only invited people and listed addresses register, and hide the prices."""
    _switch(False)


@self_serve.command(name="as-configured")
def as_configured() -> None:
    """Go by SELF_SERVE_ENABLED again."""
    _switch(None)


@self_serve.command()
def allow(email: Address) -> None:
    """Let this address register in any case."""

    async def act(world: World, session: AsyncSession) -> None:
        await launch.allow(session, email=email, by=COMMAND_LINE, now=world.clock.now())

    in_one_transaction(act)
    console.print(f"{escape(email)} may register.", soft_wrap=True)


@self_serve.command()
def disallow(email: Address) -> None:
    """Take that back. An account that they have opened stays."""

    async def act(_world: World, session: AsyncSession) -> None:
        await launch.disallow(session, email=email)

    in_one_transaction(act)
    console.print(f"{escape(email)} is off the list.", soft_wrap=True)


@self_serve.command()
def status() -> None:
    """Print how it stands, who switched it last, and who is on the list."""
    _report(in_one_transaction(_status))


def _switch(enabled: bool | None) -> None:
    async def act(world: World, session: AsyncSession) -> launch.Launch:
        await launch.switch_self_serve(session, enabled, by=COMMAND_LINE, now=world.clock.now())
        return await _status(world, session)

    _report(in_one_transaction(act))


async def _status(world: World, session: AsyncSession) -> launch.Launch:
    return await launch.launch_status(session, world.settings)


def _report(state: launch.Launch) -> None:
    who = "Everybody may register" if state.enabled else "Only invited people and listed addresses may register"
    why = "by SELF_SERVE_ENABLED" if state.override is None else f"switched by {escape(state.changed_by or '')}"
    since = f" on {state.changed_at:%d %B %Y, %H:%M} UTC" if state.override is not None and state.changed_at else ""
    console.print(f"{who} ({why}{since}).", soft_wrap=True)
    for row in state.allowed:
        console.print(f"  {escape(row.email_normalized)}, listed by {escape(row.added_by)}", soft_wrap=True)
