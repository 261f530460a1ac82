"""Every route is closed unless it stands in the one list of public routes."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from payflux.app import create_app
from payflux.settings import Settings
from payflux.web.guards import PUBLIC_PATHS, require_entitled, require_manager, signed_in
from payflux.web.security import require_csrf
from payflux.world.bootstrap import build_world

NEEDS_A_MANAGER = {"/api/stripe/authorize", "/api/stripe/callback", "/api/stripe/key", "/activate/retry"}
NEEDS_A_MANAGER |= {"/activate/cancel", "/connection/disconnect"}
NEEDS_A_PLAN = {"/dashboard", "/api/stripe/authorize", "/api/stripe/callback", "/api/stripe/key", "/activate/retry"}


def app_of(settings: Settings) -> FastAPI:
    return create_app(build_world(settings, database_url="postgresql://nobody@127.0.0.1:1/nothing"))


def guards_of(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for child in dependant.dependencies:
        yield from guards_of(child)


def routes_of(app: FastAPI) -> list[APIRoute]:
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    assert len(routes) > 10
    return routes


def test_every_route_needs_a_signed_in_user_unless_it_is_listed_as_public(settings: Settings) -> None:
    closed = {route.path for route in routes_of(app_of(settings)) if signed_in in guards_of(route.dependant)}
    every = {route.path for route in routes_of(app_of(settings))}
    assert every - closed - {"/sign-out"} == PUBLIC_PATHS - {"/sign-out"}
    assert "/sign-out" in closed


def test_every_route_checks_that_a_change_comes_from_our_own_pages(settings: Settings) -> None:
    for route in routes_of(app_of(settings)):
        assert require_csrf in guards_of(route.dependant), route.path


def test_only_owners_and_admins_change_what_is_connected(settings: Settings) -> None:
    guarded = {route.path for route in routes_of(app_of(settings)) if require_manager in guards_of(route.dependant)}
    assert guarded == NEEDS_A_MANAGER


def test_what_the_plan_pays_for_needs_a_running_trial_or_subscription(settings: Settings) -> None:
    guarded = {route.path for route in routes_of(app_of(settings)) if require_entitled in guards_of(route.dependant)}
    assert guarded == NEEDS_A_PLAN


def test_no_get_route_changes_anything_but_the_oauth_callback(settings: Settings) -> None:
    for route in routes_of(app_of(settings)):
        if "GET" not in (route.methods or set()):
            assert route.methods == {"POST"}, route.path
