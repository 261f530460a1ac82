"""A stateful Stripe on loopback: the API and Connect's OAuth on one base address."""

from __future__ import annotations

import asyncio
import base64
import binascii
import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from payflux.sandbox import oauth
from payflux.sandbox.errors import OAuthError, StripeError
from payflux.sandbox.expansion import TYPES, expand
from payflux.sandbox.exports import EXPORTS, export_csv
from payflux.sandbox.limits import RateLimiter
from payflux.sandbox.merchants.archetypes import ARCHETYPES, PLATFORM
from payflux.sandbox.objects.accounts import render_account
from payflux.sandbox.objects.movements import render_balance, render_balance_settings
from payflux.sandbox.objects.view import View
from payflux.sandbox.pages import render_page
from payflux.sandbox.parameters import parse_query
from payflux.sandbox.resources import RESOURCES, Resource, list_page, retrieve
from payflux.sandbox.state import CLIENT_ID, SECRET_KEY, WITHOUT_DISPUTES, Caller, SandboxState, no_access

API_VERSION = "2026-10-28.endive"
NO_FILTERS: frozenset[str] = frozenset()
Answer = Callable[[Request, Caller, SandboxState], dict[str, Any]]


def api_key(request: Request) -> str | None:
    """The key of a call, sent as a bearer token or as the user name of Basic authentication."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return None
    return None


def _respond(
    request: Request, body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    echoed = {"Request-Id": f"req_{secrets.token_hex(7)}", **(headers or {})}
    echoed["Stripe-Version"] = request.headers.get("stripe-version", API_VERSION)
    if account := request.headers.get("stripe-account"):
        echoed["Stripe-Account"] = account
    return Response(msgspec.json.encode(body), status, echoed, "application/json")


class Api:
    """The calls under /v1: who calls, how often, with what latency, and how errors are told."""

    def __init__(self, state: SandboxState, latency_ms: float, clock: Callable[[], float]) -> None:
        self.state, self.latency, self.clock = state, latency_ms / 1000, clock
        self.limiter = RateLimiter(state.requests_per_second)

    def read(self, endpoint: str, permission: str, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint that answers GET with `answer`; `endpoint` is its name for the rate limit."""

        async def handle(request: Request) -> Response:
            if self.latency:
                await asyncio.sleep(self.latency)
            try:
                caller = self.state.caller(api_key(request), request.headers.get("stripe-account"))
                if request.method != "GET":
                    return _respond(request, *self._refuse_write(request, caller, permission))
                caller.require(permission)
                self.limiter.take((caller.account_id, endpoint), self.clock())
                return _respond(request, answer(request, caller, self.state))
            except StripeError as error:
                return _respond(request, error.body, error.status, error.headers)

        return handle

    @staticmethod
    def _refuse_write(request: Request, caller: Caller, permission: str) -> tuple[dict[str, Any], int]:
        caller.require(permission.removesuffix("_read") + "_write")
        if request.method == "POST":
            raise StripeError(400, "This sandbox answers reading calls only: its merchants live by their own model.")
        raise StripeError(404, f"Unrecognized request URL ({request.method}: {request.url.path}).")


def _view(state: SandboxState, caller: Caller) -> View:
    return state.view(caller.account_id)


def _list(resource: Resource) -> Answer:
    def answer(request: Request, caller: Caller, state: SandboxState) -> dict[str, Any]:
        query = parse_query(request.query_params.multi_items(), resource.filters, paged=True)
        view = _view(state, caller)
        page = list_page(view, resource, query)
        expand(view, page, query.expand, TYPES[resource.table])
        return page

    return answer


def _retrieve(resource: Resource) -> Answer:
    def answer(request: Request, caller: Caller, state: SandboxState) -> dict[str, Any]:
        query = parse_query(request.query_params.multi_items(), NO_FILTERS, paged=False)
        view = _view(state, caller)
        found = retrieve(view, resource, request.path_params["id"])
        expand(view, found, query.expand, TYPES[resource.table])
        return found

    return answer


