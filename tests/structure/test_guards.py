"""Every door as everyone: what the matrix says is what happens."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from fastapi import FastAPI

from payflux.web.guard_matrix import CAST, Answer, Persona, answer_of, as_table
from payflux.web.policies import Audience, guarded_routes
from payflux.world.bootstrap import World
from tests.structure.casting import Caller, cast_member, classify, doors

GOLDEN = Path(__file__).with_name("guards.md")


def test_the_matrix_is_the_one_that_was_agreed_on(app: FastAPI) -> None:
    written = as_table(guarded_routes(app))
    assert written == GOLDEN.read_text(), "Look at what changed, then: payflux admin guards > tests/structure/guards.md"


@pytest.mark.parametrize("persona", CAST, ids=lambda persona: persona.name)
async def test_every_route_answers_each_caller_as_the_matrix_says(
    app: FastAPI, lonely_world: World, superuser: asyncpg.Connection, persona: Persona
) -> None:
    member = None if persona.role is None else await cast_member(lonely_world, superuser, persona)
    caller = Caller(app, lonely_world, superuser, member)
    wrong: list[str] = []
    for route in doors(app):
        path = re.sub(r"\{\w+\}", str(uuid4()), route.path)
        response = await caller.call(route, path)
        if route.policy.audience is Audience.SIGNED_BODY:
            agreed = 400 <= response.status_code < 500
        elif route.policy.audience is Audience.STAFF:
            agreed = response.status_code in (303, 401, 403, 404)
        elif route.policy.audience is Audience.COLLECTOR:
            agreed = response.status_code == 404
        else:
            agreed = classify(response) is answer_of(route, persona) and response.status_code < 500
        if not agreed:
            got = f"{response.status_code} {classify(response)}: {response.text[:200]}"
            wrong.append(f"{route.methods[0]} {path}: {answer_of(route, persona)} expected, {got}")
    assert not wrong, "\n".join(wrong)


def test_the_cast_meets_every_rule(app: FastAPI) -> None:
    met = {answer_of(route, persona) for route in guarded_routes(app) for persona in CAST}
    assert met >= set(Answer) - {Answer.STAFF, Answer.TOKEN}
