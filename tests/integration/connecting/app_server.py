"""Stripe as a Stripe App sees it: OAuth whose refresh tokens are good once, before the sandbox's merchants."""

from __future__ import annotations

import asyncio
import threading
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.running import free_port

DEVELOPER_KEY = "sk_test_developer"
ACCOUNT = "acct_app_merchant"


@dataclass
class AppServer:
    """What the server remembers. A merchant's key of the sandbox stands behind every access token that is good."""

    sandbox: str
    merchant_key: str = "rk_test_sandbox_healthy"
    address: str = ""
    good_tokens: set[str] = field(default_factory=set)
    refresh_token: str = ""
    issued: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    installed: bool = True
    livemode: bool = False
    reads_account: bool = True
    refresh_delay: float = 0.0
    ends_after: int | None = None  # requests after which the access token ends

    def issue(self) -> JSONResponse:
        self.issued += 1
        token, self.refresh_token = f"app_access_secret_{self.issued}", f"rt_app_secret_{self.issued}"
        self.good_tokens = {token}
        return JSONResponse(
            {
                "access_token": token,
                "refresh_token": self.refresh_token,
                "livemode": self.livemode,
                "scope": "stripe_apps",
                "stripe_user_id": ACCOUNT,
                "token_type": "bearer",
                "stripe_publishable_key": "pk_test_x",
            }
        )


def _refused(error: str, status: int = 400) -> JSONResponse:
    return JSONResponse({"error": error, "error_description": f"refused: {error}"}, status)


async def _token(request: Request) -> Response:
    server: AppServer = request.app.state.server
    form = await request.form()
    server.asked[str(form.get("grant_type"))] += 1
    if request.headers.get("Authorization") != f"Basic {b64encode(f'{DEVELOPER_KEY}:'.encode()).decode()}":
        return _refused("invalid_client", 401)
    if form.get("grant_type") == "authorization_code":
        return server.issue() if form.get("code") == "ac_good" else _refused("invalid_grant")
    await asyncio.sleep(server.refresh_delay)
    if not server.installed or form.get("refresh_token") != server.refresh_token:
        return _refused("invalid_grant")
    return server.issue()


async def _deauthorize(request: Request) -> Response:
    server: AppServer = request.app.state.server
    server.asked["deauthorize"] += 1
    server.installed = False
    return JSONResponse({"stripe_user_id": str((await request.form()).get("stripe_user_id"))})


async def _api(request: Request) -> Response:
    server: AppServer = request.app.state.server
    server.asked["api"] += 1
    if server.ends_after is not None:
        server.ends_after -= 1
        if server.ends_after < 0:
            server.good_tokens, server.ends_after = set(), None
    if request.headers.get("Authorization", "").removeprefix("Bearer ") not in server.good_tokens:
        return JSONResponse({"error": {"type": "invalid_request_error", "message": "Invalid API Key"}}, 401)
    if request.url.path == "/v1/account" and not server.reads_account:
        message = "The application does not have the permission"
        return JSONResponse({"error": {"code": "more_permissions_required_for_application", "message": message}}, 403)
    headers = {"Authorization": f"Bearer {server.merchant_key}", "Stripe-Version": request.headers["Stripe-Version"]}
    async with httpx.AsyncClient() as client:
        address = f"{server.sandbox}{request.url.path}?{request.url.query}"
        answer = await client.request(request.method, address, headers=headers)
    return Response(answer.content, answer.status_code, media_type="application/json")


@contextmanager
def running_app_server(sandbox: str) -> Generator[AppServer, None, None]:
    """The server on a free port of loopback, in a thread."""
    server = AppServer(sandbox)
    app = Starlette(
        routes=[
            Route("/v1/oauth/token", _token, methods=["POST"]),
            Route("/v1/oauth/deauthorize", _deauthorize, methods=["POST"]),
            Route("/v1/{path:path}", _api, methods=["GET", "POST", "DELETE"]),
        ]
    )
    app.state.server = server
    port = free_port()
    server.address = f"http://127.0.0.1:{port}"
    running = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not running.started:
        assert thread.is_alive()
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.01)
    yield server
    running.should_exit = True
    thread.join(10)
