"""How far a forecast may be wrong: normalised conformal bands from the forecast's own past errors.

Errors of all past origins are divided by the width that the prior gives them, pooled over nearby horizons, and their
quantiles mixed with those of the prior, because a few months hold few errors of 90 days. Normalised split conformal
prediction: Lei, G'Sell, Rinaldo, Tibshirani and Wasserman, JASA 113 (2018), section 5.2. Successive errors overlap, so
that its guarantee does not hold as such; the backtest shows what does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from payflux.monitor.risk.rules.statistics import Z80

DRIFT = 0.03
"""How far the level of a shop is assumed to wander in a week, as the standard deviation of its logarithm."""

MEMORY = 3
"""A level, robust and weighted to the newest weeks, is at most as sure as a mean of so many. Set by a backtest."""

PRIOR_BLOCKS = 6
"""The prior weighs as much as so many stretches of the horizon's length that do not overlap."""

WIDEST = 3.0
"""No bound is further away than a factor of e³ = 20."""


class PastError(NamedTuple):
    """What one replay missed: the logarithm of actual over forecast, `weeks` ahead, over the prior's deviation."""

    weeks: int
    score: float


class Multipliers(NamedTuple):
    """How many of the prior's deviations the 80 % band reaches below and above, both at least 0."""

    low: float
    high: float


def deviation(weeks_ahead: float, weeks_known: int, spread: float) -> float:
    """The prior's standard deviation of the logarithm of actual over forecast sum.

    √(s²·(1/n + 1/min(k, 3)) + 0.03²·n), n weeks ahead and k weeks known: noise of the weeks to come, error of the
    level, drift. Times Cornish and Fisher's first term of Student's t for k − 1 degrees, as `spread` is estimated.
    """
    known = max(1, weeks_known)
    noise = spread * spread * (1 / weeks_ahead + 1 / min(known, MEMORY))
    few = 1 + (Z80 * Z80 + 1) / (4 * max(1, known - 1))
    return few * math.sqrt(noise + DRIFT * DRIFT * weeks_ahead)


def multipliers(errors: Sequence[PastError], weeks_ahead: int, weeks_replayed: int) -> Multipliers:
    """The band at `weeks_ahead`, from errors of horizons between half and twice as long.

    The quantile at 0.9 of each side takes rank ⌈0.9·(m + 1)⌉ of m errors. It weighs b / (b + 6) against the prior,
    b being the stretches of that length in the `weeks_replayed`.
    """
    near = sorted(error.score for error in errors if weeks_ahead <= 2 * error.weeks and error.weeks <= 2 * weeks_ahead)
    if not near:
        return Multipliers(Z80, Z80)
    rank = min(len(near), math.ceil(0.9 * (len(near) + 1)))
    blocks = weeks_replayed / weeks_ahead
    weight = blocks / (blocks + PRIOR_BLOCKS)
    low, high = max(0.0, -near[len(near) - rank]), max(0.0, near[rank - 1])
    return Multipliers(weight * low + (1 - weight) * Z80, weight * high + (1 - weight) * Z80)
