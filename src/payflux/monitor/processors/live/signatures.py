"""Stripe's signature of a webhook, checked on the raw bytes. Pure.

Source: docs.stripe.com/webhooks#verify-manually. `v1` is the hex HMAC-SHA256 of `<t>.<body>` under the whole signing
secret, `whsec_` included; while a secret is being rolled each delivery carries one `v1` for every active secret.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import datetime

TOLERANCE = 300
"""Seconds that a signature's time may differ from ours, in either direction."""

_LONGEST_HEADER = 4096
_SCHEME = "v1"


class SignatureRefused(Exception):
    """A body was not signed by who it says. `rule` names the check that failed: `header`, `time` or `signature`."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


def verify(body: bytes, header: str, secrets: Iterable[str], now: datetime) -> None:
    """Raises SignatureRefused unless one of `secrets` signed `body` within :data:`TOLERANCE` seconds of `now`."""
    time, signatures = _parts(header)
    message = time.encode() + b"." + body
    # every secret is tried on every signature, so that the time taken tells nothing of which one fits
    matches = [
        hmac.compare_digest(hmac.digest(secret.encode(), message, "sha256").hex(), signature)
        for secret in secrets
        if secret.strip()
        for signature in signatures
    ]
    if not any(matches):
        raise SignatureRefused("signature", "No v1 signature fits the body under this endpoint's signing secrets.")
    if abs(now.timestamp() - int(time)) > TOLERANCE:
        raise SignatureRefused("time", f"The signature's time differs from ours by more than {TOLERANCE} seconds.")


def sign(body: bytes, secrets: Iterable[str], at: datetime) -> str:
    """The header that Stripe sends with `body`: one `v1` for each of `secrets`."""
    time = str(int(at.timestamp()))
    message = time.encode() + b"." + body
    signed = (hmac.digest(secret.encode(), message, "sha256").hex() for secret in secrets)
    return ",".join((f"t={time}", *(f"{_SCHEME}={signature}" for signature in signed)))


def _parts(header: str) -> tuple[str, list[str]]:
    """The time and the signatures of the scheme that counts; others, such as test mode's `v0`, are left out."""
    times: list[str] = []
    signatures: list[str] = []
    if len(header) <= _LONGEST_HEADER and header.isascii():
        for item in header.split(","):
            name, _, value = item.strip().partition("=")
            if name == "t":
                times.append(value)
            elif name == _SCHEME:
                signatures.append(value)
    if len(times) != 1 or not times[0].isdigit() or len(times[0]) > 12:
        raise SignatureRefused("header", "The Stripe-Signature header holds no time (t=…), or more than one.")
    if not signatures:
        raise SignatureRefused("header", "The Stripe-Signature header holds no v1 signature.")
    return times[0], signatures
