"""`payflux run`: everything on this machine, with one command."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import time

import httpx
from rich.console import Console
from rich.table import Table

from payflux.cli.catalogue import sync_with_stripe
from payflux.cli.configured import configured, console
from payflux.cli.databases import embedded_server, owner_database, urls_of
from payflux.cli.preparing import prepare_database
from payflux.cli.processes import BOUNCE_TO, FORWARD_CONNECT_TO, FORWARD_TO, PartFailed, PortTaken, Supervisor
from payflux.sandbox.loopback import is_local
from payflux.settings import SANDBOX_WEBHOOK_SECRET, Settings, environment_variable
from payflux.world.stripe.errors import StripeFailure

_START_PATIENCE = 60.0  # seconds
_EVERYWHERE = ("0.0.0.0", "localhost")  # noqa: S104 -- recognised, not listened on


def run() -> None:
    """Start everything: database, web, worker and, without a Stripe key, the sandbox."""
    with configured("run") as settings:
        run_all(settings, console)


def run_all(settings: Settings, console: Console) -> None:
    """Start the database, the web server, a worker and, without a Stripe key, the sandbox; run until told to stop.

    Raises PortTaken, PartFailed, PostgresError and DatabaseError, each with a message for a person.
    """
    _refuse_unusable_port(settings.host, settings.port, environment_variable("port"))
    if settings.uses_sandbox:
        for port in (settings.sandbox_port, settings.mailbox_port):
            _refuse_unusable_port("127.0.0.1", port, environment_variable("sandbox_port"))
        if settings.port in (settings.sandbox_port, settings.mailbox_port):
            both = f"both {settings.port}" if settings.port == settings.sandbox_port else "next to each other"
            raise PortTaken(
                f"PAYFLUX_PORT and PAYFLUX_SANDBOX_PORT are {both}; the pages, the sandbox and, on the port after the "
                "sandbox's, its mailbox need a port each."
            )
    stop = _StopSignal()
    with owner_database(settings) as owner_url:
        plans = asyncio.run(prepare_database(urls_of(settings, owner_url)))
        environment = {
            "DATABASE_URL": owner_url,
            "PAYFLUX_SECRET_KEY": settings.secret_key.get_secret_value(),
            "PAYFLUX_DATA_DIR": str(settings.data_dir.absolute()),
            # the address to open should stay in sight; PAYFLUX_LOG_LEVEL=info shows every request
            "PAYFLUX_LOG_LEVEL": settings.log_level if "log_level" in settings.model_fields_set else "warning",
        }
        # the sandbox posts to this machine alone; what it does not bring, the worker reads every ten minutes
        host = "127.0.0.1" if settings.host in _EVERYWHERE else settings.host
        if is_local(host):
            environment[FORWARD_TO] = f"http://{host}:{settings.port}/api/v1/webhooks/stripe"
            if settings.uses_sandbox:
                environment[FORWARD_CONNECT_TO] = f"http://{host}:{settings.port}/hooks/stripe/connect"
                environment[BOUNCE_TO] = f"http://{host}:{settings.port}/hooks/mail/bounces"
                secrets = (*settings.connect_webhook_secrets, SANDBOX_WEBHOOK_SECRET)
                environment["STRIPE_CONNECT_WEBHOOK_SECRETS"] = ",".join(secrets)
        supervisor = Supervisor(environment, on_restart=lambda part, code: _say_restart(console, part, code))
        try:
            if settings.uses_sandbox:
                supervisor.start("sandbox")
            supervisor.start("serve")
            supervisor.start("work")
            if _wait_until_ready(settings, supervisor, stop):
                if settings.uses_sandbox:
                    _bring_plans_to_sandbox(settings, owner_url, console)
                _say_what_runs(console, settings, plans)
            while not stop.wait(0.5):
                supervisor.check()
            console.print("\nStopping …")
        finally:
            supervisor.stop()
    console.print(f"Stopped. Everything is kept in {settings.data_dir}; `make run` goes on from there.", soft_wrap=True)


class _StopSignal:
    """Ctrl-C, SIGTERM and the terminal's closing, as something to wait for."""

    def __init__(self) -> None:
        self.told = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._tell)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup ignores it, to outlive the terminal
            signal.signal(signal.SIGHUP, self._tell)

    def _tell(self, _number: int, _frame: object) -> None:
        self.told = True

    def wait(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not self.told and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.told


def _refuse_unusable_port(host: str, port: int, variable: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                another = port + 100 if port < 65_000 else port - 100
                raise PortTaken(
                    f"{host}:{port} is taken by another program. Stop it, or choose another port: "
                    f"{variable}={another} make run"
                ) from None
            raise PortTaken(
                f"PayFlux cannot listen on {host}:{port} ({error.strerror}). Set PAYFLUX_HOST to an IPv4 address of "
                f"this machine, and {variable} to a port you may use."
            ) from None


def _wait_until_ready(settings: Settings, supervisor: Supervisor, stop: _StopSignal) -> bool:
    addresses = [f"http://{settings.host}:{settings.port}/readyz"]
    if settings.uses_sandbox:
        addresses.append(f"{settings.sandbox_url}/healthz")
    deadline = time.monotonic() + _START_PATIENCE
    with httpx.Client(timeout=2.0, trust_env=False) as client:
        while addresses:
            supervisor.check()
            addresses = [address for address in addresses if not _answers(client, address)]
            if stop.wait(0.1):
                return False
            if time.monotonic() > deadline:
                raise PartFailed(f"{addresses[0]} does not answer after {_START_PATIENCE:.0f} seconds.")
    return True


def _answers(client: httpx.Client, address: str) -> bool:
    try:
        return client.get(address).is_success
    except httpx.TransportError:
        return False


def _bring_plans_to_sandbox(settings: Settings, owner_url: str, console: Console) -> None:
    try:
        sync_with_stripe(settings, owner_url)
    except StripeFailure as error:
        console.print(f"Nothing can be bought yet ({error}). Run `payflux sync-stripe-plans`.", markup=False)


def _say_what_runs(console: Console, settings: Settings, plans: int) -> None:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("web", f"http://{settings.host}:{settings.port}")
    table.add_row("worker", "one, for pulls, scores and projections")
    database = "DATABASE_URL" if settings.database_url else f"PostgreSQL in {embedded_server(settings).home}"
    table.add_row("database", f"{database}, {plans} plans")
    if settings.uses_sandbox:
        table.add_row("Stripe", f"{settings.sandbox_url}  a sandbox with made-up merchants; no key is set")
        table.add_row("mail", f"{settings.sandbox_url}/mailbox  what PayFlux sends ends there")
    else:
        table.add_row("Stripe", settings.stripe_api_base)
    console.print()
    console.print("[bold]PayFlux runs.[/bold]")
    console.print(table)
    console.print(f"\nOpen [bold]{settings.url}/register[/bold] and connect Stripe. Ctrl-C ends all of it.")


def _say_restart(console: Console, part: str, code: int) -> None:
    console.print(f"`payflux {part}` stopped (exit {code}); starting it again.")
