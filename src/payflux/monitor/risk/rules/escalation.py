"""How likely the rates that networks and processors look at ask for a higher tier a month from now."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from payflux.monitor.processors.codes import Method, Network
from payflux.monitor.risk.rules import lag
from payflux.monitor.risk.rules.bands import BANDINGS, MINIMUM_EVENTS
from payflux.monitor.risk.rules.cohorts import by_age
from payflux.monitor.risk.rules.history import History, count
from payflux.monitor.risk.rules.lag import PRIOR, Breakdown, Posterior
from payflux.monitor.risk.rules.programmes import programme
from payflux.monitor.risk.rules.statistics import beta_cdf, settle, wilson_interval
from payflux.monitor.risk.surface import Escalation

AHEAD_DAYS = 30
PACE_DAYS = 28
LAST_TIER = 4
"""No rate asks for more than tier 4."""


def escalation(history: History, asked_tier: int, disputes: Breakdown) -> Escalation | None:
    """The chance of the tier after `asked_tier`, by the likelier of dispute activity and Visa's ratio.

    None where too little is known of both, nothing is sold, or no rate sets a higher tier. The two move together, so
    that their chances are not added.
    """
    if asked_tier >= LAST_TIER:
        return None
    found = [by_activity(history, asked_tier + 1, disputes), by_vamp(history, asked_tier + 1)]
    known = [one for one in found if one is not None]
    return max(known, key=lambda one: one.probability) if known else None


def by_activity(history: History, tier: int, disputes: Breakdown) -> Escalation | None:
    """The chance that dispute activity of the next 30 days asks for `tier`.

    Disputes of the next 30 days come from payments made already, Σ E·(F(age + 30) − F(age)), and from those still to
    be made, at the pace of the last 28 whole days; on that exposure the count is negative binomial under the Cape-Cod
    rate (module `lag`), P(count < k) = I_{1 / (1 + odds)}(shape, k).
    """
    payments = by_age(history, history.payments)
    pace = count(history.last(history.payments, PACE_DAYS, skip=1)) / PACE_DAYS
    if disputes.whole.insufficient or pace <= 0:
        return None
    rate, curve = disputes.whole.rate, disputes.reporting.curve
    exposed = _arriving(payments, curve) + pace * _arriving_on_new(curve)
    ahead = round(pace * AHEAD_DAYS)
    threshold = _threshold("dispute_activity", tier)
    return _chance(
        "dispute_activity", tier, rate, exposed, ahead, MINIMUM_EVENTS, lambda k: k >= threshold * ahead - 1e-9
    )


def by_vamp(history: History, tier: int) -> Escalation | None:
    """The chance that Visa's ratio of a month of 30 days asks for `tier`: on Wilson's lower bound, as the signal.

    Disputes and fraud reports, by the day they come, are negative binomial on the month's card-not-present payments at
    the pace of the last 28 whole days, under the rate of the window.
    """
    paid, *reported = (
        rows[(rows["network"] == Network.VISA) & (rows["method"] != Method.CARD_PRESENT)]
        for rows in (history.payments, history.disputes, history.warnings)
    )
    ahead = round(count(history.last(paid, PACE_DAYS, skip=1)) * AHEAD_DAYS / PACE_DAYS)
    events = sum(count(history.last(rows, history.window_days)) for rows in reported)
    base = count(history.last(paid, history.window_days))
    phase = programme("vamp", history.as_of.date())
    if phase is None or not ahead or events < MINIMUM_EVENTS:
        return None
    counts = [condition.bound for step in phase.steps for condition in step.conditions if condition.of is None]
    least = {3: min(counts, default=0), 4: max(counts, default=0)}.get(tier, 0)
    threshold = _threshold("vamp", tier)
    return _chance(
        "vamp", tier, Posterior(events + PRIOR.shape, base + PRIOR.exposure), float(ahead), ahead,
        max(MINIMUM_EVENTS, least), lambda k: wilson_interval(k, ahead)[0] >= threshold,
    )  # fmt: skip


def _chance(
    signal: str, tier: int, rate: Posterior, exposed: float, payments: int, least: int, reached: Callable[[int], bool]
) -> Escalation:
    needed = max(least, math.floor(_threshold(signal, tier) * payments))
    while needed <= payments and not reached(needed):
        needed += 1
    expected = rate.count_on(exposed)
    below = beta_cdf(1 / (1 + exposed / rate.exposure), rate.shape, needed) if needed <= payments else 1.0
    return Escalation(
        signal=signal,
        tier=tier,
        probability=settle(1 - below),
        events=needed,
        payments=payments,
        expected=expected.value,
        low=expected.low,
        high=expected.high,
        days_ahead=AHEAD_DAYS,
    )


def _threshold(signal: str, tier: int) -> float:
    """The level that asks for `tier`: warn for 2, high for 3, critical for 4."""
    return BANDINGS[signal].thresholds[tier - 2]


def _arriving(payments: np.ndarray, curve: np.ndarray) -> float:
    """Payments made, each by the share of its disputes that arrives in the next 30 days."""
    ages = np.arange(len(payments))
    now, then = (curve[np.minimum(ages + days, lag.LAST_AGE)] for days in (0, AHEAD_DAYS))
    return int((payments * (then - now)).sum()) / lag.MILLION


def _arriving_on_new(curve: np.ndarray) -> float:
    """Σ F(30 − u) over the days u = 1 … 30: what one payment a day shows of itself by then."""
    return int(curve[:AHEAD_DAYS].sum()) / lag.MILLION
