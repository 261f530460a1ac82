"""The console beside a Stripe that can be sold at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI

from payflux.app import create_app
from payflux.world.bootstrap import World
from tests.conftest import with_settings
from tests.sandbox_server import running_sandbox


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with running_sandbox() as url:
        yield url


@pytest.fixture
async def selling(world: World, sandbox_url: str) -> AsyncIterator[World]:
    async with httpx.AsyncClient() as http:
        yield replace(with_settings(world, stripe_api_base=sandbox_url), http=http)


@pytest.fixture
def app(selling: World) -> FastAPI:
    return create_app(selling)
