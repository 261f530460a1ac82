"""Stripe's limits: buckets of tokens for each endpoint of an account and for the account, and calls side by side.

docs.stripe.com/rate-limits
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

from payflux.sandbox.errors import StripeError

ACCOUNT_SHARE = 4
"""How many times an endpoint's rate an account has in all: 100 and 25 requests a second in live mode."""


class RateLimiter:
    """Allows `per_second` calls a second to each endpoint of an account, `per_account` to the account, by default
    :data:`ACCOUNT_SHARE` times as many, and bursts of as many; and `at_once` calls of an account side by side, by
    default any number."""

    def __init__(self, per_second: float, *, per_account: float | None = None, at_once: int | None = None) -> None:
        self.per_second = per_second
        self.per_account = per_second * ACCOUNT_SHARE if per_account is None else per_account
        self.at_once = at_once
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}  # key -> (tokens, when counted)
        self._running: Counter[str] = Counter()

    def take(self, key: tuple[str, str], now: float) -> None:
        """Take a token of an account and endpoint at `now`, seconds of any monotonic clock; raises a 429 StripeError
        when there is none."""
        account, _ = key
        self._take((account, ""), self.per_account, now, "global-rate")
        self._take(key, self.per_second, now, "endpoint-rate")

    def _take(self, key: tuple[str, str], rate: float, now: float, reason: str) -> None:
        tokens, counted = self._buckets.get(key, (rate, now))
        tokens = min(rate, tokens + (now - counted) * rate)
        self._buckets[key] = (tokens - 1 if tokens >= 1 else tokens, now)
        if tokens < 1:
            raise rate_limited(reason)

    @contextmanager
    def running(self, account: str) -> Generator[None, None, None]:
        """A call of an account runs within; raises a 429 StripeError where too many do."""
        if self.at_once is not None and self._running[account] >= self.at_once:
            raise rate_limited("global-concurrency")
        self._running[account] += 1
        try:
            yield
        finally:
            self._running[account] -= 1


def rate_limited(reason: str) -> StripeError:
    """The refusal of a call beyond a limit. `reason` is what the header Stripe-Rate-Limited-Reason says."""
    return StripeError(
        429,
        "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
        code="rate_limit",
        headers={"Stripe-Rate-Limited-Reason": reason},
    )
