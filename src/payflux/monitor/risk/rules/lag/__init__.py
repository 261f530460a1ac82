"""Disputes and refunds that are still to come.

A payment made yesterday has not had the time to be disputed, so the rate seen so far is too low: on public claim data
with a median lag of 61 days that of the last 13 weeks by 57 %. `curves` says how fast disputes arrive, `rates` how many
there will be, `groups` by whom and why, `amounts` how much money that is.
"""

from payflux.monitor.risk.rules.lag.amounts import amount_rate, ripe_exposure, unripe_exposure
from payflux.monitor.risk.rules.lag.curves import (
    DISPUTE_CURVE,
    LAST_AGE,
    MILLION,
    NO_LAGS,
    REFERENCE,
    REFUND_CURVE,
    Lags,
    Reporting,
    reporting,
)
from payflux.monitor.risk.rules.lag.groups import Breakdown, Group, break_down
from payflux.monitor.risk.rules.lag.posterior import Estimate, Posterior
from payflux.monitor.risk.rules.lag.rates import PRIOR, Ultimate, cape_cod, careful_rate

__all__ = [
    "DISPUTE_CURVE",
    "LAST_AGE",
    "MILLION",
    "NO_LAGS",
    "PRIOR",
    "REFERENCE",
    "REFUND_CURVE",
    "Breakdown",
    "Estimate",
    "Group",
    "Lags",
    "Posterior",
    "Reporting",
    "Ultimate",
    "amount_rate",
    "break_down",
    "cape_cod",
    "careful_rate",
    "reporting",
    "ripe_exposure",
    "unripe_exposure",
]
