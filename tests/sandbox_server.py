"""The sandbox as a server of its own on a free port, ended with the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime

import uvicorn

from payflux.sandbox.app import create_app
from payflux.sandbox.state import SandboxState
from tests.running import free_port


@contextmanager
def running_sandbox(
    *, requests_per_second: float = 1000, latency_ms: float = 0, time_passes: bool = False
) -> Generator[str, None, None]:
    """The address of a sandbox in a thread, in which no time passes unless it is told to. By default its rate limit is
    out of the way."""
    started_at = datetime.now(UTC)
    port = free_port()
    app = create_app(
        SandboxState(
            now=lambda: datetime.now(UTC) if time_passes else started_at, requests_per_second=requests_per_second
        ),
        latency_ms=latency_ms,
    )
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert thread.is_alive()
        assert time.monotonic() < deadline, "the sandbox did not start"
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)
