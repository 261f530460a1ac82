"""Amount-weighted rates and exposures: what the money at risk is multiplied with."""

from __future__ import annotations

import numpy as np

from payflux.monitor.risk.rules.lag.curves import LAST_AGE, MILLION
from payflux.monitor.risk.rules.lag.rates import PRIOR
from payflux.monitor.risk.rules.statistics import gamma_quantile, settle


def ripe_exposure(amounts: np.ndarray, ages: np.ndarray, curve: np.ndarray) -> int:
    """Σ E·F(age) in millionths of `amounts`' unit, exact: Python integers by day, so that no sum can overflow."""
    return sum(total * share for total, share in _by_age(amounts, ages, curve))


def unripe_exposure(amounts: np.ndarray, ages: np.ndarray, curve: np.ndarray) -> int:
    """Σ E·(1 − F(age)) in millionths of `amounts`' unit, exact."""
    return sum(total * (MILLION - share) for total, share in _by_age(amounts, ages, curve))


def amount_rate(seen: int, exposure_millionths: int, events: int, ticket: float, prior: float) -> tuple[float, float]:
    """An amount-weighted ultimate rate and its 90th percentile.

    `seen` is what came so far in minor units, on Σ V·F; the prior is `prior` of :data:`~.rates.PRIOR`'s payments of
    the mean `ticket`. The percentile scales the mean by that of a Gamma with `events` + 1/2 as its shape: amounts
    of one payment vary far less than their number.
    """
    weight = ticket * PRIOR.exposure
    ripe = exposure_millionths / MILLION + weight
    if ripe <= 0:
        return 0.0, 0.0
    mean = min(1.0, (seen + prior * weight) / ripe)
    shape = events + PRIOR.shape
    return settle(mean), settle(min(1.0, mean * max(1.0, gamma_quantile(0.9, shape) / shape)))


def _by_age(amounts: np.ndarray, ages: np.ndarray, curve: np.ndarray) -> list[tuple[int, int]]:
    """(total, share arrived) of each age from 0 to 182; later ages count as the last."""
    totals = np.zeros(LAST_AGE + 1, np.int64)
    np.add.at(totals, np.clip(ages, 0, LAST_AGE), amounts)
    return list(zip(totals.tolist(), curve.tolist(), strict=True))
