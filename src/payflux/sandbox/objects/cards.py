"""A card from its 63 random bits: brand, country, funding, expiry and fingerprint. No number stands behind it."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

BRANDS = (("visa", 0.58), ("mastercard", 0.28), ("amex", 0.09), ("discover", 0.05))
COUNTRIES = (("US", 0.82), ("CA", 0.06), ("GB", 0.05), ("DE", 0.03), ("FR", 0.02), ("AU", 0.02))
FUNDING = (("credit", 0.62), ("debit", 0.33), ("prepaid", 0.05))


class Card(NamedTuple):
    brand: str
    country: str
    funding: str
    last4: str
    exp_month: int
    exp_year: int
    fingerprint: str
    regulated: bool


def _chosen(table: tuple[tuple[str, float], ...], bits: int) -> str:
    edges = list(accumulate(share for _, share in table))
    return table[min(bisect_right(edges, (bits & 0xFFFF) / 0x10000), len(table) - 1)][0]


@lru_cache(maxsize=50_000)
def card_of(bits: int) -> Card:
    """The card behind `bits`; the same bits are the same card."""
    country = _chosen(COUNTRIES, bits >> 16)
    funding = _chosen(FUNDING, bits >> 32)
    return Card(
        brand=_chosen(BRANDS, bits),
        country=country,
        funding=funding,
        last4=f"{bits % 10_007 % 10_000:04d}",
        exp_month=bits % 12 + 1,
        exp_year=2027 + bits % 5,
        fingerprint=f"{bits:016x}",
        regulated=country == "US" and funding == "debit",
    )
