"""The OAuth 2.0 of a Stripe App: the page on which a merchant installs it, its tokens, and how it is uninstalled.

docs.stripe.com/stripe-apps/api-authentication/oauth
"""

from __future__ import annotations

import hmac
import secrets
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from payflux.sandbox import app_grants
from payflux.sandbox.api.calls import respond
from payflux.sandbox.api.idempotency import Answered, answered_before, fingerprint, keep_answer
from payflux.sandbox.connect.classic import DENIED
from payflux.sandbox.errors import OAuthError, StripeError, masked
from payflux.sandbox.merchants.archetypes import APP, ARCHETYPES
from payflux.sandbox.pages import render_page
from payflux.sandbox.redirects import leads_here, send_back
from payflux.sandbox.state import SandboxState
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work


async def authorize(request: Request) -> Response:
    """GET shows the merchants to choose from; POST is the choice; a link with `deny` refuses.

    There is no scope: what the app may do stands in its manifest.
    """
    state: SandboxState = request.app.state.sandbox
    ask = {name: request.query_params.get(name, "") for name in ("client_id", "redirect_uri", "state")}
    if ask["client_id"] != app_grants.APP_CLIENT_ID or not request.path_params.get("channel", "chnlink_").startswith(
        "chnlink_"
    ):
        return _refuse("The provided OAuth link is invalid.")
    if not leads_here(ask["redirect_uri"]):
        return _refuse("redirect_uri must be an absolute http or https address of this machine.")
    if request.query_params.get("deny"):
        return send_back(ask["redirect_uri"], DENIED | {"state": ask["state"]})
    if request.method == "GET":
        there = app_grants.installed(state.store)
        permissions = ", ".join(sorted(name.removeprefix("rak_") for name in app_grants.APP_PERMISSIONS))
        return render_page(
            "authorize.html",
            wish=f"It is a Stripe App, whose manifest asks for {permissions}.",
            cast=[(a, a.account_id in there) for a in ARCHETYPES.values()],
            deny=f"?{urlencode(ask | {'deny': '1'})}",
            client=APP.business,
        )
    choice = str((await request.form()).get("merchant", ""))
    if choice not in ARCHETYPES:
        return _refuse("Go back and choose one of the merchants.")
    now = int(state.now().timestamp())
    code = app_grants.issue_code(state.store, ARCHETYPES[choice].account_id, now)
    return send_back(ask["redirect_uri"], {"code": code, "state": ask["state"]})


def _refuse(why: str) -> Response:
    return render_page("refused.html", 400, error="invalid_request", error_description=why)


def _require_developer(key: str | None) -> None:
    if not hmac.compare_digest((key or "").encode(), app_grants.APP_SECRET_KEY.encode()):
        raise OAuthError("invalid_client", f"Invalid API Key provided: {masked(key or '')}", 401)


async def token(request: Request, key: str | None) -> Response:
    """Tokens for a code or a refresh token. An idempotency key has a lost answer repeated."""
    _require_developer(key)
    state: SandboxState = request.app.state.sandbox
    form, now, request_id = await request.form(), int(state.now().timestamp()), f"req_{secrets.token_hex(7)}"
    intent = request.headers.get("idempotency-key")
    mark = fingerprint(request.url.path, {name: str(value) for name, value in form.items()})
    try:
        before = answered_before(state.store, APP.account_id, intent, mark, now) if intent else None
    except StripeError as error:
        return respond(request, request_id, error.body, error.status)
    if before:
        replayed = {"Idempotent-Replayed": "true", "Original-Request": before.request_id}
        return respond(request, request_id, before.body, before.status, replayed)
    try:
        with state.store.transaction():
            work, body = _granted(state, form, now)
            if intent:
                keep_answer(state.store, APP.account_id, intent, mark, now, Answered(200, body, request_id))
            state.announce(work)
    except app_grants.CodeReused as reused:
        _uninstall(state, reused.account_id)
        raise OAuthError("invalid_grant", f"{reused} All tokens issued with this code have been revoked.") from None
    return respond(request, request_id, body)


def _granted(state: SandboxState, form: FormData, now: int) -> tuple[Work, Json]:
    grant = str(form.get("grant_type", ""))
    if grant not in ("authorization_code", "refresh_token"):
        code = "unsupported_grant_type" if grant else "invalid_request"
        raise OAuthError(code, f"Unsupported grant type: {grant}" if grant else "No grant type specified")
    name = "code" if grant == "authorization_code" else "refresh_token"
    given = str(form.get(name, ""))
    if not given:
        raise OAuthError("invalid_request", f"No {name.replace('_', ' ')} provided")
    if name == "code":
        work = Work(state, app_grants.redeem_code(state.store, given, now), now)
        if work.account_id not in app_grants.installed(state.store):
            app_grants.tell(work, "account.application.authorized")
    else:
        work = Work(state, app_grants.use_refresh_token(state.store, given, now), now)
    tokens = app_grants.issue_tokens(state.store, work.account_id, now)
    return work, {
        "access_token": tokens.access,
        "livemode": False,
        "refresh_token": tokens.refresh,
        "scope": "stripe_apps",
        "stripe_publishable_key": f"pk_test_app_{work.account_id[-8:]}",
        "stripe_user_id": work.account_id,
        "token_type": "bearer",
    }


async def deauthorize(request: Request, key: str | None) -> Response:
    """Uninstall the app from an account."""
    _require_developer(key)
    state: SandboxState = request.app.state.sandbox
    form = await request.form()
    account_id, client_id = str(form.get("stripe_user_id", "")), str(form.get("client_id", ""))
    if client_id != app_grants.APP_CLIENT_ID:
        raise OAuthError("invalid_client", f"No such application: '{client_id}'", 401)
    if not _uninstall(state, account_id):
        raise OAuthError(
            "invalid_client",
            f"This application is not connected to stripe account {account_id}, or it does not exist.",
            401,
        )
    return respond(request, f"req_{secrets.token_hex(7)}", {"stripe_user_id": account_id})


def _uninstall(state: SandboxState, account_id: str) -> bool:
    work = Work(state, account_id, int(state.now().timestamp()))
    with state.store.transaction():
        had = app_grants.uninstall(work) is not None
        state.announce(work)
    return had
