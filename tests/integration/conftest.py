"""The world connected to a sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import httpx
import pytest

from payflux.kit.clock import SystemClock
from payflux.world.bootstrap import World
from payflux.world.stripe import reader
from tests.sandbox_server import running_sandbox


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a reader of Stripe wait next to nothing before it asks again; how long it waits has tests of its own."""
    monkeypatch.setattr(reader, "_BACKOFF_BASE", 0.01)


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    with running_sandbox() as url:
        yield url


@pytest.fixture
async def live_world(world: World, sandbox_url: str) -> AsyncIterator[World]:
    """The world with the sandbox for Stripe, and with the machine's clock, which the sandbox started by."""
    addresses = {"stripe_api_base": sandbox_url, "stripe_connect_base": sandbox_url, "stripe_test_rate": 1000.0}
    settings = world.settings.model_copy(update=addresses)
    async with httpx.AsyncClient() as http:
        yield replace(world, settings=settings, clock=SystemClock(), http=http)
