"""A stateful Stripe on loopback: the API, Connect's OAuth and the sandbox's own pages on one base address."""

from __future__ import annotations

import asyncio
import secrets
import socket
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from datetime import date

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from payflux.sandbox.api import (
    balance,
    books,
    checkout,
    coupons,
    customers,
    events,
    invoices,
    payment_methods,
    payments,
    portal,
    products,
    refunds,
    reports,
    reserves,
    reviews,
    setup,
    subscription_items,
    subscriptions,
    webhook_endpoints,
)
from payflux.sandbox.api.calls import Api, api_key, respond, unrecognized
from payflux.sandbox.api.endpoints import Endpoint
from payflux.sandbox.api.faulty import Faulty
from payflux.sandbox.app_grants import APP_CLIENT_ID, APP_SECRET_KEY
from payflux.sandbox.billing.renewing import TASKS as BILLING_TASKS
from payflux.sandbox.callers import SECRET_KEY, WITHOUT_DISPUTES
from payflux.sandbox.checkout.pages import PAGES as CHECKOUT_PAGES
from payflux.sandbox.checkout.sessions import TASKS as CHECKOUT_TASKS
from payflux.sandbox.clock import Tasks, run_due
from payflux.sandbox.connect import apps, classic
from payflux.sandbox.control import pages as control_pages
from payflux.sandbox.control import routes as control
from payflux.sandbox.control.actions import Console
from payflux.sandbox.deliveries.dispatcher import Dispatcher
from payflux.sandbox.errors import OAuthError
from payflux.sandbox.expansion import Includes
from payflux.sandbox.exports import EXPORTS, export_csv
from payflux.sandbox.identity import routes as identity_routes
from payflux.sandbox.limits import RateLimiter
from payflux.sandbox.mailbox import routes as mailbox_routes
from payflux.sandbox.mailbox.smtp import receiving
from payflux.sandbox.merchants.archetypes import ARCHETYPES
from payflux.sandbox.pages import render_page
from payflux.sandbox.payments.tasks import TASKS as PAYMENT_TASKS
from payflux.sandbox.portal.pages import PAGES as PORTAL_PAGES
from payflux.sandbox.reserves import TASKS as RESERVE_TASKS
from payflux.sandbox.state import CLIENT_ID, SandboxState
from payflux.sandbox.storefronts.pages import ROUTES as STOREFRONTS
from payflux.sandbox.work import API_VERSION

ENDPOINTS: tuple[Endpoint, ...] = (
    *books.ENDPOINTS,
    *events.ENDPOINTS,
    *webhook_endpoints.ENDPOINTS,
    *customers.ENDPOINTS,
    *products.ENDPOINTS,
    *coupons.ENDPOINTS,
    *payment_methods.ENDPOINTS,
    *payments.ENDPOINTS,
    *setup.ENDPOINTS,
    *refunds.ENDPOINTS,
    *balance.ENDPOINTS,
    *checkout.ENDPOINTS,
    *subscriptions.ENDPOINTS,
    *subscription_items.ENDPOINTS,
    *invoices.ENDPOINTS,
    *portal.ENDPOINTS,
    *reports.ENDPOINTS,
    *reserves.ENDPOINTS,
    *reviews.ENDPOINTS,
)
INCLUDES: Includes = {
    **books.INCLUDES,
    **customers.INCLUDES,
    **coupons.INCLUDES,
    **checkout.INCLUDES,
    **invoices.INCLUDES,
}
TASKS: Tasks = {**reports.TASKS, **RESERVE_TASKS, **coupons.TASKS, **PAYMENT_TASKS, **CHECKOUT_TASKS, **BILLING_TASKS}
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
TICK = 0.5  # seconds between looks at the clock


