"""Where the running month will end: the distribution of its events, and the chance that it reaches a step."""

from __future__ import annotations

import math
from typing import NamedTuple

from payflux.monitor.risk.rules.programmes.programme import Month, Step
from payflux.monitor.risk.rules.statistics import beta_cdf, settle

ESCALATION = 0.8
"""Share of early fraud warnings that become disputes if nothing is done (docs.stripe.com, "How disputes work")."""

PRIOR_DAYS = 10
PRIOR_EVENTS = 50
"""What earlier months weigh: as much as this many days of the running one, and at most this many events (assumed)."""

_NO_INFORMATION = 0.5
"""Jeffreys' prior of a Poisson rate, in events."""

_SPREADS = 9.0


class Nowcast(NamedTuple):
    """The month's end as expected now; `low` to `high` hold 80 % of the distribution.

    `limit` is the number of events at which the step's conditions on ratio and count both hold at the expected number
    of payments, `probability` the chance of reaching it.
    """

    events: float
    events_low: int
    events_high: int
    payments: int
    ratio: float
    ratio_low: float
    ratio_high: float
    limit: int
    probability: float


def nowcast(
    step: Step,
    *,
    events: int,
    payments: int,
    days_elapsed: float,
    days_in_month: int,
    earlier_events: int = 0,
    earlier_payments: int = 0,
    open_warnings: int = 0,
    escalation: float = ESCALATION,
    expected_payments: int | None = None,
) -> Nowcast | None:
    """The end of a month that divides by its own payments (VAMP), from what it has brought so far.

    Events a day are Poisson with a Gamma rate: prior from the rate per payment of the earlier months, posterior with
    the days elapsed, so what the other days bring is negative binomial (Gelman et al., Bayesian Data Analysis, 2.6).
    `open_warnings`, which count already, each become a dispute too with probability `escalation`, taken to be before
    the month is over: the careful reading. `expected_payments` are those of the whole month, by default at the pace
    so far; their own uncertainty is left out. None when no day has passed and no earlier month is known, or when no
    payment is to be expected. ValueError for negative figures or a step that counts no VAMP events.
    """
    figures = (events, payments, days_elapsed, days_in_month, earlier_events, earlier_payments, open_warnings)
    if min(figures) < 0 or not 0 <= escalation <= 1:
        raise ValueError("counts and days are not negative, a probability lies between 0 and 1")
    elapsed = min(days_elapsed, float(days_in_month))
    if expected_payments is None:
        expected_payments = round(payments * days_in_month / elapsed) if elapsed else 0
    expected_payments = max(expected_payments, payments)
    if expected_payments == 0 or (elapsed == 0 and earlier_payments == 0):
        return None
    shape, exposure = _NO_INFORMATION + events, elapsed
    if earlier_payments:
        a_day = earlier_events / earlier_payments * expected_payments / days_in_month
        weight = min(PRIOR_DAYS, PRIOR_EVENTS / a_day) if a_day else PRIOR_DAYS
        shape, exposure = shape + a_day * weight, exposure + weight
    end = _Total(events, shape, (days_in_month - elapsed) / exposure, _binomial(open_warnings, escalation))
    limit = _limit(step, expected_payments)
    low, high = end.quantile(0.1), end.quantile(0.9)
    expected = events + shape * end.odds + open_warnings * escalation
    return Nowcast(
        events=settle(expected),
        events_low=low,
        events_high=high,
        payments=expected_payments,
        ratio=settle(expected / expected_payments),
        ratio_low=settle(low / expected_payments),
        ratio_high=settle(high / expected_payments),
        limit=limit,
        probability=settle(end.reaches(limit)),
    )


def _limit(step: Step, payments: int) -> int:
    month = Month(0, payments=payments)
    bounds = [c.needed(month) or 0 for c in step.conditions if c.quantity == "vamp_events"]
    if not bounds:
        raise ValueError(f"the step {step.name!r} counts no VAMP events")
    return max(bounds)


class _Total(NamedTuple):
    """Events seen, plus a negative binomial count of mean shape · odds, plus one with the chances of `escalated`."""

    seen: int
    shape: float
    odds: float
    escalated: tuple[tuple[int, float], ...]

    def reaches(self, count: int) -> float:
        """P(total ≥ count): the negative binomial's tail, summed over how many warnings escalate."""
        tails = self._tails(count - self.seen - self.escalated[-1][0], count - self.seen - self.escalated[0][0])
        return min(1.0, math.fsum(p * tails[count - self.seen - extra] for extra, p in self.escalated))

    def quantile(self, probability: float) -> int:
        """The smallest count that the total does not pass with `probability`."""
        low, high = self.seen - 1, self.seen + math.ceil(self.shape * self.odds) + self.escalated[-1][0] + 1
        while self.reaches(high + 1) > 1 - probability:
            low, high = high, self.seen + 2 * (high - self.seen)
        while high - low > 1:
            middle = (low + high) // 2
            if self.reaches(middle + 1) > 1 - probability:
                low = middle
            else:
                high = middle
        return high

    def _tails(self, first: int, last: int) -> dict[int, float]:
        """P(N ≥ n) for n from `first` to `last`: the last by the incomplete beta function, the others by adding up."""
        if last <= 0 or self.odds == 0:
            return {n: float(n <= 0) for n in range(first, last + 1)}
        chance = self.odds / (1 + self.odds)
        tail = beta_cdf(chance, last, self.shape)
        tails = {last: tail}
        for n in range(last - 1, first - 1, -1):
            tail = min(1.0, tail + self._mass(n)) if n > 0 else 1.0
            tails[n] = tail
        return tails

    def _mass(self, n: int) -> float:
        """P(N = n)."""
        combinations = math.lgamma(n + self.shape) - math.lgamma(self.shape) - math.lgamma(n + 1)
        return math.exp(combinations - self.shape * math.log1p(self.odds) + n * math.log(self.odds / (1 + self.odds)))


def _binomial(trials: int, chance: float) -> tuple[tuple[int, float], ...]:
    """The counts of `trials` that matter, each with its probability; all but 1e-15 of the whole."""
    if trials == 0 or chance in (0.0, 1.0):
        return ((round(trials * chance), 1.0),)
    mean, spread = trials * chance, math.sqrt(trials * chance * (1 - chance))
    first = max(0, math.floor(mean - _SPREADS * spread - _SPREADS))
    last = min(trials, math.ceil(mean + _SPREADS * spread + _SPREADS))
    whole = math.lgamma(trials + 1)
    return tuple(
        (k, math.exp(whole - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + k * math.log(chance)
                     + (trials - k) * math.log1p(-chance)))
        for k in range(first, last + 1)
    )  # fmt: skip
