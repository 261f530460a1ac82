"""Every door as everyone: what the matrix says is what happens."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import make_url

from payflux.app import create_app
from payflux.kit.postgres import EmbeddedPostgres
from payflux.settings import Settings
from payflux.web.guard_matrix import CAST, Answer, Persona, answer_of, as_table
from payflux.web.policies import Audience, guarded_routes
from payflux.world.bootstrap import World, build_world
from tests.conftest import MovedClock
from tests.structure.casting import call, cast_member, classify, put_in_place

GOLDEN = Path(__file__).with_name("guards.md")


@pytest.fixture
async def superuser(postgres: EmbeddedPostgres, owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres.url(database=make_url(owner_url).database or ""))
    yield connection
    await connection.close()


@pytest.fixture
async def lonely_world(settings: Settings, owner_url: str, clock: MovedClock) -> AsyncIterator[World]:
    """A world outside of which nothing answers."""
    nobody = httpx.AsyncClient(transport=httpx.MockTransport(lambda _request: httpx.Response(503)))
    world = build_world(settings, database_url=owner_url, clock=clock, http=nobody)
    yield world
    await world.close()


@pytest.fixture
def app(lonely_world: World) -> FastAPI:
    return create_app(lonely_world)


def test_the_matrix_is_the_one_that_was_agreed_on(app: FastAPI) -> None:
    written = as_table(guarded_routes(app))
    assert written == GOLDEN.read_text(), "Look at what changed, then: payflux admin guards > tests/structure/guards.md"


@pytest.mark.parametrize("persona", CAST, ids=lambda persona: persona.name)
async def test_every_route_answers_each_caller_as_the_matrix_says(
    app: FastAPI, lonely_world: World, superuser: asyncpg.Connection, persona: Persona
) -> None:
    member = None if persona.role is None else await cast_member(lonely_world, superuser, persona)
    wrong: list[str] = []
    for route in guarded_routes(app):
        path = re.sub(r"\{\w+\}", str(uuid4()), route.path)
        response = await call(app, lonely_world, superuser, route, member, path)
        if member is not None:
            await put_in_place(lonely_world, superuser, member)
        if route.policy.audience is Audience.SIGNED_BODY:
            agreed = 400 <= response.status_code < 500
        elif route.policy.audience is Audience.STAFF:
            agreed = response.status_code in (303, 401, 403, 404)
        else:
            agreed = classify(response) is answer_of(route, persona) and response.status_code < 500
        if not agreed:
            got = f"{response.status_code} {classify(response)}: {response.text[:200]}"
            wrong.append(f"{route.methods[0]} {path}: {answer_of(route, persona)} expected, {got}")
    assert not wrong, "\n".join(wrong)


def test_the_cast_meets_every_rule(app: FastAPI) -> None:
    met = {answer_of(route, persona) for route in guarded_routes(app) for persona in CAST}
    assert met >= set(Answer) - {Answer.STAFF}
