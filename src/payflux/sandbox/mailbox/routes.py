"""The mailbox as pages, and as JSON under /sandbox/mailbox."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import msgspec
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from payflux.sandbox.control.origin import require_own
from payflux.sandbox.errors import StripeError, no_such
from payflux.sandbox.mailbox import messages
from payflux.sandbox.mailbox.messages import KEPT, LINK, Content, Mail
from payflux.sandbox.pages import POLICY, render_page
from payflux.sandbox.store import Json, Store

_MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""A mail's HTML runs nothing, loads nothing and tells nobody that it was read; its links open beside it."""

_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)

Handle = Callable[[Request, Store], Awaitable[Response]]


def _route(path: str, handle: Handle, method: str = "GET") -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            require_own(request)
            return await handle(request, request.app.state.sandbox.store)
        except StripeError as error:
            if path.startswith("/sandbox/"):
                return JSONResponse(error.body, error.status)
            return render_page("refused.html", error.status, error="refused", error_description=str(error))

    return Route(path, endpoint, methods=[method])


def _found(request: Request, store: Store) -> tuple[Mail, bytes]:
    mail_id = request.path_params["id"]
    mail = messages.mail_of(store, mail_id)
    if mail is None:
        raise no_such("mail", mail_id)
    return mail, messages.raw_of(store, mail)


def _search(request: Request, limit: int = KEPT) -> list[Mail]:
    query, store = request.query_params, request.app.state.sandbox.store
    return messages.mails(store, recipient=query.get("to", ""), words=query.get("q", ""), limit=limit)


async def _list_page(request: Request, store: Store) -> Response:
    every = messages.mails(store)
    return render_page(
        "mailbox.html",
        mails=_search(request),
        total=len(every),
        kept=KEPT,
        recipients=sorted({recipient for mail in every for recipient in mail.recipients}),
        to=request.query_params.get("to", ""),
        words=request.query_params.get("q", ""),
        iso=iso,
        port=request.app.state.mailbox_port,
    )


async def _mail_page(request: Request, store: Store) -> Response:
    mail, raw = _found(request, store)
    content = messages.read(raw)
    return render_page(
        "mail.html",
        policy=f"{POLICY}; frame-src 'self'",
        mail=mail,
        content=content,
        text=linked(content.text),
        iso=iso,
    )


async def _html(request: Request, store: Store) -> Response:
    html = messages.read(_found(request, store)[1]).html
    head, base = _HEAD.search(html), '<base target="_blank">'
    at = head.end() if head else 0
    headers = {"Content-Security-Policy": _MAIL_POLICY, "Referrer-Policy": "no-referrer"}
    return HTMLResponse(html[:at] + base + html[at:], 200, headers | {"X-Content-Type-Options": "nosniff"})


async def _raw(request: Request, store: Store) -> Response:
    mail, raw = _found(request, store)
    headers = {"Content-Disposition": f'attachment; filename="{mail.id}.eml"', "X-Content-Type-Options": "nosniff"}
    return Response(raw, 200, headers, "message/rfc822")


async def _empty(_request: Request, store: Store) -> Response:
    messages.forget_all(store)
    return RedirectResponse("/mailbox", 303)


async def _list(request: Request, _store: Store) -> Response:
    text = request.query_params.get("limit", str(KEPT))
    if not text.isdecimal() or not 1 <= int(text[:9]) <= KEPT:
        raise StripeError(400, f"limit is a whole number from 1 to {KEPT}.", param="limit")
    return JSONResponse({"data": [msgspec.to_builtins(mail) for mail in _search(request, int(text))]})


async def _latest(request: Request, store: Store) -> Response:
    found = _search(request, 1)
    if not found:
        raise StripeError(404, "No mail fits.", code="resource_missing", param="to")
    return JSONResponse(_shown(found[0], messages.read(messages.raw_of(store, found[0]))))


async def _one(request: Request, store: Store) -> Response:
    mail, raw = _found(request, store)
    return JSONResponse(_shown(mail, messages.read(raw)))


async def _delete(_request: Request, store: Store) -> Response:
    return JSONResponse({"deleted": messages.forget_all(store)})


def _shown(mail: Mail, content: Content) -> Json:
    return {**msgspec.to_builtins(mail), **content._asdict(), "links": content.links}


def iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def linked(text: str) -> Markup:
    """A text whose addresses are links; everything else in it is only text."""
    parts, at = [], 0
    for link in LINK.finditer(text):
        address = escape(link[0])
        parts += [escape(text[at : link.start()]), Markup('<a href="{0}" rel="noreferrer">{0}</a>').format(address)]
        at = link.end()
    return Markup("").join([*parts, escape(text[at:])])


ROUTES: list[Route] = [
    _route("/mailbox", _list_page),
    _route("/mailbox/delete", _empty, "POST"),
    _route("/mailbox/{id}", _mail_page),
    _route("/mailbox/{id}/html", _html),
    _route("/mailbox/{id}/raw", _raw),
    _route("/sandbox/mailbox", _list),
    _route("/sandbox/mailbox", _delete, "DELETE"),
    _route("/sandbox/mailbox/latest", _latest),
    _route("/sandbox/mailbox/{id}", _one),
]
