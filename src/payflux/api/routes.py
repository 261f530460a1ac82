"""The API as an application of its own, which the web application mounts at /api/v1.

Programs send a key or an access token. A browser that is signed in may read by its cookie; where it changes something
it has to send the token of its forms as `X-CSRF-Token`.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette._utils import get_route_path
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from payflux.api import (
    accounts,
    alert_rules,
    alerts,
    auth,
    billing,
    events,
    evidence,
    evidence_imports,
    exports,
    keys,
    ownership,
    projections,
    retention,
    risk,
    sales,
    sinks,
    users,
    verification,
    what_if,
    workspace,
    workspaces,
)
from payflux.api.conditional import EntityTags
from payflux.api.problems import describe
from payflux.api.scim import groups as scim_groups
from payflux.api.scim import users as scim_users
from payflux.api.structs import struct_schemas
from payflux.monitor.processors.generic.schema import TYPES, PostedEvent
from payflux.web.errors import add_error_handlers
from payflux.web.guards import bearer_token
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
    workspaces.router,
    projections.router,
    events.router,
    events.whole,
    evidence_imports.router,
    evidence.router,
    exports.router,
    alerts.router,
    alert_rules.router,
    sinks.router,
    what_if.router,
    retention.router,
    risk.router,
    scim_users.router,
    scim_groups.router,
)
"""Every router of the API; another is added here."""

LARGEST_BODY = 1024 * 1024
"""Bytes: a thousand events fit. What takes a file says itself how large that may be."""

STRUCTS = (*projections.ANSWERS, *what_if.ANSWERS, *risk.ANSWERS, PostedEvent)
"""What is answered or taken as the core's own structs."""

NAMES = {
    "Answer": "WhatIfAnswer",
    "Band": "RiskBand",
    "Exposure": "ExpectedExposure",
    "Outcome": "ProjectionOutcome",
}
"""What structs are called whose own names others have too."""

TITLE, VERSION = "PayFlux", "1"
DESCRIPTION = """
Send an API key as `Authorization: Bearer pfx_…`. A key is made in the product under API keys, and opens the operations
whose scope it has. Programs that act for a person sign in at `/auth/login` and send the access token in the same
header: it is good for ten minutes, and `/auth/refresh` exchanges the refresh token, once, for the next pair.

Every refusal is `application/problem+json` (RFC 9457) with a stable `code`. Lists come in pages: send `next_cursor` as
`cursor` for the next. What is read carries an `ETag`, what takes an `Idempotency-Key` names it, and `RateLimit` says
how many calls are left. Fields and operations are added within v1; none is removed or changed before it has carried
`Deprecation` and `Sunset` headers for a year.
"""


class BodyLimits:
    """Refuses a body that is too large for what it is sent to."""

    def __init__(self, app: ASGIApp) -> None:
        self._usual = RequestBodyLimitMiddleware(app, LARGEST_BODY)
        self._files = RequestBodyLimitMiddleware(app, evidence_imports.LARGEST_FILE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        takes_file = scope["type"] == "http" and get_route_path(scope) == evidence_imports.router.prefix
        await (self._files if takes_file else self._usual)(scope, receive, send)


async def require_csrf_of_browsers(request: Request) -> None:
    """Refuse a change that comes by cookie and not from a page of ours. Raises Forbidden."""
    world: World = request.app.state.world
    comes_by_cookie = cookie_name(world.settings, "session") in request.cookies
    if request.method in SAFE_METHODS or bearer_token(request) is not None or not comes_by_cookie:
        return
    refuse_other_sites(request)
    refuse_wrong_token(request, request.headers.get("X-CSRF-Token"))


def create_api(world: World) -> FastAPI:
    """The API on `world`. It has no templates, so its errors are for machines whatever a caller accepts."""
    api = _bare_api()
    api.state.world = world
    add_error_handlers(api)
    api.add_middleware(EntityTags)
    api.add_middleware(BodyLimits)
    return api


def _bare_api() -> FastAPI:
    api = FastAPI(
        title=TITLE, version=VERSION, description=DESCRIPTION, docs_url=None, redoc_url=None, openapi_url=None
    )
    api.routes.extend(_endpoints())
    return api


@cache
def _endpoints() -> list[BaseRoute]:
    """The same in every application, as FastAPI keeps what it found out about them with the routes."""
    endpoints = APIRouter(dependencies=[Depends(require_csrf_of_browsers)])
    for router in ROUTERS:
        endpoints.include_router(router, generate_unique_id_function=_operation_id)
    endpoints.add_api_route(
        "/openapi.json", _description, dependencies=[guard(Audience.PUBLIC)], include_in_schema=False
    )
    return endpoints.routes


def _operation_id(route: APIRoute) -> str:
    """The name of an operation: its tag, and that of the function behind it."""
    return f"{route.tags[0]}_{route.name}".replace(" ", "_").lower() if route.tags else route.name


async def _description() -> Response:
    return Response(_written_description(), media_type="application/json")


@cache
def _written_description() -> bytes:
    return json.dumps(description(), separators=(",", ":"), ensure_ascii=False).encode()


@cache
def description() -> dict[str, Any]:
    """The OpenAPI document of the API, the same in every application; made once, and not to be changed."""
    return describe(_bare_api(), schemas_of_structs=_struct_schemas())


def _struct_schemas() -> dict[str, Any]:
    schemas = struct_schemas(STRUCTS, names=NAMES)
    schemas["PostedEvent"]["properties"]["type"]["enum"] = list(TYPES)
    return schemas
