"""`Idempotency-Key`: a request that comes again, because its answer was lost, is answered as the first time.

Source: draft-ietf-httpapi-idempotency-key-header.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import Header, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.kit.idempotency import KEY_MAX, Answer, answer_before, keep_answer
from payflux.world.bootstrap import World

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=KEY_MAX,
        pattern=r"^[\x21-\x7e]+$",
        description="a key of your own for this request: repeated within 24 hours it is answered as the first time",
    ),
]


async def once(
    request: Request,
    session: AsyncSession,
    world: World,
    who: SignedIn,
    key: str | None,
    act: Callable[[], Awaitable[object]],
    *,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    """The answer of `act`, or the one it gave when the same request came under `key` before. A request that is refused
    keeps nothing, so it may come again, mended. Raises KeyUsed."""
    if key is None:
        return answer(await act(), status)
    asked = b"\n".join([request.method.encode(), request.scope["path"].encode(), await request.body()])
    now = world.clock.now()
    before = await answer_before(session, account_id=who.account_id, key=key, request=asked, now=now)
    binding = f"kept_answers.body.{who.account_id}.{key}"
    if before is not None:
        response = _response(before.status, world.secrets.decrypt(before.body, bound_to=binding).encode())
        response.headers["Idempotent-Replayed"] = "true"
        return response
    body = _encoded(await act())
    # encrypted, for an answer may hold a secret that is shown once
    kept = Answer(int(status), world.secrets.encrypt(body.decode(), bound_to=binding))
    await keep_answer(session, account_id=who.account_id, key=key, request=asked, answer=kept, now=now)
    return _response(status, body)


def answer(content: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """`content` as JSON."""
    return _response(status, _encoded(content))


def _encoded(content: object) -> bytes:
    return json.dumps(jsonable_encoder(content), separators=(",", ":"), ensure_ascii=False).encode()


def _response(status: int, body: bytes) -> Response:
    return Response(body, status_code=int(status), media_type="application/json")
