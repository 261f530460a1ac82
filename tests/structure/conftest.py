"""The application in a world outside of which nothing answers, and somebody who sees every row."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import make_url

from payflux.app import create_app
from payflux.kit.postgres import EmbeddedPostgres
from payflux.settings import Settings
from payflux.world.bootstrap import World, build_world
from tests.conftest import MovedClock
from tests.databases import SharedDatabase


@pytest.fixture
async def superuser(postgres: EmbeddedPostgres, owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres.url(database=make_url(owner_url).database or ""))
    yield connection
    await connection.close()


@pytest.fixture
async def lonely_world(
    settings: Settings, owner_url: str, shared_database: SharedDatabase, clock: MovedClock
) -> AsyncIterator[World]:
    """A world outside of which nothing answers."""
    nobody = httpx.AsyncClient(transport=httpx.MockTransport(lambda _request: httpx.Response(503)))
    world = build_world(settings, database_url=owner_url, clock=clock, http=nobody, database=shared_database.database)
    yield world
    await world.close()


@pytest.fixture
def app(lonely_world: World) -> FastAPI:
    return create_app(lonely_world)
