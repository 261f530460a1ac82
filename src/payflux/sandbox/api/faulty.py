"""The layer before the API in which calls go wrong on request."""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payflux.sandbox.api.calls import api_key, asked_account, respond
from payflux.sandbox.errors import StripeError, masked
from payflux.sandbox.faults.model import Fault
from payflux.sandbox.faults.register import faults, keep
from payflux.sandbox.limits import rate_limited
from payflux.sandbox.state import SandboxState

_PATHS = ("/v1/", "/v2/", "/oauth/")
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER of no time: the peer gets a reset, not an end


class Faulty:
    """`wait` waits for seconds."""

    def __init__(
        self, app: ASGIApp, state: SandboxState, wait: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._app, self._state, self._wait = app, state, wait

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_PATHS):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        for fault in self._meeting(request):
            chance = fault.draw()
            keep(self._state, fault)
            if chance is None:
                continue
            if fault.kind == "latency":
                await self._wait((fault.milliseconds + chance.random() * fault.jitter) / 1000)
            elif fault.kind == "reset" and fault.when == "in_body":
                send = _breaking(receive, send)
            elif fault.kind == "reset":
                await _break(receive)
                return
            else:
                error = _refusal(fault, api_key(request) or "")
                answer = respond(request, f"req_{secrets.token_hex(7)}", error.body, error.status, error.headers)
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _meeting(self, request: Request) -> list[Fault]:
        on = [fault for fault in faults(self._state) if not fault.of_webhooks]
        if not on:
            return []
        key = api_key(request) or ""
        try:
            account = self._state.caller(key, asked_account(request)).account_id
        except StripeError:
            account = ""
        return [fault for fault in on if fault.meets_call(request.url.path, request.method, account, key)]


def _refusal(fault: Fault, key: str) -> StripeError:
    if fault.kind == "key_revoked":
        return StripeError(401, f"Invalid API Key provided: {masked(key)}")
    if fault.kind == "key_expired":
        return StripeError(401, f"Expired API Key provided: {masked(key)}", code="api_key_expired")
    if fault.kind == "error":
        headers = {"Stripe-Should-Retry": "true"} if fault.status == 503 else {}
        return StripeError(
            fault.status,
            "An error occurred with our connection to Stripe's servers. Please try again.",
            kind="api_error",
            headers=headers,
        )
    if fault.reason == "lock_timeout":
        return StripeError(
            429,
            "This object cannot be accessed right now because another API request or Stripe process is currently "
            "accessing it. If you see this error intermittently, retry the request.",
            code="lock_timeout",
            headers={"Stripe-Should-Retry": "true"},
        )
    return rate_limited(fault.reason)


async def _break(receive: Receive) -> None:
    """Break the connection. Nothing in ASGI says so: the server's own transport is reached through what it gave us."""
    transport: Any = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("This server's connections cannot be broken; run the sandbox with uvicorn.")
    with suppress(OSError, AttributeError):
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()
    await asyncio.sleep(0)  # the server learns of it before it looks for an answer


def _breaking(receive: Receive, send: Send) -> Send:
    """A `send` that breaks the connection in the middle of the first part of a body."""
    broken = False

    async def half(message: Message) -> None:
        nonlocal broken
        if broken:
            return
        if message["type"] != "http.response.body":
            await send(message)
            return
        broken = True
        body = message.get("body", b"")
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        await asyncio.sleep(0.01)  # that half of it has left
        await _break(receive)

    return half
