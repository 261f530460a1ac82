"""Stripe's rate limit: a bucket of tokens for each endpoint of each account."""

from __future__ import annotations

from payflux.sandbox.errors import StripeError


class RateLimiter:
    """Allows `per_second` calls a second to each key, and bursts of as many."""

    def __init__(self, per_second: float) -> None:
        self.per_second = per_second
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}  # key -> (tokens, when counted)

    def take(self, key: tuple[str, str], now: float) -> None:
        """Take a token at `now`, seconds of any monotonic clock; raises a 429 StripeError when there is none."""
        tokens, counted = self._buckets.get(key, (self.per_second, now))
        tokens = min(self.per_second, tokens + (now - counted) * self.per_second)
        if tokens < 1:
            self._buckets[key] = (tokens, now)
            raise StripeError(
                429,
                "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
                code="rate_limit",
                headers={"Stripe-Rate-Limited-Reason": "endpoint-rate"},
            )
        self._buckets[key] = (tokens - 1, now)
