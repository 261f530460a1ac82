"""The one presenter of errors: a page for a browser, RFC 9457 problem details for a machine."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from payflux.kit.errors import InvalidInput, NotFound, NotSignedIn, UserError, problem_details
from payflux.web.rendering import render

log = structlog.get_logger(__name__)


class Internal(UserError):
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    code = "internal"


class Refused(UserError):
    """An HTTP error the framework raises itself, such as a wrong method."""


def add_error_handlers(app: FastAPI) -> None:
    """Make every error, also an unexpected one, an answer that says what happened, what is safe and what to do."""
    app.add_exception_handler(UserError, _user_error)  # ty: ignore[invalid-argument-type] -- narrower by design
    app.add_exception_handler(RequestValidationError, _validation_error)  # ty: ignore[invalid-argument-type]
    app.add_exception_handler(HTTPException, _http_error)  # ty: ignore[invalid-argument-type]
    app.add_exception_handler(Exception, _unexpected)


def present(request: Request, error: UserError) -> Response:
    """`error` in the form that the caller reads."""
    wants_page = "text/html" in request.headers.get("Accept", "")
    if not wants_page:
        details = problem_details(error, instance=request.url.path, request_id=request.state.request_id)
        return JSONResponse(details, status_code=error.status, media_type="application/problem+json")
    if isinstance(error, NotSignedIn):
        return RedirectResponse(f"/sign-in?next={quote(request.url.path)}", status_code=HTTPStatus.SEE_OTHER)
    return render(
        request,
        "error.html",
        error.status,
        request_id=request.state.request_id,
        what_happened=error.message,
        what_is_safe="",
        what_to_do=error.way_out,
    )


async def _user_error(request: Request, error: UserError) -> Response:
    return present(request, error)


async def _validation_error(request: Request, error: RequestValidationError) -> Response:
    fields = {str(problem["loc"][-1]): str(problem["msg"]) for problem in error.errors()}
    return present(request, InvalidInput(fields))


async def _http_error(request: Request, error: HTTPException) -> Response:
    if error.status_code == HTTPStatus.NOT_FOUND:
        return present(request, NotFound(""))
    refused = Refused("")
    refused.status = HTTPStatus(error.status_code)
    refused.code = refused.status.name.lower()
    return present(request, refused)


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("unexpected error", path=request.url.path, exc_info=error)
    return present(request, Internal("", way_out=""))
