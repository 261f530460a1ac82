"""The application on a port of loopback, for what asks over HTTP from outside of the test's event loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

import uvicorn

from payflux.app import create_app
from payflux.kit.clock import Clock
from payflux.kit.limits import RateLimit
from payflux.settings import Settings
from payflux.world.bootstrap import build_world
from tests.running import free_port


@contextmanager
def served(
    settings: Settings, owner_url: str, *, clock: Clock | None = None, calls: RateLimit | None = None
) -> Generator[str]:
    """Its address. It runs in a thread with an event loop of its own, and ends with the block.
    `calls` limits how often each program calls, where it is not the usual."""
    port = free_port()
    settings = settings.model_copy(update={"port": port, "public_url": f"http://127.0.0.1:{port}"})
    world = build_world(settings, database_url=owner_url, clock=clock)
    app = create_app(replace(world, calls=calls) if calls else world)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
