"""The control as JSON under /sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from payflux.sandbox.control import actions
from payflux.sandbox.control.actions import Console
from payflux.sandbox.control.origin import require_own
from payflux.sandbox.errors import StripeError
from payflux.sandbox.store import Json

Handle = Callable[[Console, Request, Json], Any]
_LARGEST = 100_000  # bytes of a body


def _route(path: str, handle: Handle, method: str = "GET") -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            require_own(request)
            return JSONResponse(handle(request.app.state.console, request, await _sent(request)))
        except StripeError as error:
            return JSONResponse(error.body, error.status)

    return Route(f"/sandbox/{path}", endpoint, methods=[method])


async def _sent(request: Request) -> Json:
    body = await request.body()
    if len(body) > _LARGEST:
        raise StripeError(413, "The body is too large.")
    try:
        return msgspec.json.decode(body, type=dict[str, Any]) if body else {}
    except msgspec.DecodeError as error:
        raise StripeError(400, f"The body is no JSON object: {error}") from None


def _whole(given: Json, name: str) -> int:
    value = given.get(name, 0)
    if not isinstance(value, int) or value < 0:
        raise StripeError(400, f"{name} is a whole number of seconds.", param=name)
    return value


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", "10")
    if not text.isdecimal():
        raise StripeError(400, "limit is a whole number.", param="limit")
    return int(text)


def _list(read: Callable[[Console], list[Json]]) -> Handle:
    return lambda console, _request, _given: {"data": read(console)}


ROUTES: list[Route] = [
    _route("clock", lambda console, _request, _given: actions.clock(console)),
    _route("clock", lambda console, _request, given: actions.move_clock(console, given), "POST"),
    _route("due", _list(actions.due)),
    _route("accounts", _list(actions.accounts)),
    _route(
        "accounts/{account}/events",
        lambda console, request, _given: {
            "data": actions.newest_events(console, request.path_params["account"], _limit(request))
        },
    ),
    _route("fires", lambda _console, _request, _given: {"data": actions.fires()}),
    _route(
        "accounts/{account}/fire/{name}",
        lambda console, request, given: actions.fire(
            console, request.path_params["account"], request.path_params["name"], given
        ),
        "POST",
    ),
    _route("webhook_endpoints", _list(actions.endpoints)),
    _route(
        "webhook_endpoints/{id}/roll_secret",
        lambda console, request, given: actions.roll_secret(
            console, request.path_params["id"], _whole(given, "expire_in")
        ),
        "POST",
    ),
    _route(
        "webhook_endpoints/{id}/payload",
        lambda console, request, given: actions.set_payload(
            console, request.path_params["id"], str(given.get("payload", ""))
        ),
        "POST",
    ),
    _route(
        "deliveries",
        lambda console, request, _given: {
            "data": actions.deliveries(
                console, **{k: v for k, v in request.query_params.items() if k in ("endpoint", "status", "event")}
            )
        },
    ),
    _route("deliveries/redeliver", lambda console, _request, given: actions.redeliver(console, given), "POST"),
    _route(
        "deliveries/{id}/redeliver",
        lambda console, request, _given: actions.redeliver(console, {"id": request.path_params["id"]}),
        "POST",
    ),
    _route("faults", _list(actions.faults)),
    _route("faults", lambda console, _request, given: actions.add_fault(console, given), "POST"),
    _route("faults", lambda console, _request, _given: actions.remove_faults(console), "DELETE"),
    _route(
        "faults/{id}",
        lambda console, request, _given: actions.remove_faults(console, request.path_params["id"]),
        "DELETE",
    ),
]
