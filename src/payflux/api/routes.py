"""The API as an application of its own, which the web application mounts at /api/v1.

Programs send an access token. A browser that is signed in may read by its cookie; where it changes something it has to
send the token of its forms as `X-CSRF-Token`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.routing import BaseRoute

from payflux.api import accounts, auth, billing, keys, ownership, sales, users, verification, workspace
from payflux.api.problems import describe
from payflux.web.errors import add_error_handlers
from payflux.web.policies import Audience, guard
from payflux.web.refusals import SAFE_METHODS
from payflux.web.security import cookie_name, refuse_other_sites, refuse_wrong_token
from payflux.world.bootstrap import World

ROUTERS = (
    auth.router,
    verification.router,
    sales.router,
    users.router,
    accounts.router,
    ownership.router,
    billing.router,
    keys.router,
    workspace.router,
)
"""Every router of the API; another is added here."""

DESCRIPTION = (
    "Sign in at `/auth/login` and send the access token as `Authorization: Bearer …`. It is good for ten minutes; "
    "`/auth/refresh` exchanges the refresh token, once, for the next pair. Every refusal is `application/problem+json`."
)


async def require_csrf_of_browsers(request: Request) -> None:
    """Refuse a change that comes by cookie and not from a page of ours. Raises Forbidden."""
    world: World = request.app.state.world
    comes_by_cookie = cookie_name(world.settings, "session") in request.cookies
    if request.method in SAFE_METHODS or "Authorization" in request.headers or not comes_by_cookie:
        return
    refuse_other_sites(request)
    refuse_wrong_token(request, request.headers.get("X-CSRF-Token"))


def create_api(world: World) -> FastAPI:
    """The API on `world`. It has no templates, so its errors are for machines whatever a caller accepts."""
    api = FastAPI(
        title="PayFlux",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    api.state.world = world
    api.routes.extend(_endpoints())
    add_error_handlers(api)
    return api


@cache
def _endpoints() -> list[BaseRoute]:
    """The same in every application, as FastAPI keeps what it found out about them with the routes."""
    endpoints = APIRouter(dependencies=[Depends(require_csrf_of_browsers)])
    for router in ROUTERS:
        endpoints.include_router(router)
    endpoints.add_api_route(
        "/openapi.json", _description, dependencies=[guard(Audience.PUBLIC)], include_in_schema=False
    )
    return endpoints.routes


async def _description(request: Request) -> dict[str, Any]:
    return describe(request.app)
