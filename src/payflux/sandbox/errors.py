"""Errors as Stripe words them."""

from __future__ import annotations

from typing import Any


class StripeError(Exception):
    """An answer that refuses a call of the API: an HTTP status and Stripe's error object.

    `kind` is the error's type; `more` are further fields of it, such as `decline_code` or `payment_intent`.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers or {}
        error: dict[str, Any] = {"message": message, "type": kind, **more}
        if code:
            error |= {"code": code, "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"}
        if param:
            error["param"] = param
        self.body = {"error": error}


class OAuthError(Exception):
    """An answer that refuses a call of Connect's OAuth: strings, not the API's error object."""

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.status, self.body = status, {"error": code, "error_description": description}


def masked(key: str) -> str:
    """A key as error messages print it: its first and last letters."""
    return f"{key[:8]}{'*' * max(len(key) - 12, 3)}{key[-4:]}" if len(key) > 12 else "*" * len(key)


_NOUNS = {
    "radar.early_fraud_warning": "early fraud warning",
    "balance_transaction": "balance transaction",
    "webhook_endpoint": "webhook endpoint",
}


def no_such(kind: str, object_id: str, param: str = "id") -> StripeError:
    """There is no object of type `kind` with this id."""
    noun = _NOUNS.get(kind, kind)
    return StripeError(404, f"No such {noun}: '{object_id}'", code="resource_missing", param=param)
