"""Backtest of the chance of a higher tier: what was said on past days, against the tier a month later."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np

from payflux.monitor.projections.rules import accuracy
from payflux.monitor.risk.rules import prepare, score


class Said(NamedTuple):
    """The probability that was stated, and whether the tier had risen by the day it was stated for."""

    probability: float
    escalated: bool


class EscalationScore(NamedTuple):
    """How good the probabilities were.

    `brier` is the mean squared distance from what happened, `brier_of_base_rate` that of always saying `base_rate`,
    the share that escalated; `skill` is 1 − their ratio, above 0 is better. `stated` is the mean probability.
    """

    valuations: int
    base_rate: float
    stated: float
    brier: float
    brier_of_base_rate: float

    @property
    def skill(self) -> float:
        return 1 - self.brier / self.brier_of_base_rate if self.brier_of_base_rate else 0.0


def replay(events: np.ndarray, days: Iterable[datetime]) -> list[Said]:
    """What was said at each of `days` of `events` (an array of EVENT_DTYPE), where anything could be said.

    The tier then is that which its signals asked for, at the same hour, by any signal.
    """
    found = []
    for day in days:
        now = score(prepare(events, as_of=day))
        if now.escalation is not None:
            then = score(prepare(events, as_of=day + timedelta(days=now.escalation.days_ahead)))
            found.append(Said(now.escalation.probability, then.asked_tier >= now.escalation.tier))
    return found


def score_of(said: Sequence[Said]) -> EscalationScore:
    """The score of what was said of one merchant or of many. Raises ValueError without anything."""
    if not said:
        raise ValueError("nothing was said")
    outcomes = [one.escalated for one in said]
    base = accuracy.mean_score([float(outcome) for outcome in outcomes])
    return EscalationScore(
        valuations=len(said),
        base_rate=base,
        stated=accuracy.mean_score([one.probability for one in said]),
        brier=accuracy.brier([one.probability for one in said], outcomes),
        brier_of_base_rate=accuracy.brier([base] * len(said), outcomes),
    )


def end_of(day: int) -> datetime:
    """The last second of a day of UTC, counted since 1970."""
    return datetime.fromtimestamp((day + 1) * 86_400 - 1, UTC)
