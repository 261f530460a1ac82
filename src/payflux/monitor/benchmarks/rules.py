"""Which shops are compared, in what, and what may be told of them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import floor, log10
from typing import NamedTuple

from payflux.kit.messages import mark
from payflux.monitor.risk.rules.bands import MINIMUM_PAYMENTS

LEAST_SHOPS = 20
"""Shops of different owners that a figure rests on, at least: fewer could tell one of them from the others."""

SHOWN_DIGITS = 2
"""Significant digits that a figure of other shops is told to: a shop that comes or goes moves none visibly."""


class Size(NamedTuple):
    """Shops with `least` payments or more in 30 days, and fewer than `below`; None is without end."""

    least: int
    below: int | None

    @property
    def key(self) -> str:
        return f"{self.least}-{self.below or ''}"


SIZES = (Size(MINIMUM_PAYMENTS, 250), Size(250, 2_500), Size(2_500, 25_000), Size(25_000, None))
"""By payments in 30 days; a shop with fewer than the first is told no rates at all."""


class Metric(NamedTuple):
    """A rate of the last 30 days, by its column among the sweep's readings; of each of them less is better."""

    key: str
    label: str


METRICS = (
    Metric("dispute_activity_30", mark("Dispute activity")),
    Metric("fraud_warning_rate_30", mark("Early fraud warnings")),
    Metric("refund_rate_30", mark("Refunds")),
    Metric("decline_rate_30", mark("Declined payments")),
    Metric("observed_reserve_30", mark("Reserve held by the processor")),
)


class Standing(StrEnum):
    """Where a rate lies among those of the others."""

    LOWEST = "lowest"  # in the lowest quarter
    BELOW = "below"  # below the middle, or on it
    ABOVE = "above"  # above the middle
    HIGHEST = "highest"  # in the highest quarter


@dataclass(frozen=True)
class Quartiles:
    """A rate of `shops` shops: a quarter of them lies below `lower`, half below `median`, three quarters below
    `upper`. Raises ValueError where they are too few or do not rise."""

    shops: int
    lower: float
    median: float
    upper: float

    def __post_init__(self) -> None:
        if self.shops < LEAST_SHOPS:
            raise ValueError(f"a figure rests on {LEAST_SHOPS} shops or more")
        if not 0 <= self.lower <= self.median <= self.upper:
            raise ValueError("quartiles rise from zero or more")


def size_of(payments: int) -> Size | None:
    """The size of a shop with so many payments in 30 days; None where they are too few for a rate."""
    return next((size for size in SIZES if size.least <= payments and (size.below or payments + 1) > payments), None)


def standing_of(rate: float, others: Quartiles) -> Standing:
    """Where `rate` lies; a rate on a boundary counts as the better of the two."""
    if rate <= others.lower:
        return Standing.LOWEST
    if rate <= others.median:
        return Standing.BELOW
    return Standing.ABOVE if rate <= others.upper else Standing.HIGHEST


def told(rate: float) -> float:
    """`rate` to the digits that are told of other shops."""
    return 0.0 if rate == 0 else round(rate, SHOWN_DIGITS - 1 - floor(log10(abs(rate))))
