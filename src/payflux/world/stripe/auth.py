"""How to act at Stripe."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class StripeAuth:
    """A restricted key on its own account, the platform's key on a connected account, or a Stripe App's access token.

    `live` says whether it reads live or test data where the look of `key` does not tell.
    `renew` gives the credentials that replace these once Stripe has refused them; None where a refusal is final.
    """

    key: str = field(repr=False)
    stripe_account: str | None = None
    live: bool | None = None
    renew: Callable[[], Awaitable[StripeAuth]] | None = field(default=None, repr=False, compare=False)

    @property
    def livemode(self) -> bool:
        return "_live_" in self.key[:9] if self.live is None else self.live
