"""Checks, while the web application runs, that accounts are kept apart: at its start, and hourly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import asyncpg
import structlog
from fastapi import FastAPI
from starlette.datastructures import State

from payflux.kit.isolation.canary import check_isolation
from payflux.world.bootstrap import World

CHECK_EVERY = 3600.0  # seconds

log = structlog.get_logger(__name__)


@asynccontextmanager
async def checking_isolation(app: FastAPI, world: World) -> AsyncGenerator[None, None]:
    """Check once before the first request is served, and hourly for as long as the context is open."""
    await run_check(app.state, world)
    hourly = asyncio.create_task(_check_hourly(app.state, world))
    try:
        yield
    finally:
        hourly.cancel()
        with suppress(asyncio.CancelledError):
            await hourly


async def run_check(state: State, world: World) -> None:
    """Check now; `state.isolation` keeps what was found, and the last finding where the check itself fails."""
    try:
        state.isolation = await check_isolation(world.database, now=world.clock.now())
    except (OSError, asyncpg.PostgresError):
        log.exception("isolation could not be checked")


async def _check_hourly(state: State, world: World) -> None:
    while True:
        await asyncio.sleep(CHECK_EVERY)
        await run_check(state, world)
