"""Ultimate rates: what was seen, over the exposure that had time to show it, and how sure that is.

Stanard's and Bühlmann's Cape-Cod method (Friedland, "Estimating Unpaid Claims Using Basic Techniques", CAS) over weekly
cohorts of payments, with rates that may drift (Gluck 1997, "Balancing Development and Trend in Loss Reserve
Analysis"): for the cohort of week i

    q_i ~ Gamma(Σ_j m^|i − j|·d_j + α, Σ_j m^|i − j|·E_j·F(age) + β),    still to come = Σ_i q_i·Σ E·(1 − F(age))

with E payments of a day, d disputes on a week's payments, F the reporting curve, and m how much of a week is remembered
a week later. m is not known: each of :data:`MEMORIES` counts by how well it would have foretold every week from those
before it, so a merchant whose rate changed is judged on what is recent and a steady one on the whole history.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from payflux.monitor.risk.rules.bands import MINIMUM_EVENTS, MINIMUM_PAYMENTS
from payflux.monitor.risk.rules.lag.curves import CAREFUL_CURVE, LAST_AGE, MILLION, Lags, Reporting
from payflux.monitor.risk.rules.lag.posterior import Estimate, Posterior, mixture, with_moments
from payflux.monitor.risk.rules.statistics import settle

PRIOR = Posterior(0.5, 100.0)
"""Half a dispute in a hundred payments (0.5 %): forgotten after a few hundred payments. A PayFlux default."""

MEMORIES = (2, 6, 18, 54)
"""Weeks after which a week counts half."""

_WEEK = 7


class Ultimate(NamedTuple):
    """The payments of a window, the disputes on them so far, the rate behind them and how many are still to come."""

    payments: int
    seen: int
    rate: Posterior  # of disputes, per payment of the window
    coming: Posterior  # of disputes still to come, per payment that has not had its time
    unripe: float  # payments that have not had their time: Σ E·(1 − F)

    @property
    def insufficient(self) -> bool:
        """Too few payments or disputes to say anything: no level may rest on this."""
        return self.payments < MINIMUM_PAYMENTS or self.seen < MINIMUM_EVENTS

    @property
    def to_come(self) -> Estimate:
        """Disputes still to come on the window's payments, with the 80 % interval of that count."""
        return self.coming.count_on(self.unripe)

    @property
    def in_the_end(self) -> Estimate:
        """Disputes on the window's payments in the end, with the 80 % interval of that count."""
        return Estimate(*(self.seen + count for count in self.to_come))


def cape_cod(
    exposure: np.ndarray, disputes: Lags, reporting: Reporting, window_days: int, prior: Posterior = PRIOR
) -> Ultimate:
    """The disputes on the payments of the last `window_days` days in the end.

    `exposure` holds payments (int64) by age in days, today's first, as far back as `disputes` are to be used. The
    intervals hold the doubt about the rate, its drift and the curve.
    """
    exposure = exposure if len(exposure) else np.zeros(1, np.int64)
    days = len(exposure)
    events, shares = _by_age(disputes, days), _shares(reporting.curve, days)
    recent = exposure.copy()
    recent[window_days:] = 0
    seen, ripe = _weekly(events), [value / MILLION for value in _weekly(exposure * shares)]
    paid, unripe = _weekly(recent), [value / MILLION for value in _weekly(recent * (MILLION - shares))]
    memories = [0.5 ** (1 / weeks) for weeks in MEMORIES]
    logs = [_log_evidence(seen, ripe, memory, prior) for memory in memories]
    weights = [settle(math.exp(value - max(logs))) for value in logs]
    chances = [weight / math.fsum(weights) for weight in weights]
    smoothed = [(_smooth(seen, memory, prior.shape), _smooth(ripe, memory, prior.exposure)) for memory in memories]

    def pooled(over: list[float] | list[int], doubt: float) -> Posterior:
        posterior = mixture([_pool(shapes, spans, over) for shapes, spans in smoothed], chances)
        return with_moments(posterior.mean, posterior.mean**2 * (1 / posterior.shape + doubt))

    of_rate, of_coming = _doubt(recent, reporting, prior)
    return Ultimate(
        payments=sum(paid),
        seen=int(events[:window_days].sum()),
        rate=pooled(paid, of_rate),
        coming=pooled(unripe, of_coming),
        unripe=math.fsum(unripe),
    )


