"""The lag of single events, for signals that read events and not groups of them."""

from __future__ import annotations

import numpy as np

from payflux.monitor.risk.rules.lag.curves import MILLION, Lags, reporting
from payflux.monitor.risk.rules.lag.posterior import Estimate, Posterior
from payflux.monitor.risk.rules.lag.rates import PRIOR

DAY = 86_400


def ages_in_days(at: np.ndarray, now: int) -> np.ndarray:
    """Whole days from the unix times `at` until `now`."""
    return (now - at) // DAY


def own_curve(charge_at: np.ndarray, event_at: np.ndarray, now: int, window_days: int) -> np.ndarray:
    """The expected curve of :func:`~.curves.reporting` from disputes by unix times, of the last `window_days` days."""
    ones = np.ones(len(charge_at), np.int64)
    return reporting(Lags(ages_in_days(charge_at, now), (event_at - charge_at) // DAY, ones), window_days).curve


def ultimate_rate(events: int, exposure_millionths: int) -> Estimate:
    """Cape-Cod's rate with its 80 % interval: `events` seen on Σ E·F payments."""
    return Posterior(events + PRIOR.shape, exposure_millionths / MILLION + PRIOR.exposure).estimate
