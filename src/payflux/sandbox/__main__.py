"""`python -m payflux.sandbox`: the sandbox without the rest of PayFlux."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from payflux.sandbox.server import run


def main(
    host: Annotated[str, typer.Option(help="Loopback address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65534, help="Port to listen on; mails are taken on the next.")] = 8001,
    state_dir: Annotated[Path | None, typer.Option(help="Folder that keeps the state over a restart.")] = None,
    latency_ms: Annotated[float, typer.Option(min=0, help="Milliseconds that every API call waits.")] = 0,
    requests_per_second: Annotated[float, typer.Option(min=1, help="Rate limit of each endpoint and account.")] = 25,
    account_requests_per_second: Annotated[
        float | None, typer.Option(min=1, help="Rate limit of an account; four times that of an endpoint by default.")
    ] = None,
    concurrent_requests: Annotated[
        int | None, typer.Option(min=1, help="Calls that an account may have side by side; any number by default.")
    ] = None,
    forward_to: Annotated[
        str | None, typer.Option(help="Address that the platform's own events are posted to.")
    ] = None,
    forward_connect_to: Annotated[
        str | None, typer.Option(help="Address that the events of accounts connected to it are posted to.")
    ] = None,
    bounce_to: Annotated[
        str | None, typer.Option(help="Address that the reports of mails that bounce are posted to.")
    ] = None,
) -> None:
    """A stateful Stripe on this machine, for development and tests."""
    try:
        run(
            host=host,
            port=port,
            state_dir=state_dir,
            latency_ms=latency_ms,
            requests_per_second=requests_per_second,
            account_requests_per_second=account_requests_per_second,
            concurrent_requests=concurrent_requests,
            forward_to=forward_to,
            forward_connect_to=forward_connect_to,
            bounce_to=bounce_to,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


if __name__ == "__main__":
    typer.run(main)
