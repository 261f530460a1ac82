"""The signature of a webhook as Stripe makes it. docs.stripe.com/webhooks#verify-manually"""

from __future__ import annotations

import hmac
from collections.abc import Sequence


def signature(body: bytes, secrets: Sequence[str], at: int) -> str:
    """The header `Stripe-Signature`: the time `at`, unix seconds, one `v1` for each secret, and test mode's decoy `v0`.

    A `v1` is the hex HMAC-SHA256 of `<t>.<body>` under the whole secret, `whsec_` included.
    """
    message = str(at).encode() + b"." + body
    signed = [f"v1={hmac.digest(secret.encode(), message, 'sha256').hex()}" for secret in secrets]
    decoy = hmac.digest(b"v0", message, "sha256").hex()
    return ",".join([f"t={at}", *signed, f"v0={decoy}"])
