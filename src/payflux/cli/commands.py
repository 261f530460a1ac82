"""The commands: start a part or all of PayFlux, look after the database, and check the configuration."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from payflux.app import create_app
from payflux.cli.admin import admin
from payflux.cli.analyze import analyze
from payflux.cli.backtest.command import backtest
from payflux.cli.catalogue import seed, sync_stripe_plans
from payflux.cli.configured import configured, console
from payflux.cli.databases import check_database, embedded_server, owner_database, prepare_database, urls_of
from payflux.cli.doctor import examine, report
from payflux.cli.gate import gate
from payflux.cli.processes import end_with_supervisor
from payflux.cli.run import FORWARD_CONNECT_TO, FORWARD_TO, run_all
from payflux.cli.verify import verify
from payflux.sandbox.server import run as run_sandbox
from payflux.settings import SettingsError
from payflux.worker.main import work_until_stopped
from payflux.world.bootstrap import build_world

app = typer.Typer(
    help="See what your payment processor may hold back, why, until when, and what lowers it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.command()
def run() -> None:
    """Start everything: database, web, worker and, without a Stripe key, the sandbox."""
    with configured("run") as settings:
        run_all(settings, console)


@app.command()
def serve() -> None:
    """Start the web server alone."""
    end_with_supervisor()
    with configured("web") as settings, owner_database(settings) as owner_url:
        asyncio.run(check_database(urls_of(settings, owner_url)))
        uvicorn.run(
            create_app(build_world(settings, database_url=owner_url)),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )


@app.command()
def work() -> None:
    """Start one worker alone. Start more for more work at once, on as many machines as you like."""
    end_with_supervisor()
    with configured("worker") as settings, owner_database(settings) as owner_url:
        asyncio.run(work_until_stopped(build_world(settings, database_url=owner_url)))


@app.command()
def migrate() -> None:
    """Bring the database to this version's schema and catalogue."""
    with configured("migrate") as settings, owner_database(settings) as owner_url:
        plans = asyncio.run(prepare_database(urls_of(settings, owner_url)))
        console.print(f"The database is up to date; the catalogue has {plans} plans.")


@app.command()
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
            )
        except ValueError as error:
            raise SettingsError(str(error)) from None


@app.command()
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


app.command()(analyze)
app.command()(backtest)
app.command()(gate)
app.command()(seed)
app.command(name="sync-stripe-plans")(sync_stripe_plans)
app.command()(verify)
app.add_typer(admin, name="admin")


@app.command()
def doctor() -> None:
    """Check every setting and everything PayFlux stands on, and say what to do."""
    findings = examine()
    report(findings, console)
    sys.exit(0 if all(finding.ok for finding in findings) else 1)