def careful_rate(exposure: np.ndarray, disputes: Lags, window_days: int) -> Posterior:
    """The rate of the window alone, under a fast fixed curve: what a tier may be judged on, by its lower bound.

    Gamma(Σd + α, ΣE·F + β) with F the :data:`~.curves.CAREFUL_CURVE`. Neither curve nor memory depends on the disputes,
    so one more of them only raises the rate and each bound of it; under the merchant's own curve a quick dispute makes
    the curve faster and may so lower the rate. Rates of merchants with usual or slow lags are understated.
    """
    recent = exposure[:window_days]
    ripe = int((recent * _shares(CAREFUL_CURVE, len(recent))).sum())
    seen = int(_by_age(disputes, len(recent)).sum())
    return Posterior(seen + PRIOR.shape, ripe / MILLION + PRIOR.exposure)


def _by_age(disputes: Lags, days: int) -> np.ndarray:
    known = disputes.ages < days
    events = np.zeros(days, np.int64)
    np.add.at(events, np.maximum(disputes.ages[known], 0), disputes.counts[known])
    return events


def _shares(curve: np.ndarray, days: int) -> np.ndarray:
    return curve[np.minimum(np.arange(days), LAST_AGE)]


def _weekly(values: np.ndarray) -> list[int]:
    return np.add.reduceat(values, np.arange(0, len(values), _WEEK)).tolist() if len(values) else []


def _smooth(values: list[int] | list[float], memory: float, prior: float) -> list[float]:
    """`prior` + Σ_j memory^|i − j|·value_j for each week i."""
    older, newer, total = [], [], 0.0
    for value in values:
        newer.append(total)
        total = (total + value) * memory
    total = 0.0
    for value in reversed(values):
        total = total * memory + value
        older.append(total)
    return [prior + a + b for a, b in zip(newer, reversed(older), strict=True)]


def _log_evidence(events: list[int], ripe: list[float], memory: float, prior: Posterior) -> float:
    """The logarithm of the chance that each week's events had, given the weeks before it (negative binomial)."""
    seen, span, terms = 0.0, 0.0, []
    for count, exposed in zip(reversed(events), reversed(ripe), strict=True):
        if exposed > 0:
            shape, rate = seen + prior.shape, span + prior.exposure
            terms.append(math.lgamma(shape + count) - math.lgamma(shape) - math.lgamma(count + 1))
            terms.append(-shape * math.log1p(exposed / rate) - count * math.log1p(rate / exposed))
        seen, span = (seen + count) * memory, (span + exposed) * memory
    return math.fsum(terms)


def _pool(shapes: list[float], spans: list[float], over: list[float] | list[int]) -> Posterior:
    """The mean rate of the weeks, each by its weight in `over`. Neighbouring rates rise and fall together."""
    whole = math.fsum(over)
    if not whole:
        over, whole = [1.0] * len(over), float(len(over))
    parts = list(zip(shapes, spans, over, strict=True))
    mean = math.fsum(weight * shape / span for shape, span, weight in parts) / whole
    spread = math.fsum(weight * math.sqrt(shape) / span for shape, span, weight in parts) / whole
    return with_moments(mean, spread * spread)


def _doubt(exposure: np.ndarray, reporting: Reporting, prior: Posterior) -> tuple[float, float]:
    """Squared relative standard deviations that the doubt about the curve gives to the rate and to what is to come.

    With the rate as events / ripe, it is that of 1 / ripe and of unripe / ripe over the plausible curves.
    """
    whole = int(exposure.sum())
    if not whole or len(reporting.chances) == 1:
        return 0.0, 0.0
    rates, comings = [], []
    for curve in reporting.plausible:
        ripe = int((exposure * _shares(curve, len(exposure))).sum()) / MILLION
        rates.append(1 / (ripe + prior.exposure))
        comings.append((whole - ripe) / (ripe + prior.exposure))
    return _relative_variance(rates, reporting.chances), _relative_variance(comings, reporting.chances)


def _relative_variance(values: list[float], chances: tuple[float, ...]) -> float:
    mean = math.fsum(p * value for value, p in zip(values, chances, strict=True))
    variance = math.fsum(p * (value - mean) ** 2 for value, p in zip(values, chances, strict=True))
    return variance / (mean * mean) if mean else 0.0
