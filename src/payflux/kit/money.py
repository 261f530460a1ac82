"""How money is counted: integer minor units, and how many of them make one major unit."""

from __future__ import annotations

_NO_DECIMALS = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"]
)
_THREE_DECIMALS = frozenset(["bhd", "iqd", "jod", "kwd", "lyd", "omr", "tnd"])


def exponent(currency: str) -> int:
    """How many decimals one major unit of an ISO 4217 `currency` has, as Stripe's amounts count them: 2 but for the
    currencies of docs.stripe.com/currencies; UGX and ISK count two there."""
    currency = currency.lower()
    return 0 if currency in _NO_DECIMALS else 3 if currency in _THREE_DECIMALS else 2
