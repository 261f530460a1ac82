"""Idempotency keys: a POST that is sent again is answered again, not carried out again.

Keys are kept for 24 hours of the sandbox's time. docs.stripe.com/api/idempotent_requests
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import msgspec

from payflux.sandbox.errors import StripeError
from payflux.sandbox.store import Json, Store

LIFETIME = 86_400  # seconds
_TYPE = "_idempotency_key"


class Answered(NamedTuple):
    status: int
    body: Json
    request_id: str


def fingerprint(path: str, params: Json) -> str:
    return hashlib.sha256(path.encode() + msgspec.json.encode(params, order="deterministic")).hexdigest()


def answered_before(store: Store, account_id: str, key: str, mark: str, now: int) -> Answered | None:
    """The answer that this key was given. Raises StripeError where it was sent with other parameters."""
    if len(key) > 255:
        raise StripeError(400, "Idempotency keys can be no longer than 255 characters.", kind="idempotency_error")
    kept = store.get(account_id, f"{_TYPE}/{key}")
    if kept is None or kept["created"] <= now - LIFETIME:
        return None
    if kept["fingerprint"] != mark:
        raise StripeError(
            400,
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try "
            f"using a key other than '{key}' if you meant to execute a different request.",
            kind="idempotency_error",
        )
    return Answered(kept["status"], kept["body"], kept["request_id"])


def keep_answer(store: Store, account_id: str, key: str, mark: str, now: int, answered: Answered) -> None:
    store.delete(account_id, f"{_TYPE}/{key}")
    store.put(
        account_id,
        {"id": f"{_TYPE}/{key}", "object": _TYPE, "created": now, "fingerprint": mark, **answered._asdict()},
    )


def in_use(key: str) -> StripeError:
    return StripeError(
        409,
        f"There is currently another in-progress request using this Idempotent Key: {key}. This usually means you "
        "sent a request while a previous one with the same key was still running. Try again later.",
        code="idempotency_key_in_use",
        kind="idempotency_error",
        headers={"Stripe-Should-Retry": "true"},
    )
