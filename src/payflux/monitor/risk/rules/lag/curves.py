"""Reporting curves: which share of all disputes (refunds) has arrived by an age, in days of age 0 … 182.

A curve is an array of int64 in millionths, so that sums over it are exact. A lag is the number of days from a charge
to what happened to it, an age the number of days from the charge until now: nobody has yet seen a lag that is longer
than its charge's age, the lags are truncated on the right.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from payflux.monitor.risk.rules.statistics import settle

MILLION = 1_000_000
LAST_AGE = 182
"""Days after which nothing more is expected: 26 weeks. Adyen: exposure ends "around 6 months" after the last sale."""

CURVE_WEIGHT = 50
"""The merchant's own curve weighs n / (n + 50) after n disputes."""

PACE_SPREAD = 0.75
"""Merchants' lags are assumed to differ from the reference by a factor of 2^0.75 = 1.7 (one standard deviation)."""

_PACES = tuple(2 ** (step / 8) for step in range(-16, 17))
"""The factors by which a merchant's disputes may be slower than the reference: a quarter to four times."""


class Lags(NamedTuple):
    """Events by the day of their charge and of their own: three int64 arrays of one length, any order.

    Rows with a negative lag, or a lag beyond the age, are someone's clock: they count as lag 0 and as seen today.
    """

    ages: np.ndarray  # days from the charge until now
    lags: np.ndarray  # days from the charge to the event
    counts: np.ndarray


NO_LAGS = Lags(*(np.empty(0, np.int64) for _ in range(3)))


def curve_through(*knots: tuple[int, float]) -> np.ndarray:
    """A reporting curve, straight between `knots` of (age, share)."""
    ages, shares = zip(*knots, strict=True)
    points = [round(share * MILLION) for share in shares]
    curve = np.empty(LAST_AGE + 1, np.int64)
    for (a, b), (low, high) in zip(pairwise(ages), pairwise(points), strict=True):
        span = np.arange(b - a + 1)
        curve[a : b + 1] = low + (high - low) * span // (b - a)
    return curve


DISPUTE_CURVE = curve_through(
    (0, 0.0), (7, 0.10), (15, 0.25), (30, 0.50), (60, 0.78), (90, 0.91), (120, 0.97), (LAST_AGE, 1.0)
)
"""Assumed arrival of disputes by age. No public distribution of card disputes' lag exists; this prior agrees with a
window of 120 days (Stripe, "Measuring disputes") and 30 to 60 days as the usual wait."""

REFUND_CURVE = curve_through((0, 0.05), (3, 0.30), (7, 0.55), (14, 0.75), (30, 0.92), (60, 0.98), (LAST_AGE, 1.0))
"""Assumed arrival of refunds by age: most return policies end after 14 or 30 days. An assumption, not a measurement."""


def at_pace(curve: np.ndarray, pace: float) -> np.ndarray:
    """`curve` with every lag `pace` times as long, of those that still end by :data:`LAST_AGE`.

    F(age / pace) / F(182 / pace): the accelerated time of survival analysis.
    """
    slowed = np.minimum(np.arange(LAST_AGE + 1) / pace, LAST_AGE)
    below = np.minimum(slowed.astype(np.int64), LAST_AGE - 1)
    shares = curve[below] + (curve[below + 1] - curve[below]) * (slowed - below)
    return np.rint(shares / shares[-1] * MILLION).astype(np.int64)


CAREFUL_CURVE = at_pace(DISPUTE_CURVE, 2**-PACE_SPREAD)
"""The reference one standard deviation faster: a lower bound under it is too high only for the fastest merchants."""


class _Pace(NamedTuple):
    """One candidate: the reference at a pace, with the logarithms that its likelihood needs."""

    curve: np.ndarray
    log_density: np.ndarray  # of a lag
    log_share: np.ndarray  # that has arrived by an age
    log_prior: float


def _pace(curve: np.ndarray, pace: float) -> _Pace:
    paced = at_pace(curve, pace)
    shares = [max(share, 1) / MILLION for share in paced.tolist()]
    # a lag of so many days is one of that day's middle, and none is quite impossible
    edges = [(a + b) / 2 for a, b in pairwise(shares)]
    density = [max(b - a, 1 / MILLION) for a, b in pairwise([0.0, *edges, 1.0])]
    by_age = [*edges, 1.0]
    return _Pace(
        paced,
        np.array([math.log(p) for p in density]),
        np.array([math.log(p) for p in by_age]),
        -((math.log2(pace) / PACE_SPREAD) ** 2) / 2,
    )


_DISPUTE_PACES = tuple(_pace(DISPUTE_CURVE, pace) for pace in _PACES)


class Reporting(NamedTuple):
    """How fast a merchant's disputes arrive: the expected curve and the plausible ones that it is the mean of."""

    curve: np.ndarray  # int64, millionths by age 0 … 182
    plausible: np.ndarray  # int64, one such curve a row
    chances: tuple[float, ...]  # of each row; their sum is 1


