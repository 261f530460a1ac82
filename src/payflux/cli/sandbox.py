"""`payflux sandbox`: the stand-in for Stripe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from payflux.cli.configured import configured
from payflux.cli.processes import BOUNCE_TO, FORWARD_CONNECT_TO, FORWARD_TO, end_with_supervisor
from payflux.sandbox.server import run as run_sandbox
from payflux.settings import SettingsError


def sandbox(
    port: Annotated[int | None, typer.Option(help="The port to listen on, on loopback.")] = None,
    latency_ms: Annotated[int, typer.Option(min=0, help="How long every API answer takes at least.")] = 0,
    requests_per_second: Annotated[float, typer.Option(min=1, help="Rate limit of each endpoint and account.")] = 25,
    fresh: Annotated[bool, typer.Option(help="Keep nothing: start anew and forget at the end.")] = False,
    forward_to: Annotated[
        str | None,
        typer.Option(envvar=FORWARD_TO, help="Address that the platform's own events are posted to, as they happen."),
    ] = None,
    forward_connect_to: Annotated[
        str | None,
        typer.Option(
            envvar=FORWARD_CONNECT_TO, help="Address that the events of accounts connected to it are posted to."
        ),
    ] = None,
    bounce_to: Annotated[
        str | None, typer.Option(envvar=BOUNCE_TO, help="Address that the reports of mails that bounce are posted to.")
    ] = None,
) -> None:
    """Start the stand-in for Stripe alone, with made-up merchants and a page that controls it. Needs no database."""
    end_with_supervisor()
    with configured("sandbox") as settings:
        if settings.environment == "production":
            raise SettingsError("The sandbox is for development: PAYFLUX_ENVIRONMENT is production.")
        state_dir: Path | None = None if fresh else settings.data_dir / "sandbox"
        try:
            run_sandbox(
                port=port or settings.sandbox_port,
                state_dir=state_dir,
                latency_ms=latency_ms,
                requests_per_second=requests_per_second,
                forward_to=forward_to,
                forward_connect_to=forward_connect_to,
                bounce_to=bounce_to,
            )
        except ValueError as error:
            raise SettingsError(str(error)) from None
