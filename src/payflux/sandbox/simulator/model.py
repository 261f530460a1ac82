"""What a simulated merchant is made of, and how its processor reacts. Every number is chosen, none is measured."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

LAST_LAG = 182
"""Days after which no dispute arrives any more."""

MONTH = 30


class CardNetwork(IntEnum):
    """The card's network, by the numbers that normalised events use."""

    VISA = 1
    MASTERCARD = 2
    AMEX = 3
    DISCOVER = 4


class Family(IntEnum):
    LOGNORMAL = 1
    WEIBULL = 2


@dataclass(frozen=True, kw_only=True)
class LagModel:
    """How many days pass from a payment to its dispute: a distribution cut off at 182 days.

    `spread` is the standard deviation of the logarithm for a lognormal lag, 1 / the shape for a Weibull one (1: the
    exponential distribution). `median` is that of the distribution before it is cut off.
    """

    median: float = 30.0
    spread: float = 0.8
    family: Family = Family.LOGNORMAL

    def cdf(self, days: float, pace: float = 1.0) -> float:
        """The share of lags up to `days`, when all are `pace` times as long."""
        return min(1.0, self._uncut(days / pace) / self._uncut(LAST_LAG / pace))

    def draw(self, rng: np.random.Generator, pace: np.ndarray) -> np.ndarray:
        """A lag in days for each of `pace`, the factor by which it is longer."""
        lags = np.full(len(pace), np.inf)
        while (late := np.flatnonzero(lags > LAST_LAG)).size:
            if self.family is Family.LOGNORMAL:
                drawn = np.exp(self.spread * rng.standard_normal(late.size))
            else:
                drawn = (rng.standard_exponential(late.size) / math.log(2)) ** self.spread
            lags[late] = self.median * pace[late] * drawn
        return lags

    def _uncut(self, days: float) -> float:
        if days <= 0:
            return 0.0
        ratio = days / self.median
        if self.family is Family.LOGNORMAL:
            return (1 + math.erf(math.log(ratio) / self.spread / math.sqrt(2))) / 2
        return 1 - 2 ** -(ratio ** (1 / self.spread))


@dataclass(frozen=True, kw_only=True)
class Spike:
    """Days on which sales are `factor` times their usual level."""

    first_day: int
    days: int
    factor: float


@dataclass(frozen=True, kw_only=True)
class MerchantModel:
    """One merchant. Days count from the start of the simulation, shares are of payments unless said otherwise."""

    name: str
    story: str
    payments_a_day: float = 100.0  # at the start, before growth, season and spikes
    growth: float = 0.0  # a month of 30 days, compounding; −0.1 is a decline by a tenth
    weekday: tuple[float, ...] = (0.95, 0.9, 0.95, 1.0, 1.15, 1.15, 0.9)  # Monday to Sunday, mean 1
    season: float = 0.0  # amplitude of a yearly wave on the logarithm of sales, highest at the end of the year
    noise: float = 0.15  # standard deviation of the logarithm of a day's level, beside the Poisson noise
    spikes: tuple[Spike, ...] = ()
    first_day: int = 0  # nothing is sold before it
    ticket: float = 5_000.0  # median, minor units
    ticket_spread: float = 0.6  # standard deviation of its logarithm
    dispute_rate: tuple[tuple[int, float], ...] = (
        (0, 0.005),
    )  # (day, ultimate rate of its payments), straight between
    fraud_share: float = 0.5  # of disputes
    fraud_pace: float = 0.7  # lags of fraud disputes, as a multiple of the others'
    lag: LagModel = LagModel()
    warned: float = 0.6  # share of fraud disputes that an early fraud warning goes before
    won: float = 0.25  # share of disputes
    refund_rate: float = 0.05
    refund_median: float = 7.0  # days
    three_d_secure: float = 0.2
    networks: tuple[float, ...] = (0.55, 0.32, 0.08, 0.05)  # in the order of CardNetwork
    customers: int = 5_000  # who buy, each as likely as the next

    def rate_on(self, days: np.ndarray) -> np.ndarray:
        """The ultimate dispute rate of the payments made on `days`."""
        knots, rates = zip(*self.dispute_rate, strict=True)
        return np.interp(days, knots, rates)


@dataclass(frozen=True, kw_only=True)
class ProcessorPolicy:
    """A rolling reserve that begins when dispute activity is too high, looked at once a day.

    Activity is disputes received in the last 30 days / payments of the last 30 days. While the reserve is in force,
    `reserve_rate` of each day's sales is held for `reserve_days`. It ends after `calm_days` days in a row below
    `lifted_below`; what is held then is released on its own day all the same.
    """

    triggered_at: float = 0.01
    least_disputes: int = 5
    lifted_below: float = 0.0065
    calm_days: int = 60
    reserve_rate: float = 0.10
    reserve_days: int = 90
