"""Standard Webhooks: who signed a delivery, checked on the raw bytes. Pure.

Source: the Standard Webhooks specification (standardwebhooks.com). `v1` is the base64 HMAC-SHA256 of
`<webhook-id>.<webhook-timestamp>.<body>` under the bytes that follow `whsec_`, in base64, in the secret. A header may
hold several signatures, parted by spaces, while a secret is rolled.
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import datetime

from payflux.monitor.processors.live.signatures import TOLERANCE, SignatureRefused

_PREFIX = "whsec_"
_BYTES = 32  # of a new secret; the specification asks for 24 to 64
_LONGEST_HEADER = 4096
_ID = re.compile(r"[\w.:-]{1,200}", re.ASCII)
_TIME = re.compile(r"[0-9]{1,12}")


def new_secret() -> str:
    return _PREFIX + b64encode(secrets.token_bytes(_BYTES)).decode()


def sign(message_id: str, body: bytes, secrets: Iterable[str], at: datetime) -> str:
    """The `webhook-signature` header of `body`: one `v1` for each of `secrets`."""
    message = _message(message_id, str(int(at.timestamp())), body)
    return " ".join(f"v1,{_signature(secret, message)}" for secret in secrets)


def verify(
    body: bytes, *, message_id: str, timestamp: str, signatures: str, secrets: Iterable[str], now: datetime
) -> None:
    """Raises SignatureRefused unless one of `secrets` signed `body` within `TOLERANCE` seconds of `now`. The texts are
    those of the three headers."""
    if not _ID.fullmatch(message_id):
        raise SignatureRefused(
            "header", "The webhook-id header is missing, or is not 1 to 200 letters, digits, dots, colons and dashes."
        )
    if not _TIME.fullmatch(timestamp):
        raise SignatureRefused("header", "The webhook-timestamp header is missing, or is not in whole unix seconds.")
    given = _given(signatures)
    message = _message(message_id, timestamp, body)
    # every secret is tried on every signature, so that the time taken tells nothing of which one fits
    matches = [
        hmac.compare_digest(_signature(secret, message).encode(), signature.encode())
        for secret in secrets
        for signature in given
    ]
    if not any(matches):
        raise SignatureRefused("signature", "No v1 signature fits the id, the time and the body under your secret.")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE:
        raise SignatureRefused("time", f"webhook-timestamp differs from our time by more than {TOLERANCE} seconds.")


def _message(message_id: str, timestamp: str, body: bytes) -> bytes:
    return f"{message_id}.{timestamp}.".encode() + body


def _signature(secret: str, message: bytes) -> str:
    return b64encode(hmac.digest(b64decode(secret.removeprefix(_PREFIX)), message, "sha256")).decode()


def _given(header: str) -> list[str]:
    """The signatures of the scheme that counts; others are left out."""
    items = header.split() if len(header) <= _LONGEST_HEADER and header.isascii() else []
    given = [item.removeprefix("v1,") for item in items if item.startswith("v1,")]
    if not given:
        raise SignatureRefused("header", "The webhook-signature header holds no v1 signature (v1,<base64>).")
    return given
