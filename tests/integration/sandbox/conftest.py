"""A sandbox served over real HTTP on a free port, for as long as a test runs."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import stripe
import uvicorn

from payflux.sandbox.app import create_app
from payflux.sandbox.callers import SECRET_KEY
from payflux.sandbox.state import SandboxState


@contextmanager
def served(state: SandboxState, **options: Any) -> Generator[str, None, None]:
    """The base address of a sandbox that runs in a thread of its own."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or each answer waits 40 ms for its body
    server = uvicorn.Server(uvicorn.Config(create_app(state, **options), log_level="warning"))
    ready = threading.Event()

    async def serve() -> None:
        task = asyncio.ensure_future(server.serve([listening]))
        ready.set()
        await task

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def state() -> SandboxState:
    return SandboxState(requests_per_second=1000)


@pytest.fixture(scope="module")
def base(state: SandboxState) -> Iterator[str]:
    with served(state) as address:
        yield address


@pytest.fixture
def client(base: str) -> Callable[..., stripe.StripeClient]:
    """The official client of a key."""

    def make(key: str = SECRET_KEY, **options: Any) -> stripe.StripeClient:
        return stripe.StripeClient(
            key,
            base_addresses={"api": base, "connect": base},
            client_id="ca_sandbox",
            max_network_retries=0,
            **options,
        )

    return make
