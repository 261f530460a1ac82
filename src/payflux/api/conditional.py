"""`ETag`, `If-None-Match` and `If-Match`: a program that asks again for what it has gets 304 and no body, and one that
changes what it read changes nothing else.

Source: RFC 9110, sections 8.8.3, 13.1.1 and 13.1.2.
"""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import Annotated

from fastapi import Header
from fastapi.responses import Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payflux.kit.errors import UserError

_NOT_MODIFIED = 304

IfMatch = Annotated[
    str | None,
    Header(
        max_length=1000,
        pattern=r"^[\x20-\x7e]+$",
        description="the `ETag` of what you read: where it has changed since, nothing is done",
    ),
]


class ChangedMeanwhile(UserError):
    """What is to be changed is not what the caller has read."""

    status = HTTPStatus.PRECONDITION_FAILED
    code = "changed_meanwhile"


def entity_tag(body: bytes) -> str:
    """The strong tag of an answer with `body`."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def refuse_stale(known: str | None, current: Response) -> None:
    """Raises ChangedMeanwhile unless `known`, an If-Match, is absent or names `current`, which reading answers now."""
    if known is None or {each.strip() for each in known.split(",")} & {entity_tag(bytes(current.body)), "*"}:
        return
    raise ChangedMeanwhile(
        "This has changed since you read it. Nothing was done.", way_out="Read it again, then decide."
    )


def with_tag(answer: Response) -> Response:
    """`answer` to a change, with the tag that reading gives from now on."""
    answer.headers["ETag"] = entity_tag(bytes(answer.body))
    return answer


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
            tag = entity_tag(body)
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
