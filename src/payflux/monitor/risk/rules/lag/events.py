"""The lag of single events, for signals that read events and not groups of them."""

from __future__ import annotations

import numpy as np

from payflux.monitor.risk.rules.lag.curves import MILLION, Lags, reporting_curve
from payflux.monitor.risk.rules.lag.rates import PRIOR_EVENTS, PRIOR_PAYMENTS, Estimate, Posterior

DAY = 86_400


def ages_in_days(at: np.ndarray, now: int) -> np.ndarray:
    return (now - at) // DAY


def own_curve(charge_at: np.ndarray, event_at: np.ndarray, now: int, window_days: int) -> np.ndarray:
    ones = np.ones(len(charge_at), np.int64)
    return reporting_curve(Lags(ages_in_days(charge_at, now), (event_at - charge_at) // DAY, ones), window_days)


def ultimate_rate(events: int, exposure_millionths: int) -> Estimate:
    """Cape-Cod's rate with its 80 % interval: `events` seen on Σ E·F payments."""
    return Posterior(events + PRIOR_EVENTS, exposure_millionths / MILLION + PRIOR_PAYMENTS).estimate
