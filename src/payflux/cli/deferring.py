"""Commands whose modules are imported when they are called: a worker needs no pages, and help needs nothing at all."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup


class Place(NamedTuple):
    """Where a command's function or group stands, as `module:name`, and its help's first sentence."""

    where: str
    sentence: str


class Deferred(TyperCommand):
    """Stands for a command until it is called, and then for what stands at its place."""

    def __init__(self, name: str, place: Place) -> None:
        super().__init__(name, help=place.sentence)
        self._where = place.where

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **more: Any) -> Any:
        module, _, name = self._where.partition(":")
        found = getattr(import_module(module), name)
        if isinstance(found, typer.Typer):
            group = found
        else:
            group = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
            group.command(self.name)(found)
        return typer.main.get_command(group).make_context(info_name, args, *rest, **more)


def deferred(commands: Mapping[str, Place], *, help: str) -> typer.Typer:  # noqa: A002 -- as typer calls it
    """A group of these commands by name, in their order."""

    class Commands(TyperGroup):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            for name, place in commands.items():
                self.add_command(Deferred(name, place))

    group = typer.Typer(
        cls=Commands, help=help, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False
    )
    group.callback()(_nothing)
    return group


def _nothing() -> None:
    pass
