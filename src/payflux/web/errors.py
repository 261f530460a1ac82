"""The one presenter of errors: a page for a browser, RFC 9457 problem details for a machine."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote, urlsplit

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from fastapi.routing import iter_route_contexts
from starlette._utils import get_route_path
from starlette.exceptions import HTTPException
from starlette.routing import Route, compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.kit.database import is_away
from payflux.kit.errors import (
    InvalidInput,
    NotFound,
    NotSignedIn,
    PaymentRequired,
    Unavailable,
    UserError,
    problem_details,
)
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.web.browsers import local_path
from payflux.web.refusals import EmailNotVerified, OfAccount, SsoRequired, StepUpRequired, way_to
from payflux.web.rendering import render
from payflux.web.security import logged_path
from payflux.web.visits import record_refusal
from payflux.web.walls import wall

log = structlog.get_logger(__name__)


class Internal(UserError):
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    code = "internal"


MISTAKE = Internal(
    mark("An error on our side stopped this."), way_out=mark("Try again. If it stays, send us the request id.")
)
DATABASE_AWAY = Unavailable(
    mark("PayFlux cannot reach its database at the moment. Nothing was changed."),
    way_out=mark("Try again in a minute."),
)


class Refused(UserError):
    """An HTTP error the framework raises itself, such as a wrong method."""


_REFUSALS = {
    HTTPStatus.BAD_REQUEST: (
        mark("What was sent cannot be read."),
        mark("Go back, reload the page and send it again."),
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        mark("This address cannot be asked for in this way."),
        mark("Start from your workspace, and use the links and buttons there."),
    ),
}


class UnexpectedErrors:
    """Answers an error that nobody foresaw, inside the envelope: with its headers and, in the log, its request id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def send_noticed(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_noticed)
        except Exception as error:
            if scope["type"] != "http":
                raise
            log.exception("unexpected error", path=logged_path(scope["path"]))
            if begun:  # the status is out: all that is left is to break off
                raise
            mistake = DATABASE_AWAY if is_away(error) else MISTAKE
            await _presented(Request(scope), mistake)(scope, receive, send)


def add_error_handlers(app: FastAPI) -> None:
    """Make every error, also an unexpected one, an answer that says what happened, what is safe and what to do."""
    app.add_exception_handler(UserError, _user_error)  # ty: ignore[invalid-argument-type] -- narrower by design
    app.add_exception_handler(RequestValidationError, _validation_error)  # ty: ignore[invalid-argument-type]
    app.add_exception_handler(HTTPException, _http_error)  # ty: ignore[invalid-argument-type]
    app.add_middleware(UnexpectedErrors)


def present(request: Request, error: UserError) -> Response:
    """`error` in the form that the caller reads; a surface without templates is read by machines alone."""
    path: str = request.scope["path"]  # request.url fails on a query that is not UTF-8
    if not _wants_page(request):
        details = problem_details(error, instance=path, request_id=request.state.request_id)
        headers = {"WWW-Authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else {}
        if "retry_after" in error.details:
            headers["Retry-After"] = str(error.details["retry_after"])
        return JSONResponse(details, error.status, headers, media_type="application/problem+json")
    if isinstance(error, NotSignedIn):
        # a form cannot be sent again by a redirect, and its address is no page
        to = f"/login?next={quote(path)}" if request.method == "GET" else "/login"
        return RedirectResponse(to, status_code=HTTPStatus.SEE_OTHER)
    if isinstance(error, EmailNotVerified | SsoRequired | StepUpRequired):
        return RedirectResponse(way_to(error, _page_of(request)), HTTPStatus.SEE_OTHER)
    return render(
        request,
        "of_account.html" if isinstance(error, OfAccount) else "error.html",
        error.status,
        request_id=request.state.request_id,
        what_happened=_(error.message),
        what_is_safe="",
        what_to_do=_(error.way_out),
    )


def _presented(request: Request, error: UserError) -> Response:
    """`error` as :func:`present` gives it, or in words alone where the page of errors fails as well."""
    try:
        return present(request, error)
    except Exception:
        log.exception("the page of errors cannot be shown")
        words = (error.message, error.way_out, f"Request id: {request.state.request_id}")
        return PlainTextResponse("\n\n".join(words) + "\n", error.status)


def _wants_page(request: Request) -> bool:
    return hasattr(request.app.state, "templates") and "text/html" in request.headers.get("Accept", "")


def _page_of(request: Request) -> str:
    """The page that was asked for, or the one whose form was sent; "/start" where the browser does not tell which."""
    if request.method == "GET":
        return request.scope["path"]
    try:
        before = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return "/start"
    return (local_path(before.path) if before.netloc == request.url.netloc else "") or "/start"


async def _user_error(request: Request, error: UserError) -> Response:
    who: SignedIn | None = getattr(request.state, "who", None)
    await record_refusal(request, error, who)
    if isinstance(error, PaymentRequired) and who is not None and _wants_page(request):
        return await wall(request, who, error)
    return present(request, error)


async def _validation_error(request: Request, error: RequestValidationError) -> Response:
    fields = {str(problem["loc"][-1]): str(problem["msg"]) for problem in error.errors()}
    return present(request, InvalidInput(fields))


async def _http_error(request: Request, error: HTTPException) -> Response:
    if error.status_code == HTTPStatus.NOT_FOUND:
        return present(
            request,
            NotFound(
                _("There is no page at this address, or what stood here is gone."),
                way_out=_("Check the address, or start from your workspace."),
            ),
        )
    status = HTTPStatus(error.status_code)
    message, way_out = _REFUSALS.get(
        status, (f"{status.description or status.phrase}.", mark("Go back and try again."))
    )
    refused = Refused(_(message), way_out=_(way_out), code=status.name.lower())
    refused.status = status
    response = present(request, refused)
    response.headers.update(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = ", ".join(_methods_of(request))
    return response


def _methods_of(request: Request) -> list[str]:
    """Every method of the address: the framework names those of the first route there alone (RFC 9110, 10.2.1)."""
    path = get_route_path(request.scope)
    there = (
        context for context in iter_route_contexts(request.app.routes) if isinstance(context.original_route, Route)
    )
    matching = [each for each in there if compile_path(each.path or "")[0].match(path)]
    return sorted({method for each in matching for method in each.methods or ()})
