"""Every route is closed unless it stands in the one list of public routes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from payflux.app import create_app
from payflux.hooks.routes import router as hook_router
from payflux.settings import Settings
from payflux.web.guards import PUBLIC_PATHS, require_entitled, require_manager, signed_in
from payflux.web.security import require_csrf
from payflux.world.bootstrap import build_world

NEEDS_A_MANAGER = {"/api/stripe/authorize", "/api/stripe/callback", "/api/stripe/key", "/activate/retry"}
NEEDS_A_MANAGER |= {"/api/stripe/app/authorize", "/api/stripe/app/callback", "/activate/cancel"}
NEEDS_A_MANAGER |= {"/connection/disconnect", "/connection/check", "/connection/host"}
NEEDS_A_MANAGER |= {"/connection/secrets", "/connection/secrets/remove"}
NEEDS_A_PLAN = {
    "/dashboard",
    "/what-if",
    "/api/stripe/authorize",
    "/api/stripe/app/authorize",
    "/api/stripe/app/callback",
    "/api/stripe/callback",
    "/api/stripe/key",
    "/activate/retry",
}


class Route(NamedTuple):
    path: str
    methods: set[str]
    guards: set[object]


def app_of(settings: Settings) -> FastAPI:
    return create_app(build_world(settings, database_url="postgresql://nobody@127.0.0.1:1/nothing"))


def guards_of(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for child in dependant.dependencies:
        yield from guards_of(child)


def routes_of(app: FastAPI) -> list[Route]:
    """Every route of ours, with the dependencies that hold for it; mounted files have none."""
    found = [context for context in iter_route_contexts(app.routes) if isinstance(context.original_route, APIRoute)]
    assert len(found) > 10
    return [Route(str(context.path), context.methods or set(), set(guards_of(context.dependant))) for context in found]


def test_every_route_needs_a_signed_in_user_unless_it_is_listed_as_public(settings: Settings) -> None:
    closed = {route.path for route in routes_of(app_of(settings)) if signed_in in route.guards}
    every = {route.path for route in routes_of(app_of(settings))}
    assert every - closed - {"/sign-out"} == PUBLIC_PATHS - {"/sign-out"}
    assert "/sign-out" in closed


def test_every_route_checks_that_a_change_comes_from_our_own_pages(settings: Settings) -> None:
    for route in routes_of(app_of(settings)):
        assert require_csrf in route.guards, route.path


def test_whoever_calls_a_webhook_proves_it_by_a_signature_of_the_body(settings: Settings) -> None:
    routes = {route.path: route.methods for route in iter_route_contexts(hook_router.routes)}
    assert routes == {"/stripe/connect": {"POST"}, "/stripe/{token}": {"POST"}, "/events/{token}": {"POST"}}


def test_only_owners_and_admins_change_what_is_connected(settings: Settings) -> None:
    guarded = {route.path for route in routes_of(app_of(settings)) if require_manager in route.guards}
    assert guarded == NEEDS_A_MANAGER


def test_what_the_plan_pays_for_needs_a_running_trial_or_subscription(settings: Settings) -> None:
    guarded = {route.path for route in routes_of(app_of(settings)) if require_entitled in route.guards}
    assert guarded == NEEDS_A_PLAN


def test_a_route_either_shows_or_changes(settings: Settings) -> None:
    for route in routes_of(app_of(settings)):
        assert route.methods in ({"GET"}, {"POST"}), route.path
