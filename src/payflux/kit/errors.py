"""The families of errors a person can be shown. Each says what happened and what to do; a presenter picks the form."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from payflux.kit.messages import gettext as _


class UserError(Exception):
    """Something the person, and not the programmer, has to act on.

    `message` says what happened, `way_out` what to do about it. `code` is stable and for machines, and so are
    `details`: which rule it was, who can change it, and where.
    """

    status: HTTPStatus = HTTPStatus.BAD_REQUEST
    code: str = "error"

    def __init__(
        self, message: str, *, way_out: str = "", code: str = "", details: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.way_out = way_out
        self.details = dict(details or {})
        if code:
            self.code = code


class OperatorError(Exception):
    """Something whoever runs PayFlux has to act on before it can go on; the message says what to do."""


class InvalidInput(UserError):
    """A field was filled in wrongly; `fields` maps each field's name to what is wrong with it."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "invalid_input"

    def __init__(self, fields: dict[str, str], *, message: str = "") -> None:
        super().__init__(
            message or _("Some fields need your attention."),
            way_out=_("Correct the marked fields and send the form again."),
        )
        self.fields = fields


class NotSignedIn(UserError):
    status = HTTPStatus.UNAUTHORIZED
    code = "not_signed_in"


class PaymentRequired(UserError):
    """The plan or the subscription does not allow this now."""

    status = HTTPStatus.PAYMENT_REQUIRED
    code = "subscription_inactive"


class Forbidden(UserError):
    status = HTTPStatus.FORBIDDEN
    code = "forbidden"


class NotFound(UserError):
    status = HTTPStatus.NOT_FOUND
    code = "not_found"


class Conflict(UserError):
    status = HTTPStatus.CONFLICT
    code = "conflict"


class TooManyRequests(UserError):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too_many_requests"


class Unavailable(UserError):
    """Something outside of PayFlux does not answer; nothing was changed."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "unavailable"


def problem_details(error: UserError, *, instance: str, request_id: str) -> dict[str, object]:
    """`error` as RFC 9457 problem details."""
    details: dict[str, object] = {
        "type": f"urn:payflux:error:{error.code}",
        "title": error.status.phrase,
        "status": error.status.value,
        "detail": _(error.message),
        "code": error.code,
        "instance": instance,
        "request_id": request_id,
    }
    details |= error.details
    if error.way_out:
        details["way_out"] = _(error.way_out)
    if isinstance(error, InvalidInput):
        details["errors"] = [{"field": field, "detail": detail} for field, detail in error.fields.items()]
    return details
