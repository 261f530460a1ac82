"""How a call is carried out: authentication, rate limit, idempotency, parameters, the answer and its expansion."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import secrets
from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from payflux.sandbox.addresses import remember_address
from payflux.sandbox.api.endpoints import Call, Endpoint
from payflux.sandbox.api.idempotency import Answered, answered_before, fingerprint, in_use, keep_answer
from payflux.sandbox.callers import Caller
from payflux.sandbox.errors import StripeError
from payflux.sandbox.expansion import Includes, expand
from payflux.sandbox.limits import RateLimiter
from payflux.sandbox.schema.forms import parse_form
from payflux.sandbox.schema.parameters import check
from payflux.sandbox.state import SandboxState
from payflux.sandbox.store import Json
from payflux.sandbox.work import API_VERSION, Work

FAILED = (
    "The sandbox itself failed at this call, and nothing of it was kept. This is a mistake of the sandbox; what it "
    "prints says where."
)
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_log = logging.getLogger(__name__)


class NoParams(TypedDict):
    """The parameters of a call that takes none."""


class Api:
    """Carries out calls on `state`. `clock` counts the seconds of the rate limit: the traffic is real even where the
    merchants' time stands still."""

    def __init__(
        self,
        state: SandboxState,
        includes: Includes,
        latency_ms: float,
        clock: Callable[[], float],
        limiter: RateLimiter,
    ) -> None:
        self.state, self.includes, self.latency, self.clock = state, includes, latency_ms / 1000, clock
        self.limiter = limiter
        self._running: set[tuple[str, str]] = set()

    def handler(self, endpoints: dict[str, Endpoint]) -> Callable[[Request], Awaitable[Response]]:
        """What answers one path, by method."""

        async def handle(request: Request) -> Response:
            request_id = f"req_{secrets.token_hex(7)}"
            try:
                caller = self.state.caller(api_key(request), asked_account(request))
                with self.limiter.running(caller.account_id):
                    return await self._carry_out(request, request_id, caller, endpoints)
            except StripeError as error:
                return respond(request, request_id, error.body, error.status, error.headers)
            except Exception:  # noqa: BLE001 -- a client of the API expects an error object whatever happened
                _log.exception("%s %s failed within the sandbox (%s).", request.method, request.url.path, request_id)
                error = StripeError(500, FAILED, kind="api_error", headers={"Stripe-Should-Retry": "false"})
                return respond(request, request_id, error.body, error.status, error.headers)

        return handle

    async def _carry_out(
        self, request: Request, request_id: str, caller: Caller, endpoints: dict[str, Endpoint]
    ) -> Response:
        endpoint = endpoints.get(request.method)
        if endpoint is None:
            raise unrecognized(request)
        caller.require(endpoint.permission)
        remember_address(self.state.store, str(request.base_url).rstrip("/"))
        self.limiter.take((caller.account_id, f"{endpoint.method} {endpoint.path}"), self.clock())
        given = parse_form(await _sent(request))
        paths = _paths(given.pop("expand", []))
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        mark = fingerprint(request.url.path, given | {"expand": list(paths)})
        running = (caller.account_id, key or request_id)
        if running in self._running:
            raise in_use(key or "")
        self._running.add(running)
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            now = int(self.state.now().timestamp())
            if key and (before := answered_before(self.state.store, caller.account_id, key, mark, now)):
                replayed = {"Idempotent-Replayed": "true", "Original-Request": before.request_id}
                return respond(request, request_id, before.body, before.status, replayed)
            params = check(given, endpoint.params or NoParams)
            work = Work(self.state, caller.account_id, now, request_id, key)
            version = request.headers.get("stripe-version", API_VERSION)
            call = Call(work, caller, request.path_params, params, version)
            with self.state.store.transaction():
                status, body, headers = self._answer(work, call, endpoint, paths)
                if key:
                    kept = Answered(status, body, request_id)
                    keep_answer(self.state.store, caller.account_id, key, mark, now, kept)
                self.state.announce(work)
        finally:
            self._running.discard(running)
        return respond(request, request_id, body, status, headers)

    def _answer(
        self, work: Work, call: Call, endpoint: Endpoint, paths: tuple[str, ...]
    ) -> tuple[int, Json, dict[str, str]]:
        body = endpoint.answer(call)
        if call.refusal is not None:
            return call.refusal.status, call.refusal.body, call.refusal.headers
        expand(work, body, paths, endpoint.of, self.includes)
        return 200, body, {}


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


def asked_account(request: Request) -> str | None:
    """The account that a call asks to act for."""
    return request.headers.get("stripe-account") or request.headers.get("stripe-context")


def respond(
    request: Request, request_id: str, body: Json, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """An answer with the headers that Stripe's have."""
    told = {"Request-Id": request_id, "Stripe-Version": request.headers.get("stripe-version", API_VERSION)}
    for name in ("Stripe-Account", "Idempotency-Key"):
        if sent := request.headers.get(name):
            told[name] = sent
    return Response(msgspec.json.encode(body), status, told | (headers or {}), "application/json")


def unrecognized(request: Request) -> StripeError:
    return StripeError(
        404,
        f"Unrecognized request URL ({request.method}: {request.url.path}). Please see https://stripe.com/docs or we "
        "can help at https://support.stripe.com/.",
    )


async def _sent(request: Request) -> list[tuple[str, str]]:
    """The parameters of the query and of a form in the body. Raises StripeError 400 for a body that is no form."""
    body = request.method != "GET" and await request.body()
    if body and not request.headers.get("content-type", "").startswith(_FORMS):
        raise StripeError(
            400,
            "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have "
            "any questions, we can help at https://support.stripe.com/.",
        )
    form = await request.form() if body else ()
    items = form.multi_items() if form else []
    return [*request.query_params.multi_items(), *((name, str(value)) for name, value in items)]


def _paths(asked: object) -> tuple[str, ...]:
    if not isinstance(asked, list) or not all(isinstance(path, str) for path in asked):
        raise StripeError(400, "Invalid array", param="expand")
    return tuple(asked)
