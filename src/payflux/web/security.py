"""What every response carries and every change must prove: security headers, a request id, and a CSRF token."""

from __future__ import annotations

import re
import secrets
import time
from urllib.parse import urlsplit

import structlog
from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payflux.kit.audit import coming_from
from payflux.kit.crypto import TokenHasher
from payflux.kit.errors import Forbidden
from payflux.kit.ids import new_id
from payflux.kit.messages import gettext as _
from payflux.kit.metrics import UNMATCHED, Metrics
from payflux.settings import Settings
from payflux.web.call_limits import limit_headers
from payflux.world.oidc import sign_in_providers

log = structlog.get_logger(__name__)

STRIPE_BILLING_PAGES = ("https://checkout.stripe.com", "https://billing.stripe.com")
"""Where Stripe's Checkout and its customer portal stand (docs.stripe.com/security/guide#content-security-policy)."""

CSRF_FIELD = "csrf_token"
_FORM = "application/x-www-form-urlencoded"
_WITH_TOKEN = ("/hooks/", "/scan/")
_METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def cookie_name(settings: Settings, name: str) -> str:
    """`name` with the prefix that ties a cookie to this host over HTTPS; browsers refuse it over plain HTTP."""
    return f"__Host-payflux_{name}" if settings.url.startswith("https://") else f"payflux_{name}"


def content_security_policy(settings: Settings) -> str:
    """Only our own scripts, styles and images. A form may also lead to the pages of Stripe and of those who sign people
    in, by redirect."""
    pages = [settings.stripe_connect_base, *STRIPE_BILLING_PAGES]
    if settings.stripe_app_offered:
        pages.append(settings.stripe_app_authorize_url)
    pages += [page for provider in sign_in_providers(settings).values() for page in provider.pages]
    elsewhere = " ".join(sorted({f"{page.scheme}://{page.netloc}" for page in map(urlsplit, pages)}))
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            f"form-action 'self' {elsewhere}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def logged_path(path: str) -> str:
    """`path` as the log may hold it: a webhook's address, and a scan's, holds a token that nobody else may know."""
    return next((f"{start}…" for start in _WITH_TOKEN if path.startswith(start)), path)


class Envelope:
    """Wraps every HTTP exchange: a request id, the security headers, the CSRF cookie and one log line."""

    def __init__(self, app: ASGIApp, *, settings: Settings, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics
        https = settings.url.startswith("https://")
        self._headers = {
            "Content-Security-Policy": content_security_policy(settings),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        } | ({"Strict-Transport-Security": "max-age=31536000; includeSubDomains"} if https else {})
        self._csrf_cookie = cookie_name(settings, "csrf")
        self._cookie_attributes = "Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if https else "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        request_id = str(new_id())
        seed = request.cookies.get(self._csrf_cookie)
        is_new = not seed or not re.fullmatch(r"[\w-]{43}", seed)
        scope.setdefault("state", {})
        scope["state"]["request_id"] = request_id
        scope["state"]["csrf_seed"] = seed = secrets.token_urlsafe(32) if is_new else seed
        started, status = time.perf_counter(), 500
        is_file = scope["path"].startswith("/static/")

        async def send_wrapped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers["X-Request-Id"] = request_id
                for name, value in limit_headers(scope["state"]).items():
                    headers[name] = value
                if not is_file:
                    headers.setdefault("Cache-Control", "no-store")
                    if is_new:
                        headers.append("Set-Cookie", f"{self._csrf_cookie}={seed}; {self._cookie_attributes}")
            await send(message)

        address = request.client.host if request.client else ""
        came_from = coming_from(address, request.headers.get("User-Agent", ""))
        with structlog.contextvars.bound_contextvars(request_id=request_id), came_from:
            try:
                await self._app(scope, receive, send_wrapped)
            finally:
                if not is_file:
                    seconds = time.perf_counter() - started
                    self._metrics.observe_request(
                        method=_known_method(scope), route=_template(scope), status=status, seconds=seconds
                    )
                    took = round(seconds * 1000, 1)
                    path = logged_path(scope["path"])
                    log.info("request", method=scope["method"], path=path, status_code=status, ms=took)


def _template(scope: Scope) -> str:
    """The route that took the request, as it is declared: an address may hold a token, and there is no end of them."""
    path = getattr(scope.get("route"), "path", None)
    return UNMATCHED if path is None else f"{scope.get('root_path', '')}{path}"


def _known_method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in _METHODS else "other"


def csrf_token(request: Request, tokens: TokenHasher) -> str:
    """The token that a form on a page for this browser carries."""
    return tokens.digest(f"csrf {request.state.csrf_seed}").hex()


async def require_csrf(request: Request) -> None:
    """Refuse a change that another site, or an old form, asks for. Raises Forbidden."""
    if request.method in _SAFE_METHODS:
        return
    # a multipart form may name a charset, such as UTF-7, that yields text which cannot be stored or hashed
    is_form = request.headers.get("Content-Type", "").partition(";")[0].strip().lower() == _FORM
    refuse_other_sites(request)
    sent = (await request.form()).get(CSRF_FIELD) if is_form else request.headers.get("X-CSRF-Token")
    refuse_wrong_token(request, sent)


def refuse_other_sites(request: Request) -> None:
    """Raises Forbidden where a browser says that another site asks."""
    settings: Settings = request.app.state.world.settings
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    own = (_origin(settings.url), _origin(str(request.base_url)))
    if site not in (None, "same-origin", "none") or (origin is not None and _origin(origin) not in own):
        raise _not_our_form()


def refuse_wrong_token(request: Request, token: object) -> None:
    """Raises Forbidden unless `token` is that of the forms that this browser was shown."""
    tokens: TokenHasher = request.app.state.world.tokens
    is_text = isinstance(token, str) and token.isascii()
    if not is_text or not tokens.matches(token, f"csrf {request.state.csrf_seed}"):
        raise _not_our_form()


def _not_our_form() -> Forbidden:
    return Forbidden(
        _("This form was open too long, or was sent from another site. Nothing was changed."),
        way_out=_("Reload the page and send it again."),
        code="csrf",
    )


def _origin(url: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.scheme, parts.netloc
