"""Run the sandbox as a process of its own."""

from __future__ import annotations

from pathlib import Path

import uvicorn
from rich.console import Console

from payflux.sandbox.api.webhook_endpoints import require_local
from payflux.sandbox.app import create_app
from payflux.sandbox.app_grants import APP_CLIENT_ID, APP_SECRET_KEY
from payflux.sandbox.callers import SECRET_KEY
from payflux.sandbox.errors import StripeError
from payflux.sandbox.forwarding import forward
from payflux.sandbox.loopback import is_local
from payflux.sandbox.mailbox.smtp import listen
from payflux.sandbox.merchants.archetypes import ARCHETYPES
from payflux.sandbox.state import CLIENT_ID, SandboxState
from payflux.settings import SANDBOX_WEBHOOK_SECRET


def require_loopback(host: str) -> None:
    """Raises ValueError unless `host` is an address of this machine only."""
    if not is_local(host):
        raise ValueError(
            f"The sandbox listens on this machine only, and {host!r} is not a loopback address. Its keys are public, "
            "so anybody who reaches it may use it. Use --host 127.0.0.1."
        )


def run(
    *,
    host: str = "127.0.0.1",
    port: int = 8001,
    state_dir: Path | None = None,
    latency_ms: float = 0,
    requests_per_second: float = 25,
    account_requests_per_second: float | None = None,
    concurrent_requests: int | None = None,
    forward_to: str | None = None,
    forward_connect_to: str | None = None,
    bounce_to: str | None = None,
) -> None:
    """Serve the sandbox until it is interrupted, and print its keys first. The limits are those of `create_app`.

    Mails are taken on the port after `port`; the platform's own events are posted to `forward_to`, those of the
    accounts connected to it to `forward_connect_to`, and the reports of mails that bounce to `bounce_to`. Raises
    ValueError for a host that is not loopback, a negative
    latency, a rate below one, a broken state file, an address elsewhere, or where the mailbox's port is taken.
    """
    require_loopback(host)
    if latency_ms < 0 or min(requests_per_second, account_requests_per_second or 1, concurrent_requests or 1) < 1:
        raise ValueError("Latency cannot be negative, and the limits are at least one request.")
    mailbox = listen(host, port + 1)
    state = SandboxState(state_dir=state_dir, requests_per_second=requests_per_second)
    for option, url, connect in (("forward-to", forward_to, False), ("forward-connect-to", forward_connect_to, True)):
        try:
            if url is not None:
                forward(state, url, SANDBOX_WEBHOOK_SECRET, connect=connect)
        except StripeError as error:
            raise ValueError(f"--{option}: {error}") from None
    try:
        bounces = require_local(bounce_to) if bounce_to is not None else None
    except StripeError as error:
        raise ValueError(f"--bounce-to: {error}") from None
    base = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    out = Console(highlight=False, soft_wrap=True)
    out.print(f"Sandbox - simulated Stripe, no real account - on {base}", markup=False)
    out.print(f"  control         {base}/control", markup=False)
    out.print(f"  mailbox         {base}/mailbox, takes mails on {host}:{port + 1}", markup=False)
    out.print(f"  sign-in         {base}/identity, for Google and Microsoft", markup=False)
    out.print(f"  platform key    {SECRET_KEY}\n  Connect client  {CLIENT_ID}", markup=False)
    for url in filter(None, (forward_to, forward_connect_to)):
        out.print(f"  webhooks        to {url}, signed with {SANDBOX_WEBHOOK_SECRET}", markup=False)
    out.print(f"  Stripe App      {APP_CLIENT_ID}, its developer's key {APP_SECRET_KEY}", markup=False)
    for archetype in ARCHETYPES.values():
        out.print(f"  {archetype.restricted_key:<36} {archetype.account_id}  {archetype.business}", markup=False)
    app = create_app(
        state,
        latency_ms=latency_ms,
        account_requests_per_second=account_requests_per_second,
        concurrent_requests=concurrent_requests,
        mailbox=mailbox,
        bounce_to=bounces,
    )
    uvicorn.run(app, host=host, port=port, log_level="warning")
