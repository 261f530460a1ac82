"""A worker that reads as fast as it can, until it is killed: `python -m tests.soak.worker`."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from payflux.settings import load_settings
from payflux.worker.main import work
from payflux.world.bootstrap import build_world

RATE = 100_000.0
"""Requests a second; no setting of a real service allows such a rate."""


async def main() -> None:
    settings = load_settings().model_copy(update={"stripe_test_rate": RATE})
    world = build_world(settings, database_url=settings.database_url)
    await work(world, heartbeat_timeout=timedelta(seconds=1))


if __name__ == "__main__":
    asyncio.run(main())
