"""How the numbers are made, as rows from the very data that makes them."""

from __future__ import annotations

from datetime import datetime
from itertools import repeat
from typing import NamedTuple

import numpy as np

from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.kit.phrases import spoken
from payflux.monitor.processors.events import EVENT_DTYPE
from payflux.monitor.projections.projection import ReserveScenario
from payflux.monitor.projections.rules.reserves import SCENARIOS, rolling_reserve
from payflux.monitor.risk.rules import prepare, score
from payflux.monitor.risk.rules.bands import BANDINGS
from payflux.monitor.risk.rules.tier import RESERVE_LIMIT, SCORE_LIMIT, TIER_OF_LEVEL
from payflux.monitor.risk.surface import BANDS, Level
from payflux.web.formatting import measure, percent

HORIZONS = (30, 60, 90)
EXAMPLE_SALES = 100_000
"""Minor units a day of the worked example."""

_SET_BY = {
    Level.WARN: mark("A signal is over its first threshold, watch"),
    Level.HIGH: mark("A signal is over its second threshold, high"),
    Level.CRITICAL: mark("A signal is over its third threshold, critical"),
}


class TierRow(NamedTuple):
    """One tier: its band, what asks for it, the best stability score it allows, and what is assumed to be held."""

    tier: int
    band: str
    asked_by: str
    best_score: int
    scenario: ReserveScenario


class SignalRow(NamedTuple):
    """One signal. `thresholds` is empty where it is shown only; `weight` are points of 100 that it can take off."""

    label: str
    window: str
    thresholds: tuple[str, ...]
    falling: bool
    weight: int
    source: str


def tier_rows() -> list[TierRow]:
    """The five tiers, calm first."""
    asked = {tier: _SET_BY[level] for level, tier in TIER_OF_LEVEL.items()}
    asked[1] = _("No signal is over a threshold")
    asked[5] = _(
        "The account is rejected or its payouts are stopped, more than %(reserve_limit)s of a "
        "month's sales is held back, or a network programme charges you"
    ) % {"reserve_limit": percent(RESERVE_LIMIT)}
    return [TierRow(tier, band, _(asked[tier]), SCORE_LIMIT[tier], SCENARIOS[tier]) for tier, band in BANDS.items()]


def signal_rows(now: datetime) -> list[SignalRow]:
    """Every signal that a score has, those that are judged first."""
    empty = spoken(score(prepare(np.empty(0, EVENT_DTYPE), as_of=now)))
    rows = []
    for signal in empty.signals:
        banding = BANDINGS.get(signal.key)
        thresholds = tuple(map(_bound, banding.thresholds, repeat(banding.unit))) if banding else ()
        falling, weight = (banding.falling, banding.weight) if banding else (False, 0)
        rows.append(SignalRow(signal.label, signal.window, thresholds, falling, weight, signal.source.replace("`", "")))
    return sorted(rows, key=lambda row: -row.weight)


def _bound(bound: float, unit: str) -> str:
    return measure(bound, unit) if bound else _("any")


def rolling_example(tier: int) -> list[tuple[int, int]]:
    """(day, minor units trapped) of even sales of :data:`EXAMPLE_SALES` a day under the scenario of `tier`."""
    scenario = SCENARIOS[tier]
    sales: np.ndarray = np.full(HORIZONS[-1], EXAMPLE_SALES, np.int64)
    held = rolling_reserve(sales, scenario.rate, scenario.hold_days, HORIZONS)
    return list(zip(HORIZONS, held, strict=True))
