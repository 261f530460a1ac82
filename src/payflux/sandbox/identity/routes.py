"""The providers over HTTP: discovery, the page to choose a person on, tokens, keys and userinfo."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import unquote_plus, urlencode
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from payflux.sandbox.api.calls import api_key
from payflux.sandbox.control.origin import require_own
from payflux.sandbox.errors import OAuthError, StripeError
from payflux.sandbox.identity import codes, keys
from payflux.sandbox.identity.asking import require_client, require_sign_in
from payflux.sandbox.identity.providers import MICROSOFT, PROVIDERS, TENANT_NAMES, Provider
from payflux.sandbox.pages import render_page
from payflux.sandbox.redirects import send_back
from payflux.sandbox.state import SandboxState
from payflux.sandbox.store import Json

Handle = Callable[[Provider, Request], Awaitable[Response]]
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def _state(request: Request) -> SandboxState:
    return request.app.state.sandbox


def _now(request: Request) -> int:
    return int(_state(request).machine_now().timestamp())


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _tenant(request: Request) -> str:
    """The tenant in the path, empty where it has none. Raises OAuthError for one that does not exist."""
    tenant = request.path_params.get("tenant", "")
    if tenant and tenant not in TENANT_NAMES:
        raise OAuthError("invalid_tenant", f"Tenant '{tenant}' not found. See /identity for those of the sandbox.")
    return tenant


def _refuse(error: OAuthError) -> Response:
    return render_page("refused.html", error.status, **error.body)


async def _discovery(provider: Provider, request: Request) -> Response:
    return JSONResponse(provider.metadata(_base(request), _tenant(request)))


async def _keys(provider: Provider, request: Request) -> Response:
    """The key set; Microsoft ties each key to an issuer, in which a person's tenant is to be put."""
    tied = {"issuer": provider.issuer_of(_base(request), "{tenantid}")} if provider is MICROSOFT else {}
    return JSONResponse({"keys": [key | tied for key in keys.published(_state(request).store)]})


async def _authorize(provider: Provider, request: Request) -> Response:
    """GET shows the people to choose from; POST is the choice; a link with `deny` refuses."""
    query = dict(request.query_params)
    try:
        people = provider.people_of(_tenant(request))
        redirect_uri = require_client(provider, query)
        if request.method == "POST":
            require_own(request)
    except OAuthError as error:
        return _refuse(error)
    except StripeError as error:
        return render_page("refused.html", error.status, error="refused", error_description=str(error))
    answer = {"state": query.get("state", "")}
    try:
        twice = [
            name for name, count in Counter(name for name, _ in request.query_params.multi_items()).items() if count > 1
        ]
        scopes = require_sign_in(query, twice)
        if query.get("deny"):
            raise OAuthError("access_denied", "The person did not agree.")
    except OAuthError as error:
        return send_back(redirect_uri, answer | error.body)
    if request.method == "GET":
        hint = query.get("login_hint", "").casefold()
        return render_page(
            "sign_in.html",
            provider=provider,
            people=people,
            chosen=next((person.key for person in people if hint == person.email), people[0].key),
            deny=f"?{urlencode(query | {'deny': '1'})}",
        )
    person = provider.person(str((await request.form()).get("person", "")), _tenant(request))
    if person is None:
        return _refuse(OAuthError("invalid_request", "Go back and choose one of the people."))
    sign_in = codes.SignIn(
        provider.name, person.key, scopes, redirect_uri, query.get("nonce", ""), query.get("code_challenge", "")
    )
    with _state(request).store.transaction():
        answer["code"] = codes.issue_code(_state(request).store, sign_in, _now(request))
    # what the provider adds of its own, so that a callback learns to leave it alone
    own = {"session_state": str(uuid4())} if provider is MICROSOFT else {"scope": " ".join(scopes), "authuser": "0"}
    return send_back(redirect_uri, answer | own)