REFERENCE = Reporting(DISPUTE_CURVE, DISPUTE_CURVE[np.newaxis], (1.0,))
"""The reference curve without any doubt, for bounds that must not depend on the disputes."""


def reporting(lags: Lags, days: int, parent: Reporting | None = None) -> Reporting:
    """The merchant's own curve of disputes, from `lags` of charges of the last `days` days, shrunk to a prior.

    F = w·own + (1 − w)·prior with w = n / (n + 50) after n disputes. The prior is the reference at the merchant's pace,
    averaged over the paces that fit (:func:`_likely_paces`), or the curve of `parent` for a part of its disputes. The
    own curve is the product limit of right-truncated lags: reverse hazards F(k − 1) / F(k) = 1 − n_k / N_k, where n_k
    disputes had a lag of k days and N_k one of up to k days, of those whose charge is at least k days old (Kalbfleisch
    and Lawless 1991). It hangs on the prior at the oldest age that `days` shows, and follows it where nothing was seen.
    """
    lags = _within(lags)
    chances, priors = (parent.chances, parent.plausible) if parent else _likely_paces(lags)
    prior = parent.curve if parent else _mean(priors, chances)
    oldest = max(min(days - 1, LAST_AGE), 0)
    own = _product_limit(lags, prior, oldest)
    seen = int(lags.counts.sum())
    weight = seen / (seen + CURVE_WEIGHT)

    def mixed(prior: np.ndarray) -> np.ndarray:
        hung = prior.astype(np.float64)
        hung[:oldest] = own[:oldest] * hung[oldest]
        shares = np.rint(weight * hung + (1 - weight) * prior).astype(np.int64)
        return np.maximum.accumulate(shares)

    return Reporting(mixed(prior), np.array([mixed(paced) for paced in priors]), chances)


def _likely_paces(lags: Lags) -> tuple[tuple[float, ...], np.ndarray]:
    """The paces of the reference that fit `lags`, by the posterior of each, as (chances, curves).

    The likelihood of a truncated lag is f(lag) / F(age) (Kalbfleisch and Lawless 1991); log2 of the pace is normal
    around 0 with :data:`PACE_SPREAD`. Paces that are 1,000 times less likely than the best are left out.
    """
    by_lag, by_age = _by_day(lags.lags, lags.counts), _by_day(lags.ages, lags.counts)

    def log_posterior(pace: _Pace) -> float:
        terms = by_lag * pace.log_density - by_age * pace.log_share
        return math.fsum([pace.log_prior, *terms.tolist()])

    logs = [log_posterior(pace) for pace in _DISPUTE_PACES]
    best = max(logs)
    weights = [settle(math.exp(value - best)) for value in logs]
    likely = [(weight, pace.curve) for weight, pace in zip(weights, _DISPUTE_PACES, strict=True) if weight >= 0.001]
    whole = math.fsum(weight for weight, _ in likely)
    return tuple(weight / whole for weight, _ in likely), np.array([curve for _, curve in likely])


def _mean(curves: np.ndarray, chances: tuple[float, ...]) -> np.ndarray:
    total = np.zeros(LAST_AGE + 1)
    for curve, chance in zip(curves, chances, strict=True):
        total = total + curve * chance
    return np.rint(total).astype(np.int64)


def _product_limit(lags: Lags, prior: np.ndarray, oldest: int) -> np.ndarray:
    """F(k) / F(`oldest`) from the reverse hazards; the prior's where no dispute could show one."""
    arrived, reached = _by_day(lags.lags, lags.counts).tolist(), _reached(lags)
    priors = prior.tolist()
    shares = [1.0] * (oldest + 1)
    for k in range(oldest, 0, -1):
        expected = priors[k - 1] / priors[k] if priors[k] else 1.0
        shares[k - 1] = shares[k] * (1 - arrived[k] / reached[k] if reached[k] else expected)
    return np.array(shares)


def _within(lags: Lags) -> Lags:
    """Lags in days 0 … 182, ages not below them."""
    days = np.clip(lags.lags, 0, LAST_AGE)
    return Lags(np.clip(np.maximum(lags.ages, days), 0, LAST_AGE), days, lags.counts)


def _by_day(days: np.ndarray, counts: np.ndarray) -> np.ndarray:
    totals = np.zeros(LAST_AGE + 1, np.int64)
    np.add.at(totals, days, counts)
    return totals


def _reached(lags: Lags) -> list[int]:
    """N_k for each k: disputes with lag ≤ k ≤ age. Each counts from its lag on and until its age."""
    change = np.zeros(LAST_AGE + 2, np.int64)
    np.add.at(change, lags.lags, lags.counts)
    np.subtract.at(change, lags.ages + 1, lags.counts)
    return np.cumsum(change)[: LAST_AGE + 1].tolist()
