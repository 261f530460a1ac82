"""Every route says who may call it, and an app in which one does not is not built."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from payflux.app import create_app
from payflux.frontdoor.accounts.team.capabilities import CAPABILITIES
from payflux.settings import Settings
from payflux.web.guards import signed_in
from payflux.web.policies import Audience, Guard, Policy, UndeclaredPolicy, guard, guarded_routes, require_policies
from payflux.web.security import require_csrf
from payflux.world.bootstrap import build_world
from tests.structure.dependencies import calls_of


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    return create_app(build_world(settings, database_url="postgresql://nobody@127.0.0.1:1/nothing"))


async def shown() -> None:
    """A page."""


def test_every_route_has_exactly_one_policy(app: FastAPI) -> None:
    routes = guarded_routes(app)
    assert len(routes) > 30
    assert len({(route.methods, route.path) for route in routes}) == len(routes)


@pytest.mark.parametrize(
    ("guards", "complaint"),
    [([], "GET /forgotten has no guard"), ([guard(), guard(entitled=True)], "GET /forgotten has several guards")],
)
def test_an_app_with_a_route_that_says_nothing_or_two_things_is_not_built(
    app: FastAPI, guards: list[Guard], complaint: str
) -> None:
    app.add_api_route("/forgotten", shown, dependencies=guards)
    with pytest.raises(UndeclaredPolicy, match=complaint):
        require_policies(app)


def test_what_is_mounted_is_guarded_too_or_the_app_is_not_built(app: FastAPI) -> None:
    other = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    other.add_api_route("/forgotten", shown)
    app.mount("/other", other)
    with pytest.raises(UndeclaredPolicy, match="GET /other/forgotten has no guard"):
        require_policies(app)


def test_a_guard_asks_for_capabilities_and_features_that_there_are(app: FastAPI) -> None:
    with pytest.raises(ValueError, match=r"no capability is called monitor\.reed"):
        guard(capability="monitor.reed")
    with pytest.raises(ValueError, match="the catalogue has no feature time_travel"):
        guard(feature="time_travel")
    with pytest.raises(ValueError, match="staff is guarded by its own surface"):
        guard(Audience.STAFF)
    asked = {route.policy.capability for route in guarded_routes(app)} - {None}
    assert asked <= set(CAPABILITIES)


def test_a_policy_reads_as_a_sentence_about_its_caller() -> None:
    assert str(Policy(Audience.PUBLIC)) == "public"
    strict = Policy(Audience.SIGNED_IN, True, False, "team.invite", True, "audit_log", True)
    assert str(strict) == "signed in, verified, may team.invite, entitled, plan has audit_log, stepped up"


def test_the_guard_of_a_route_for_members_asks_who_they_are(app: FastAPI) -> None:
    asking = {
        f"{sorted(context.methods or ())} {context.path}"
        for context in iter_route_contexts(app.routes)
        if isinstance(context.original_route, APIRoute) and signed_in in calls_of(context.dependant)
    }
    declared = {
        f"{list(route.methods)} {route.path}"
        for route in guarded_routes(app)
        if route.policy.audience is Audience.SIGNED_IN and not route.path.startswith(("/uploads/", "/api/v1/"))
    }
    assert asking == declared


LEADS_ON_AND_CHANGES_NOTHING = {"/beta-signup"}
"""Addresses that forms of other sites are sent to, and that only redirect."""


PROVES_ITSELF_BY_ITS_ADDRESS = {"/mail/unsubscribe/{code}"}
"""What a mail program posts to by itself: nobody but the mail's reader has the address."""


SIGNED_BY_A_PROVIDER = {"/sso/saml/{account_id}/acs"}
"""What an identity provider's page posts: it counts by its signature, and signs in who began in this browser alone."""


def test_every_route_checks_that_a_change_comes_from_our_own_pages(app: FastAPI) -> None:
    for context in iter_route_contexts(app.routes):
        known = LEADS_ON_AND_CHANGES_NOTHING | PROVES_ITSELF_BY_ITS_ADDRESS | SIGNED_BY_A_PROVIDER
        free = context.path in known
        if isinstance(context.original_route, APIRoute) and not free:
            assert require_csrf in calls_of(context.dependant), context.path


def test_whoever_calls_a_webhook_proves_it_by_a_signature_or_a_code_in_the_body(app: FastAPI) -> None:
    hooks = [route for route in guarded_routes(app) if route.policy.audience is Audience.SIGNED_BODY]
    assert {(route.methods, route.path) for route in hooks} == {
        (("POST",), "/api/v1/webhooks/stripe"),
        (("POST",), "/hooks/stripe/connect"),
        (("POST",), "/hooks/stripe/{token}"),
        (("POST",), "/hooks/events/{token}"),
        (("POST",), "/hooks/mail/bounces"),
    }


def test_a_page_either_shows_or_changes(app: FastAPI) -> None:
    for route in guarded_routes(app):
        assert len(route.methods) == 1, route.path
