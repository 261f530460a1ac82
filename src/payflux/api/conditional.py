"""`ETag` and `If-None-Match` of what the API reads: a program that asks again for what it has gets 304 and no body.

Source: RFC 9110, sections 8.8.3 and 13.1.2.
"""

from __future__ import annotations

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NOT_MODIFIED = 304


class EntityTags:
    """Tags each whole JSON answer to a GET with a hash of it. What is streamed goes through untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        known = Headers(scope=scope).get("If-None-Match", "")
        start: Message | None = None

        async def send_tagged(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_whole(message):
                start = message
                return
            if start is None:
                await send(message)
                return
            headers, body = MutableHeaders(scope=start), message.get("body", b"")
            tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
            headers["ETag"], headers["Cache-Control"] = tag, "private, no-cache"
            if _matches(known, tag):
                start["status"], body = _NOT_MODIFIED, b""
                del headers["Content-Length"]
            await send(start)
            await send({**message, "body": body})

        await self._app(scope, receive, send_tagged)


def _is_whole(start: Message) -> bool:
    """Whether it is an answer with a known length, whose body comes in one piece."""
    headers = Headers(raw=start["headers"])
    is_json = headers.get("Content-Type", "").startswith("application/json")
    return start["status"] == 200 and is_json and "Content-Length" in headers


def _matches(known: str, tag: str) -> bool:
    return any(each.strip().removeprefix("W/") in (tag, "*") for each in known.split(",")) if known else False