def _oauth(handle: Callable[[Request, str | None], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await handle(request, api_key(request))
        except OAuthError as error:
            return JSONResponse(error.body, error.status)

    return endpoint


async def _unknown(request: Request) -> Response:
    error = unrecognized(request)
    return respond(request, f"req_{secrets.token_hex(7)}", error.body, error.status)


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


def _paths() -> dict[str, list[str]]:
    """The paths under /v1 in their order, and what each answers to."""
    paths: dict[str, list[str]] = {}
    for endpoint in sorted(ENDPOINTS, key=lambda endpoint: endpoint.path):
        paths.setdefault(endpoint.path, []).append(endpoint.method)
    return paths


async def _home(request: Request) -> Response:
    state: SandboxState = request.app.state.sandbox
    return render_page(
        "home.html",
        anchor=state.anchor,
        cast=[(a, state.connected.get(a.account_id)) for a in ARCHETYPES.values()],
        secret_key=SECRET_KEY,
        client_id=CLIENT_ID,
        without_disputes=WITHOUT_DISPUTES,
        endpoints=_paths(),
        exports=EXPORTS,
        version=API_VERSION,
        rate=state.requests_per_second,
        now=state.now(),
        app_client_id=APP_CLIENT_ID,
        app_secret_key=APP_SECRET_KEY,
        mailbox_port=request.app.state.mailbox_port,
    )


async def _health(_request: Request) -> Response:
    return PlainTextResponse("ok\n")


def create_app(
    state: SandboxState,
    *,
    latency_ms: float = 0,
    clock: Callable[[], float] = time.monotonic,
    account_requests_per_second: float | None = None,
    concurrent_requests: int | None = None,
    mailbox: socket.socket | None = None,
    bounce_to: str | None = None,
) -> Starlette:
    """The sandbox as an application.

    Every call under /v1 takes `latency_ms` longer than it must. `clock` counts the seconds of the rate limit: the
    traffic is real even where the merchants' time stands still. An account may make `account_requests_per_second` and
    have `concurrent_requests` side by side; by default as :class:`RateLimiter` says. Mails are
    taken on the listening socket `mailbox`, and reports of those that bounce are posted to the address `bounce_to`.
    """

    dispatcher = Dispatcher(state)
    limiter = RateLimiter(
        state.requests_per_second, per_account=account_requests_per_second, at_once=concurrent_requests
    )

    def turn() -> int:
        ran = run_due(state, TASKS)
        dispatcher.look()
        return ran

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None, None]:
        await dispatcher.start()
        ticking = asyncio.create_task(_tick(turn))
        async with receiving(state, mailbox, bounce_to) if mailbox else nullcontext():
            yield
        ticking.cancel()
        with suppress(asyncio.CancelledError):
            await ticking
        await dispatcher.stop()

    app = Starlette(
        routes=[
            *STOREFRONTS,
            *PAGES,
            *control_pages.ROUTES,
            *control.ROUTES,
            *mailbox_routes.ROUTES,
            *identity_routes.ROUTES,
            *api_routes(Api(state, INCLUDES, latency_ms, clock, limiter)),
        ],
        middleware=[Middleware(Faulty, state=state)],
        lifespan=lifespan,
    )
    app.state.sandbox, app.state.console = state, Console(state, dispatcher, turn)
    app.state.mailbox_port = mailbox.getsockname()[1] if mailbox else None
    return app


async def _tick(turn: Callable[[], int]) -> None:
    while True:
        turn()
        await asyncio.sleep(TICK)


def api_routes(api: Api) -> list[Route]:
    """The routes under /v1 and /v2; what is no endpoint is told as Stripe tells it. Fixed paths go before those with an
    id, and `search`, which is not simulated, is none."""
    paths: dict[str, dict[str, Endpoint]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    ordered = sorted(paths, key=lambda path: ("{" in path, path))
    routes = [Route(path, api.handler(paths[path]), methods=METHODS) for path in ordered]
    searches, *others = (
        Route(path, _unknown, methods=METHODS)
        for path in ("/v1/{resource}/search", "/v1/{path:path}", "/v2/{path:path}")
    )
    return [searches, *routes, *others]


PAGES = [
    Route("/", _home),
    Route("/healthz", _health),
    Route("/oauth/authorize", classic.authorize, methods=["GET", "POST"]),
    Route("/oauth/token", _oauth(classic.token), methods=["POST"]),
    Route("/oauth/deauthorize", _oauth(classic.deauthorize), methods=["POST"]),
    Route("/oauth/v2/authorize", apps.authorize, methods=["GET", "POST"]),
    Route("/oauth/v2/{channel}/authorize", apps.authorize, methods=["GET", "POST"]),
    Route("/v1/oauth/token", _oauth(apps.token), methods=["POST"]),
    Route("/v1/oauth/deauthorize", _oauth(apps.deauthorize), methods=["POST"]),
    Route("/exports/{account}/{name}", _export),
    Route("/v1/files/{id}/contents", reports.contents),
    *CHECKOUT_PAGES,
    *PORTAL_PAGES,
]
"""The sandbox's own pages, and OAuth's."""
