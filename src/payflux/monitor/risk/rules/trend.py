"""Is it getting better or worse: the last 30 days against the 30 before."""

from __future__ import annotations

import math

from payflux.kit.messages import mark
from payflux.kit.phrases import say
from payflux.monitor.risk.rules.bands import BANDINGS, MINIMUM_PAYMENTS, severity
from payflux.monitor.risk.rules.history import History, count
from payflux.monitor.risk.rules.measures import percent, rate_signal, too_little
from payflux.monitor.risk.rules.statistics import Z80
from payflux.monitor.risk.surface import Trend

DAYS = 30
DEAD_BAND = 0.20
"""A rate that moved by less than a fifth has not moved."""

POINTS = 2.0
"""Points of the stability score that must have moved."""


def trend(history: History) -> tuple[Trend, str]:
    """The direction, and what moved in a sentence.

    Each rate (disputes, warnings, declines) of the last 30 days is compared with that of the 30 before. One that moved
    by more than a fifth and more than chance allows (two-proportion z beyond 1.28) counts with the points it moves in
    the stability score. DEGRADING or IMPROVING needs two points in sum; too few payments or events are STABLE.
    """
    recent, before = (count(history.last(history.payments, DAYS, skip)) for skip in (0, DAYS))
    moved: list[tuple[float, str]] = []
    for key, events in (
        ("dispute_activity", history.disputes),
        ("fraud_warning_rate", history.warnings),
        ("card_testing", history.declines),
    ):
        now, then = (count(history.last(events, DAYS, skip)) for skip in (0, DAYS))
        base_now, base_then = recent, before
        if key == "card_testing":
            base_now, base_then = base_now + now, base_then + then
        points = _points(key, now, base_now, then, base_then)
        if points:
            label = mark("Declines") if key == "card_testing" else BANDINGS[key].label
            went = say(
                "%(label)s went from %(before)s to %(after)s between the two last periods of %(days)s days.",
                label=label,
                before=percent(then / base_then),
                after=percent(now / base_now),
                days=DAYS,
            )
            moved.append((points, went))
    total = sum(points for points, _ in moved)
    if abs(total) < POINTS and min(recent, before) < MINIMUM_PAYMENTS:
        return Trend.STABLE, say(
            "Too few payments in one of the two last periods of %(days)s days to compare them.", days=DAYS
        )
    if abs(total) < POINTS:
        return Trend.STABLE, mark("No rate moved by more than chance and its dead band allow.")
    moved.sort(key=lambda move: -move[0] if total > 0 else move[0])
    return (Trend.DEGRADING if total > 0 else Trend.IMPROVING), moved[0][1]


def _points(key: str, now: int, base_now: int, then: int, base_then: int) -> float:
    """Points of the stability score that a rate lost (positive) or won, 0 when it did not really move."""
    if too_little(max(now, then), min(base_now, base_then)):
        return 0.0
    rate_now, rate_then = now / base_now, then / base_then
    pooled = min(1.0, (now + then) / (base_now + base_then))
    error = math.sqrt(pooled * (1 - pooled) * (1 / base_now + 1 / base_then))
    change = rate_now - rate_then
    if error == 0 or abs(change) <= Z80 * error or abs(change) <= DEAD_BAND * rate_then:
        return 0.0
    worse, better = (
        severity(rate_signal(key, events, base, window="", on_lower_bound=False))
        for events, base in ((now, base_now), (then, base_then))
    )
    return BANDINGS[key].weight * (worse - better)
