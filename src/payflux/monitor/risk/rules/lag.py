"""Disputes and refunds that are still to come: Cape-Cod with a reporting curve, and its Gamma posterior.

A payment made yesterday has not had the time to be disputed, so the rate seen so far is too low. The Cape-Cod method
divides what was seen by the exposure that had time to be seen:

    q = (Σ d + α) / (Σ E·F(age) + β),    ultimate = d + q·E·(1 − F(age))

with E payments (or their amounts) of a day, d disputes (amounts) on them, F the reporting curve: the share of all
disputes that has arrived by an age. q is Gamma(Σd + α, ΣE·F + β). J. Stanard and H. Bühlmann's method as described in
Friedland, "Estimating Unpaid Claims Using Basic Techniques" (CAS); curve for right-truncated lags by Kalbfleisch and
Lawless (1991). On public claim data with a median lag of 61 days the naive rate of the last 13 weeks is 57 % too low.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from payflux.monitor.risk.rules.history import DAY
from payflux.monitor.risk.rules.statistics import gamma_quantile, settle

MILLION = 1_000_000
LAST_AGE = 182
"""Days after which nothing more is expected: 26 weeks. Adyen: exposure ends "around 6 months" after the last sale."""

CURVE_WEIGHT = 50
"""The merchant's own curve weighs n / (n + 50) after n disputes."""

PRIOR_EVENTS = 0.5
PRIOR_PAYMENTS = 100.0
"""The Gamma prior, half a dispute in a hundred payments (0.5 %): it is forgotten after a few hundred payments."""


class Estimate(NamedTuple):
    """An ultimate rate with the bounds of its 80 % interval, which is also its 90th percentile on the upper side."""

    value: float
    low: float
    high: float


def curve_through(*knots: tuple[int, float]) -> np.ndarray:
    """A reporting curve by days of age 0 … 182, in millionths, straight between `knots` of (age, share)."""
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


def ages_in_days(at: np.ndarray, now: int) -> np.ndarray:
    return (now - at) // DAY


def own_curve(charge_at: np.ndarray, event_at: np.ndarray, now: int, window_days: int) -> np.ndarray:
    """The merchant's own reporting curve of disputes, shrunk towards :data:`DISPUTE_CURVE`.

    Weekly reverse hazards on the right-truncated lags: F(k - 1) / F(k) = 1 - n_k / N_k, where n_k disputes arrived in
    week k and N_k up to week k, of those charges that are old enough to have shown week k. The curve hangs on the
    prior at the oldest age the window shows, as nothing beyond it was seen.
    """
    week = 7 * DAY
    lags = np.maximum(event_at - charge_at, 0) // week
    old = (now - charge_at) // week
    weeks = max(1, window_days // 7)
    shares = [0.0] * (weeks + 1)
    shares[weeks] = float(DISPUTE_CURVE[min(7 * weeks, LAST_AGE)])
    for k in range(weeks - 1, 0, -1):
        ripe = lags[old >= k + 1]
        reached = int(np.count_nonzero(ripe <= k))
        arrived = int(np.count_nonzero(ripe == k))
        if reached:
            ratio = 1 - arrived / reached
        else:
            ratio = float(DISPUTE_CURVE[min(7 * k, LAST_AGE)]) / float(DISPUTE_CURVE[min(7 * k + 7, LAST_AGE)])
        shares[k] = shares[k + 1] * ratio
    weight = len(lags) / (len(lags) + CURVE_WEIGHT)
    curve = DISPUTE_CURVE.copy()
    for k in range(weeks):
        for day in range(7):
            age = 7 * k + day
            if age <= LAST_AGE:
                own = shares[k] + (shares[k + 1] - shares[k]) * day / 7
                curve[age] = round(weight * own + (1 - weight) * float(DISPUTE_CURVE[age]))
    return curve


def ripe_exposure(amounts: np.ndarray, ages: np.ndarray, curve: np.ndarray) -> int:
    """Σ E·F(age) in millionths of `amounts`' unit, exact: Python integers by day, so that no sum can overflow."""
    by_age = _by_age(amounts, ages)
    return sum(total * int(curve[age]) for age, total in by_age.items())


def unripe_exposure(amounts: np.ndarray, ages: np.ndarray, curve: np.ndarray) -> int:
    """Σ E·(1 − F(age)) in millionths of `amounts`' unit, exact."""
    by_age = _by_age(amounts, ages)
    return sum(total * (MILLION - int(curve[age])) for age, total in by_age.items())


def ultimate_rate(events: int, exposure_millionths: int) -> Estimate:
    """Cape-Cod's rate with its 80 % interval: `events` seen on Σ E·F payments."""
    shape = events + PRIOR_EVENTS
    rate = exposure_millionths / MILLION + PRIOR_PAYMENTS
    return Estimate(settle(shape / rate), gamma_quantile(0.1, shape, rate), min(1.0, gamma_quantile(0.9, shape, rate)))


def amount_rate(seen: int, exposure_millionths: int, events: int, ticket: float, prior: float) -> tuple[float, float]:
    """An amount-weighted ultimate rate and its 90th percentile.

    `seen` is what came so far in minor units, on Σ V·F; the prior is `prior` of :data:`PRIOR_PAYMENTS` payments of
    the mean `ticket`. The percentile scales the mean by that of a Gamma with `events` + 1/2 as its shape: amounts
    of one payment vary far less than their number.
    """
    weight = ticket * PRIOR_PAYMENTS
    ripe = exposure_millionths / MILLION + weight
    if ripe <= 0:
        return 0.0, 0.0
    mean = min(1.0, (seen + prior * weight) / ripe)
    shape = events + PRIOR_EVENTS
    return settle(mean), settle(min(1.0, mean * max(1.0, gamma_quantile(0.9, shape) / shape)))


def _by_age(amounts: np.ndarray, ages: np.ndarray) -> dict[int, int]:
    ages = np.clip(ages, 0, LAST_AGE)
    order = np.argsort(ages, kind="stable")
    ages, amounts = ages[order], amounts[order]
    starts = np.flatnonzero(np.append(True, ages[1:] != ages[:-1])) if ages.size else np.empty(0, np.intp)
    totals = np.add.reduceat(amounts, starts) if starts.size else starts
    return {int(ages[start]): int(total) for start, total in zip(starts, totals, strict=True)}
