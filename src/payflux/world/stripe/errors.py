"""Why Stripe did not do what was asked. No exception of this module holds a key, a code or a token.

Facts: docs.stripe.com/api/errors.
"""

from __future__ import annotations

import re
from http import HTTPStatus

import httpx
import msgspec


class StripeFailure(Exception):
    """Stripe did not do what was asked; the subclasses say why."""


class KeyRefused(StripeFailure):
    """401: the key is wrong, revoked or expired."""


class Disconnected(StripeFailure):
    """403 `account_invalid`: the merchant, or we, took the access away. Trying again does not help."""


class PermissionMissing(StripeFailure):
    """403: the key may not read this. `permission` is Stripe's name of what is missing; empty when it is not said."""

    def __init__(self, permission: str) -> None:
        super().__init__(f"the key lacks the permission {permission or 'for this resource'}")
        self.permission = permission


class CodeRefused(StripeFailure):
    """The OAuth code is unknown, expired or used; only a new authorization helps."""


class RequestRefused(StripeFailure):
    """Stripe understood the request and refuses it: a defect of ours, or an object that is gone.

    `status` is the HTTP status, 404 for what does not exist (any more), and `code` Stripe's error code.
    """

    def __init__(self, message: str, *, status: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.status, self.code = status, code


class ProcessorUnavailable(StripeFailure):
    """Stripe cannot be reached, fails, or keeps asking to slow down, after every retry."""


class _ApiError(msgspec.Struct):
    type: str = ""
    code: str = ""
    message: str = ""


class _ApiErrorBody(msgspec.Struct):
    error: _ApiError


def error_code(response: httpx.Response) -> str:
    """The error code of an unsuccessful answer; empty where it has none."""
    return _error(response).code


def _error(response: httpx.Response) -> _ApiError:
    try:
        return msgspec.json.decode(response.content, type=_ApiErrorBody).error
    except msgspec.DecodeError:
        return _ApiError()


def refusal(response: httpx.Response) -> StripeFailure:
    """The failure that an unsuccessful answer of Stripe's API stands for."""
    error = _error(response)
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        return KeyRefused("Stripe does not accept the key")
    if response.status_code == HTTPStatus.FORBIDDEN:
        if error.code == "account_invalid":
            return Disconnected("access to the account was taken away")
        named = re.search(r"'rak_(\w+)'", error.message)
        return PermissionMissing(named[1] if named else "")
    request = response.headers.get("Request-Id", "unknown")
    said = re.sub(r"\b(?:sk|rk|pk|whsec|ac)_\w+", "…", error.message)
    return RequestRefused(
        f"status {response.status_code} {error.code} (request {request}): {said}",
        status=response.status_code,
        code=error.code,
    )
