"""Every route of members either asks for a plan or says why it needs none; and what needs none is open to all."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

from payflux.web.guard_matrix import CAST, LIVE, Answer, Persona, answer_of
from payflux.web.policies import Audience, GuardedRoute, Policy, guard, guarded_routes
from payflux.web.without_plan import WITHOUT_PLAN, needs_no_plan, reason_of

WALLED = [persona for persona in CAST if persona.role is not None and persona.status not in LIVE]
WAYS_OUT = {
    "GET /account/billing",
    "GET /account/billing/select-plan",
    "POST /account/billing/select-plan",
    "POST /account/billing/free",
    "POST /account/billing/portal",
    "GET /account/export",
    "POST /account/delete",
    "POST /sign-out",
    "POST /account/switch",
    "GET /account/profile",
    "GET /account/security",
    "POST /account/team/leave",
    "POST /connection/disconnect",
    "GET /api/v1/auth/me",
    "POST /api/v1/auth/logout",
    "POST /api/v1/auth/email/send-verification",
    "POST /api/v1/auth/password/change",
    "GET /api/v1/billing/state",
    "POST /api/v1/billing/checkout-session",
    "GET /api/v1/billing/portal-session",
}
"""What has to be reached from behind every wall: paying, leaving with one's data, and proving who one is."""


def test_the_cast_stands_behind_every_wall() -> None:
    assert {persona.status for persona in WALLED} == {"expired", "long expired", "canceled", "incomplete", None}


def test_every_route_of_members_asks_for_a_plan_or_says_why_it_does_not(app: FastAPI) -> None:
    silent = [route.path for route in guarded_routes(app) if needs_no_plan(route) and reason_of(route.path) is None]
    assert silent == [], "Give each a feature, or say in payflux.web.without_plan why it needs none."


def test_no_reason_is_given_for_what_there_is_not(app: FastAPI) -> None:
    paths = [route.path for route in guarded_routes(app)]
    assert [start for start in WITHOUT_PLAN if not any(f"{path}/".startswith(f"{start}/") for path in paths)] == []


@pytest.mark.parametrize("persona", WALLED, ids=lambda persona: persona.name)
def test_what_needs_no_plan_is_reached_from_behind_every_wall(app: FastAPI, persona: Persona) -> None:
    # that each call is answered as the matrix says is what the guards' own test shows
    routes = [route for route in guarded_routes(app) if needs_no_plan(route)]
    assert {answer_of(route, persona) for route in routes} == {Answer.THROUGH}
    assert {f"{route.methods[0]} {route.path}" for route in routes} >= WAYS_OUT


def test_history_is_read_for_a_while_and_nothing_is_changed_by_it() -> None:
    policy = Policy(Audience.SIGNED_IN, feature="reserve_projection", history=True)
    reading, writing = (GuardedRoute((method,), "/dashboard", policy) for method in ("GET", "POST"))
    readable = {persona.name for persona in WALLED if answer_of(reading, persona) is Answer.THROUGH}
    assert readable == {"trial over", "canceled", "incomplete"}
    assert {answer_of(writing, persona) for persona in WALLED} == {Answer.PLAN}


def test_history_of_what_needs_no_plan_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="open without its history"):
        guard(history=True)
