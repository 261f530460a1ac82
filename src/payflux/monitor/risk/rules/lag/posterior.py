"""What is known of a rate: a Gamma distribution, and the counts that follow from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from payflux.monitor.risk.rules.statistics import gamma_cdf, gamma_quantile, negative_binomial_interval, settle


class Estimate(NamedTuple):
    """A rate or a count with the bounds of its 80 % interval."""

    value: float
    low: float
    high: float


class Posterior(NamedTuple):
    """A rate q, in events per payment, that is Gamma(shape, exposure) distributed."""

    shape: float
    exposure: float

    @property
    def mean(self) -> float:
        return self.shape / self.exposure

    @property
    def estimate(self) -> Estimate:
        """The mean with its 80 % interval, none above 1."""
        low, high = (gamma_quantile(p, self.shape, self.exposure) for p in (0.1, 0.9))
        return Estimate(min(1.0, settle(self.mean)), min(1.0, low), min(1.0, high))

    def probability_over(self, threshold: float) -> float:
        """P(q ≥ `threshold`)."""
        return settle(1 - gamma_cdf(threshold * self.exposure, self.shape))

    def count_on(self, payments: float) -> Estimate:
        """Events on `payments` more, at most one each: negative binomial, with the 80 % interval of the count."""
        if payments <= 0:
            return Estimate(0.0, 0.0, 0.0)
        odds = payments / self.exposure
        low, high = negative_binomial_interval(0.8, self.shape, odds)
        return Estimate(*(min(payments, float(count)) for count in (settle(self.shape * odds), low, high)))


def with_moments(mean: float, variance: float) -> Posterior:
    """The Gamma distribution of a `mean` and `variance`, both positive."""
    return Posterior(mean * mean / variance, mean / variance)


def mixture(posteriors: Sequence[Posterior], chances: Sequence[float]) -> Posterior:
    """The Gamma distribution with the mean and variance of `posteriors` mixed by `chances`, whose sum is 1."""
    mean = math.fsum(p * q.mean for q, p in zip(posteriors, chances, strict=True))
    variance = math.fsum(
        p * (q.mean / q.exposure + (q.mean - mean) ** 2) for q, p in zip(posteriors, chances, strict=True)
    )
    return with_moments(mean, variance)