def _single(render: Callable[[View], dict[str, Any]]) -> Answer:
    def answer(request: Request, caller: Caller, state: SandboxState) -> dict[str, Any]:
        parse_query(request.query_params.multi_items(), NO_FILTERS, paged=False)
        return render(_view(state, caller))

    return answer


def _account(request: Request, caller: Caller, state: SandboxState) -> dict[str, Any]:
    parse_query(request.query_params.multi_items(), NO_FILTERS, paged=False)
    account_id = request.path_params["id"]
    if account_id != caller.account_id and not (
        caller.account_id == PLATFORM.account_id and account_id in state.connected
    ):
        raise no_access(caller.key, account_id)
    return render_account(state.view(account_id))


def _oauth(handle: Callable[[Request, str | None], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await handle(request, api_key(request))
        except OAuthError as error:
            return JSONResponse(error.body, error.status)

    return endpoint


async def _unknown(request: Request) -> Response:
    url = f"{request.method}: {request.url.path}"
    error = StripeError(
        404,
        f"Unrecognized request URL ({url}). Please see https://stripe.com/docs or we can help at "
        "https://support.stripe.com/.",
    )
    return _respond(request, error.body, error.status)


async def _export(request: Request) -> Response:
    state: SandboxState = request.app.state.sandbox
    account_id, name = request.path_params["account"], request.path_params["name"]
    if account_id not in state.archetypes or name not in EXPORTS:
        return PlainTextResponse(f"There is no such export. Choose from: {', '.join(EXPORTS)}.\n", 404)
    today = state.now().date()
    try:
        start = date.fromisoformat(request.query_params.get("from", state.anchor.replace(year=1970).isoformat()))
        end = date.fromisoformat(request.query_params.get("to", today.isoformat()))
    except ValueError:
        return PlainTextResponse("from and to are dates such as 2026-08-23, both included, UTC.\n", 400)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(export_csv(state, account_id, name, start, end), 200, headers, "text/csv; charset=utf-8")


async def _home(request: Request) -> Response:
    state: SandboxState = request.app.state.sandbox
    return render_page(
        "home.html",
        anchor=state.anchor,
        cast=[(a, state.connected.get(a.account_id)) for a in ARCHETYPES.values()],
        secret_key=SECRET_KEY,
        client_id=CLIENT_ID,
        without_disputes=WITHOUT_DISPUTES,
        resources=[resource.path for resource in RESOURCES],
        exports=EXPORTS,
        version=API_VERSION,
        rate=state.requests_per_second,
    )


async def _health(_request: Request) -> Response:
    return PlainTextResponse("ok\n")


def create_app(state: SandboxState, *, latency_ms: float = 0, clock: Callable[[], float] = time.monotonic) -> Starlette:
    """The sandbox as an application.

    Every call under /v1 takes `latency_ms` longer than it must. `clock` counts the seconds of the rate limit: the
    traffic is real even where the merchants' time stands still.
    """
    api = Api(state, latency_ms, clock)
    methods = ["GET", "POST", "DELETE"]
    routes = [
        Route("/", _home),
        Route("/healthz", _health),
        Route("/oauth/authorize", oauth.authorize, methods=["GET", "POST"]),
        Route("/oauth/token", _oauth(oauth.token), methods=["POST"]),
        Route("/oauth/deauthorize", _oauth(oauth.deauthorize), methods=["POST"]),
        Route("/exports/{account}/{name}", _export),
    ]
    for path, permission, answer in (
        ("account", "rak_accounts_kyc_basic_read", _single(render_account)),
        ("accounts/{id}", "rak_accounts_kyc_basic_read", _account),
        ("balance", "rak_balance_read", _single(render_balance)),
        ("balance_settings", "rak_balance_read", _single(render_balance_settings)),
    ):
        routes.append(Route(f"/v1/{path}", api.read(path, permission, answer), methods=methods))
    for resource in RESOURCES:
        for path, answer in ((resource.path, _list(resource)), (f"{resource.path}/{{id}}", _retrieve(resource))):
            routes.append(Route(f"/v1/{path}", api.read(path, resource.permission, answer), methods=methods))
    routes.append(Route("/v1/{path:path}", _unknown, methods=methods))
    app = Starlette(routes=routes)
    app.state.sandbox = state
    return app
