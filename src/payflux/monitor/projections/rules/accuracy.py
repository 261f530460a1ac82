"""How good forecasts were: scores of single forecasts, and means over many.

Every score is proper or is named as what it is (Gneiting and Raftery, "Strictly proper scoring rules, prediction, and
estimation", JASA 102, 2007). Amounts are integers of one unit, and scores of amounts are in that unit; shares are
floats. Sums are exact or `math.fsum`, so that the order of forecasts does not matter to the bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from payflux.monitor.risk.rules.statistics import settle


def mean_score(scores: Sequence[float]) -> float:
    """The mean of single `scores`; 0 without any."""
    return settle(math.fsum(scores) / len(scores)) if scores else 0.0


def bias(actual: Sequence[int], forecast: Sequence[int]) -> float:
    """Σ(forecast − actual) / Σ actual: above 0 is too high. 0 when nothing happened and nothing was forecast."""
    return _share(sum(said - came for came, said in zip(actual, forecast, strict=True)), sum(actual))


def mape(actual: Sequence[int], forecast: Sequence[int]) -> float:
    """Mean absolute percentage error, as a share: the mean of |forecast − actual| / actual where something happened."""
    pairs = zip(actual, forecast, strict=True)
    return mean_score([abs(said - came) / came for came, said in pairs if came])


def wape(actual: Sequence[int], forecast: Sequence[int]) -> float:
    """Weighted absolute percentage error, as a share: Σ|forecast − actual| / Σ actual.

    Unlike `mape` it can be said with zeros among the actual values, and small ones do not rule it. Hyndman and Koehler,
    "Another look at measures of forecast accuracy", Int. J. Forecasting 22 (2006).
    """
    return _share(sum(abs(said - came) for came, said in zip(actual, forecast, strict=True)), sum(actual))


def coverage(actual: Sequence[int], low: Sequence[int], high: Sequence[int]) -> float:
    """The share of actual values inside their interval, ends included; 0 without any."""
    inside = sum(below <= came <= above for came, below, above in zip(actual, low, high, strict=True))
    return settle(inside / len(actual)) if actual else 0.0


def pinball(actual: int, quantile: int, level: float) -> float:
    """The quantile loss: `level` · shortfall of the quantile, or (1 − `level`) · its excess.

    Its mean is least for the true quantile at `level`, in (0, 1). Koenker and Bassett, Econometrica 46 (1978).
    """
    if not 0 < level < 1:
        raise ValueError("a quantile's level lies between 0 and 1")
    return settle((actual - quantile) * (level if actual >= quantile else level - 1))


def winkler(actual: int, low: int, high: int, *, confidence: float = 0.8) -> float:
    """The interval score: width + 2/α · how far the actual value lies outside, α = 1 − `confidence`.

    Winkler, JASA 67 (1972); Gneiting and Raftery (2007), eq. 43. Least, in the mean, for the true central interval.
    """
    if not 0 < confidence < 1:
        raise ValueError("a confidence lies between 0 and 1")
    return settle(high - low + 2 / (1 - confidence) * max(low - actual, actual - high, 0))


def crps_of_quantiles(actual: int, levels: Sequence[float], quantiles: Sequence[int]) -> float:
    """Continuous ranked probability score of a forecast known by `quantiles` at rising `levels`.

    CRPS = 2 ∫ pinball(level) d level (Laio and Tamea, HESS 11, 2007). Approximation: each quantile stands for the
    levels nearer to it than to its neighbours; beyond the outermost the tails count as these. At the levels (i − ½) / m
    it is exactly the score of the m quantiles as an ensemble (Bröcker, QJRMS 138, 2012).
    """
    if not levels or any(after <= before for before, after in pairwise(levels)):
        raise ValueError("the levels of quantiles rise")
    edges = [0.0, *((before + after) / 2 for before, after in pairwise(levels)), 1.0]
    losses = (pinball(actual, at, level) for level, at in zip(levels, quantiles, strict=True))
    return settle(2 * math.fsum(loss * (edges[i + 1] - edges[i]) for i, loss in enumerate(losses)))


def crps_of_ensemble(actual: int, members: Sequence[int]) -> float:
    """Continuous ranked probability score of equally likely `members`: E|X − actual| − ½ E|X − X'|.

    Gneiting and Raftery (2007), eq. 21. The score of one member is its absolute error. Raises ValueError without any.
    """
    if not members:
        raise ValueError("an ensemble has members")
    count = len(members)
    away = sum(abs(member - actual) for member in members)
    apart = sum((2 * place - count + 1) * member for place, member in enumerate(sorted(members)))
    return settle((away * count - apart) / count**2)


def brier(probabilities: Iterable[float], outcomes: Iterable[bool]) -> float:
    """Mean squared distance of stated `probabilities` from what happened: 0 is perfect, ¼ is always saying one half.

    G. W. Brier, Monthly Weather Review 78 (1950). 0 without any.
    """
    return mean_score([(said - came) ** 2 for said, came in zip(probabilities, outcomes, strict=True)])


def _share(part: int, whole: int) -> float:
    if whole:
        return settle(part / whole)
    return math.copysign(math.inf, part) if part else 0.0