async def _token(provider: Provider, request: Request) -> Response:
    form = {name: str(value) for name, value in (await request.form()).items()}
    _tenant(request)
    _require_secret(provider, request, form)
    grant = form.get("grant_type", "")
    if grant != "authorization_code":
        code = "unsupported_grant_type" if grant else "invalid_request"
        raise OAuthError(code, "grant_type must be authorization_code.")
    for name in ("code", "redirect_uri"):
        if not form.get(name):
            raise OAuthError("invalid_request", f"{name} is missing.")
    state, now = _state(request), _now(request)
    sign_in, access_token = codes.redeem(state.store, provider.name, form, now)
    claims = _id_claims(provider, sign_in, access_token, _base(request), now)
    answer = {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": codes.TOKEN_LIFETIME,
        "scope": " ".join(sign_in.scopes),
        "id_token": keys.signed(state.store, claims),
    }
    return JSONResponse(answer, headers=_NO_STORE)


def _id_claims(provider: Provider, sign_in: codes.SignIn, access_token: str, base: str, now: int) -> Json:
    person = provider.person(sign_in.person)
    assert person is not None
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    claims: Json = {
        "iss": provider.issuer_of(base, person.tenant),
        "aud": provider.client_id,
        "iat": now,
        "exp": now + codes.TOKEN_LIFETIME,
        "at_hash": base64.urlsafe_b64encode(half).decode().rstrip("="),
        **provider.claims(person, sign_in.scopes),
    }
    claims |= {"nbf": now} if provider is MICROSOFT else {"azp": provider.client_id}
    return claims | ({"nonce": sign_in.nonce} if sign_in.nonce else {})


def _require_secret(provider: Provider, request: Request, form: dict[str, str]) -> None:
    """Client authentication, RFC 6749 section 2.3.1: by Basic or in the body, not both. Raises `invalid_client`."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme and "client_secret" in form:
        raise OAuthError("invalid_request", "The client authenticates in two ways at once.")
    given = form.get("client_id", ""), form.get("client_secret", "")
    if scheme.lower() == "basic":
        try:
            client_id, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
            given = unquote_plus(client_id), unquote_plus(secret)
        except (binascii.Error, UnicodeDecodeError):
            given = "", ""
    wanted = provider.client_id, provider.client_secret
    if not all(hmac.compare_digest(a.encode(), b.encode()) for a, b in zip(given, wanted, strict=True)):
        raise OAuthError("invalid_client", f"This is not the client {provider.client_id} and its secret.", 401)


async def _userinfo(provider: Provider, request: Request) -> Response:
    token = api_key(request) or ""
    sign_in = codes.bearer(_state(request).store, provider.name, token, _now(request))
    person = provider.person(sign_in.person) if sign_in else None
    if sign_in is None or person is None:
        raise OAuthError("invalid_token", "The access token is unknown or expired.", 401)
    return JSONResponse(provider.told(person, sign_in.scopes), headers=_NO_STORE)


def _telling(provider: Provider, handle: Handle) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await handle(provider, request)
        except OAuthError as error:
            scheme = "Bearer" if error.body["error"] == "invalid_token" else "Basic"
            challenge = f'{scheme} realm="{provider.name}", error="{error.body["error"]}"'
            headers = _NO_STORE | ({"WWW-Authenticate": challenge} if error.status == 401 else {})
            return JSONResponse(error.body, error.status, headers)

    return endpoint


async def _page(request: Request) -> Response:
    state = _state(request)
    return render_page(
        "identity.html",
        base=_base(request),
        providers=PROVIDERS,
        keys=[key["kid"] for key in keys.published(state.store)],
        kept=keys.KEPT,
        microsoft=MICROSOFT,
    )


async def _rotate(request: Request) -> Response:
    try:
        require_own(request)
    except StripeError as error:
        return JSONResponse(error.body, error.status)
    rotated = keys.rotate(_state(request).store)
    if request.url.path.startswith("/sandbox/"):
        return JSONResponse({"keys": rotated})
    return RedirectResponse("/identity#keys", 303)


def _routes(provider: Provider) -> list[Route]:
    told = partial(_telling, provider)
    return [
        Route(provider.discovery, told(_discovery)),
        Route(provider.keys, told(_keys)),
        Route(provider.authorize, partial(_authorize, provider), methods=["GET", "POST"]),
        Route(provider.token, told(_token), methods=["POST"]),
        Route(provider.userinfo, told(_userinfo), methods=["GET", "POST"]),
    ]


ROUTES: list[Route] = [
    *(route for provider in PROVIDERS for route in _routes(provider)),
    Route("/identity", _page),
    Route("/identity/rotate", _rotate, methods=["POST"]),
    Route("/sandbox/identity/rotate", _rotate, methods=["POST"]),
]
