"""Connect's OAuth for Standard accounts: the page a merchant clicks, the token and the deauthorization."""

from __future__ import annotations

import hmac
from urllib.parse import urlencode

from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from payflux.sandbox.callers import SECRET_KEY, access_token
from payflux.sandbox.errors import OAuthError, masked
from payflux.sandbox.merchants.archetypes import ARCHETYPES, PLATFORM
from payflux.sandbox.pages import render_page
from payflux.sandbox.redirects import leads_here, send_back
from payflux.sandbox.restrictions import tell_deauthorized
from payflux.sandbox.state import CLIENT_ID, SandboxState
from payflux.sandbox.work import Work

SCOPES = ("read_only", "read_write")
DENIED = {"error": "access_denied", "error_description": "The user denied your request"}


def _checked(query: QueryParams | FormData) -> dict[str, str]:
    """The parameters of an authorize link, or OAuthError."""
    ask = {name: str(query.get(name, "")) for name in ("client_id", "response_type", "redirect_uri", "state")}
    ask["scope"] = str(query.get("scope") or "read_only")
    if ask["client_id"] != CLIENT_ID:
        raise OAuthError(
            "invalid_request", f"No application matches the supplied client identifier {ask['client_id']!r}"
        )
    if not leads_here(ask["redirect_uri"]):
        raise OAuthError(
            "invalid_redirect_uri",
            "The redirect_uri must be an absolute http or https address of this machine (127.0.0.1 or localhost): "
            "the sandbox sends nobody elsewhere.",
        )
    if ask["response_type"] != "code":
        raise OAuthError("unsupported_response_type", "response_type must be 'code'")
    if ask["scope"] not in SCOPES:
        raise OAuthError("invalid_scope", f"Invalid scope provided: {ask['scope']}")
    return ask


async def authorize(request: Request) -> Response:
    """GET shows the merchants to choose from; POST is the choice; a link with `deny` refuses."""
    state: SandboxState = request.app.state.sandbox
    try:
        ask = _checked(request.query_params)
    except OAuthError as error:
        return render_page("refused.html", status=error.status, **error.body)
    if request.query_params.get("deny"):
        return send_back(ask["redirect_uri"], DENIED | {"state": ask["state"]})
    if request.method == "GET":
        cast = [(a, state.connected.get(a.account_id)) for a in ARCHETYPES.values()]
        deny = f"?{urlencode(ask | {'deny': '1'})}"
        wish = "read and write" if ask["scope"] == "read_write" else "read"
        return render_page(
            "authorize.html",
            wish=f"It asks to {wish} payments, disputes, payouts and balances ({ask['scope']}).",
            cast=cast,
            deny=deny,
            client=PLATFORM.business,
        )
    choice = str((await request.form()).get("merchant", ""))
    if choice not in ARCHETYPES:
        return render_page(
            "refused.html", 400, error="invalid_request", error_description="Go back and choose one of the merchants."
        )
    code = state.issue_code(ARCHETYPES[choice].account_id, ask["scope"])
    return send_back(ask["redirect_uri"], {"scope": ask["scope"], "code": code, "state": ask["state"]})


def _platform(request: Request, form: FormData, key: str | None) -> None:
    given = key or str(form.get("client_secret", ""))
    if not hmac.compare_digest(given.encode(), SECRET_KEY.encode()):
        raise OAuthError("invalid_client", f"Invalid API Key provided: {masked(given)}", 401)


async def token(request: Request, key: str | None) -> Response:
    """Exchange a one-time code, once; the tokens in the answer are the deprecated ones Stripe still sends."""
    state: SandboxState = request.app.state.sandbox
    form = await request.form()
    _platform(request, form, key)
    grant = str(form.get("grant_type", ""))
    if grant == "refresh_token":
        account_id = str(form.get("refresh_token", "")).removeprefix("rt_")
        scope = state.connected.get(account_id)
        if scope is None:
            raise OAuthError("invalid_grant", f"Refresh token does not exist: {masked(account_id)}")
    elif grant != "authorization_code":
        code = "unsupported_grant_type" if grant else "invalid_request"
        raise OAuthError(code, f"Unsupported grant type: {grant}" if grant else "No grant type specified")
    elif not form.get("code"):
        raise OAuthError("invalid_request", "No authorization code provided")
    else:
        redeemed = state.redeem_code(str(form["code"]))
        account_id, scope = redeemed.account_id, redeemed.scope
    return JSONResponse(
        {
            "access_token": access_token(account_id),
            "livemode": False,
            "refresh_token": f"rt_{account_id}",
            "token_type": "bearer",
            "stripe_publishable_key": f"pk_test_sandbox_{account_id[-8:]}",
            "stripe_user_id": account_id,
            "scope": scope,
        }
    )


async def deauthorize(request: Request, key: str | None) -> Response:
    """Disconnect an account; the platform is told of it as when the merchant does it."""
    state: SandboxState = request.app.state.sandbox
    form = await request.form()
    _platform(request, form, key)
    account_id = str(form.get("stripe_user_id", ""))
    if form.get("client_id") != CLIENT_ID:
        raise OAuthError("invalid_client", f"No such application: '{form.get('client_id', '')}'", 401)
    if not state.disconnect(account_id):
        raise OAuthError(
            "invalid_client",
            f"This application is not connected to stripe account {account_id}, or it does not exist.",
            401,
        )
    work = Work(state, account_id, int(state.now().timestamp()))
    with state.store.transaction():
        tell_deauthorized(work)
        state.announce(work)
    return JSONResponse({"stripe_user_id": account_id})
