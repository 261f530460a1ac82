"""Disputes and refunds that are still to come.

A payment made yesterday has not had the time to be disputed, so the rate seen so far is too low: on public claim data
with a median lag of 61 days that of the last 13 weeks by 57 %. `curves` says how fast disputes arrive, `rates` how many
there will be, `groups` by whom and why, `amounts` how much money that is.
"""

from payflux.monitor.risk.rules.lag.amounts import amount_rate, ripe_exposure, unripe_exposure
from payflux.monitor.risk.rules.lag.curves import (
    CURVE_WEIGHT,
    DISPUTE_CURVE,
    LAST_AGE,
    MILLION,
    NO_LAGS,
    REFUND_CURVE,
    Lags,
    curve_through,
    reporting_curve,
)
from payflux.monitor.risk.rules.lag.events import ages_in_days, own_curve, ultimate_rate
from payflux.monitor.risk.rules.lag.rates import PRIOR_EVENTS, PRIOR_PAYMENTS, Estimate, Posterior, Ultimate, cape_cod

__all__ = [
    "CURVE_WEIGHT",
    "DISPUTE_CURVE",
    "LAST_AGE",
    "MILLION",
    "NO_LAGS",
    "PRIOR_EVENTS",
    "PRIOR_PAYMENTS",
    "REFUND_CURVE",
    "Estimate",
    "Lags",
    "Posterior",
    "Ultimate",
    "ages_in_days",
    "amount_rate",
    "cape_cod",
    "curve_through",
    "own_curve",
    "reporting_curve",
    "ripe_exposure",
    "ultimate_rate",
    "unripe_exposure",
]
