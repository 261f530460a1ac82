"""What every command begins with: its settings, its log, and a way to say what is wrong with them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.markup import escape

from payflux.kit.errors import OperatorError
from payflux.kit.logs import configure_logging
from payflux.settings import Settings, SettingsError, load_settings

console = Console(highlight=False)
complaints = Console(stderr=True, highlight=False)


@contextmanager
def configured(process: str) -> Generator[Settings, None, None]:
    """The settings; an error meant for a person ends the command with its sentence and exit code 1."""
    try:
        settings = load_settings()
        configure_logging(log_format=settings.log_format, level=settings.log_level, process=process)
        yield settings
    except (SettingsError, OperatorError) as error:
        complaints.print(f"[bold red]PayFlux cannot go on.[/bold red] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(1) from None
