"""Ultimate rates: what was seen, over the exposure that had time to show it, and how sure that is.

Stanard's and Bühlmann's Cape-Cod method (Friedland, "Estimating Unpaid Claims Using Basic Techniques", CAS):

    q ~ Gamma(Σ w·d + α, Σ w·E·F(age) + β),    still to come = q·Σ E·(1 − F(age))

with E payments (or their amounts) of a day, d disputes (amounts) on them, F the reporting curve. Cohorts weigh w = 1 in
the window that is reported and half as much for every 13 weeks before it (Gluck 1997, "Balancing Development and
Trend in Loss Reserve Analysis"), as rates drift.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from payflux.monitor.risk.rules.bands import MINIMUM_EVENTS, MINIMUM_PAYMENTS
from payflux.monitor.risk.rules.lag.curves import MILLION, Lags, shares_by_age
from payflux.monitor.risk.rules.statistics import gamma_cdf, gamma_quantile, negative_binomial_quantile, settle

PRIOR_EVENTS = 0.5
PRIOR_PAYMENTS = 100.0
"""The Gamma prior, half a dispute in a hundred payments (0.5 %): it is forgotten after a few hundred payments."""

HALF_LIFE = 91
"""Days in which a cohort before the window loses half its weight. Chosen by the backtest."""


class Estimate(NamedTuple):
    """A rate with the bounds of its 80 % interval, whose upper side is its 90th percentile."""

    value: float
    low: float
    high: float


class Posterior(NamedTuple):
    """What is known of a rate q: Gamma(shape, rate), in events per payment."""

    shape: float
    rate: float

    @property
    def estimate(self) -> Estimate:
        """The mean with its 80 % interval, none above 1."""
        bounds = (gamma_quantile(p, self.shape, self.rate) for p in (0.1, 0.9))
        return Estimate(*(min(1.0, value) for value in (settle(self.shape / self.rate), *bounds)))

    def probability_over(self, threshold: float) -> float:
        """P(q ≥ `threshold`)."""
        return settle(1 - gamma_cdf(threshold * self.rate, self.shape))

    def to_come(self, unripe: float) -> Estimate:
        """Events still to come on `unripe` payments, Σ E·(1 − F): a negative binomial count with its 80 % interval."""
        if unripe <= 0:
            return Estimate(0.0, 0.0, 0.0)
        odds = unripe / self.rate
        low, high = (negative_binomial_quantile(p, self.shape, odds) for p in (0.1, 0.9))
        return Estimate(settle(self.shape * odds), float(low), float(high))


class Ultimate(NamedTuple):
    """The payments of a window, the disputes on them so far and in the end."""

    payments: int
    seen: int
    posterior: Posterior
    unripe: float  # payments that have not had their time: Σ E·(1 − F)

    @property
    def insufficient(self) -> bool:
        """Too few payments or disputes to say anything: no level may rest on this."""
        return self.payments < MINIMUM_PAYMENTS or self.seen < MINIMUM_EVENTS

    @property
    def ultimate_count(self) -> Estimate:
        """Disputes on the window's payments in the end, with the 80 % interval of that count."""
        return Estimate(*(self.seen + events for events in self.posterior.to_come(self.unripe)))


def cape_cod(exposure: np.ndarray, disputes: Lags, curve: np.ndarray, window_days: int) -> Ultimate:
    """The disputes on the payments of the last `window_days` days in the end.

    `exposure` holds payments (int64) by age in days, today's first, as far back as `disputes` are to be used. For what
    a tier is judged on, `curve` is :data:`~.curves.DISPUTE_CURVE`: as a curve that does not depend on the disputes, it
    lets one more of them only raise the rate and each bound of it. Under the merchant's own curve a quick dispute
    makes the curve faster and may so lower the rate.
    """
    days = len(exposure)
    seen = np.zeros(days, np.int64)
    known = disputes.ages < days
    np.add.at(seen, np.maximum(disputes.ages[known], 0), disputes.counts[known])
    payments, events, shares = exposure.tolist(), seen.tolist(), shares_by_age(curve, days)
    weights = [MILLION] * min(window_days, days)
    weights += [round(MILLION * 0.5 ** (age / HALF_LIFE)) for age in range(1, days - window_days + 1)]
    ripe = sum(w * e * f for w, e, f in zip(weights, payments, shares, strict=True))
    unripe = sum(e * (MILLION - f) for e, f in zip(payments[:window_days], shares, strict=False))
    return Ultimate(
        payments=sum(payments[:window_days]),
        seen=sum(events[:window_days]),
        posterior=Posterior(
            sum(w * d for w, d in zip(weights, events, strict=True)) / MILLION + PRIOR_EVENTS,
            ripe / MILLION**2 + PRIOR_PAYMENTS,
        ),
        unripe=unripe / MILLION,
    )
