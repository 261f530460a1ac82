"""What an alert tells, as it is kept: the numbers, not the words, so that the words may become better. Pure."""

from __future__ import annotations

from datetime import datetime

import msgspec

from payflux.kit.phrases import Phrasebook, kept, revived
from payflux.monitor.alerts.rules import Bounds, Comparison, Reading, Rule, Trigger, Watch, measures, metric_of
from payflux.monitor.projections.projection import ReserveProjection
from payflux.monitor.projections.settings import ProjectionSettings
from payflux.monitor.risk.surface import Level, RiskSurface

MOST_CAUSES = 3


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule found in the reading of `as_of`. `before` is the level it went by and `measured` what it found, as
    (value, low, high), both by the names of `rules.measures`; for a custom rule `value` is the metric itself."""

    trigger: Trigger
    threshold: float
    metric: str = ""
    comparison: Comparison = Comparison.ABOVE
    as_of: datetime
    risk_tier: int
    band: str
    trend: str
    currency: str
    before: dict[str, float]
    measured: dict[str, tuple[float, float, float]]
    causes: tuple[tuple[str, str], ...]
    phrases: Phrasebook | msgspec.UnsetType = msgspec.UNSET


def facts_of(rule: Rule, watch: Watch, reading: Reading) -> Facts:
    """What to tell of `reading`, which `rule` judged by the level of `watch`."""
    found = measures(rule, reading)
    if rule.trigger is Trigger.CUSTOM:
        metric = metric_of(reading, rule.metric)
        found = {} if metric is None else {rule.metric: metric}
    facts = Facts(
        trigger=rule.trigger,
        threshold=rule.threshold,
        metric=rule.metric,
        comparison=rule.comparison,
        as_of=reading.as_of,
        risk_tier=reading.risk_tier,
        band=reading.band,
        trend=reading.trend,
        currency=reading.currency,
        before=dict(watch.level),
        measured={name: (one.value, one.low, one.high) for name, one in found.items()},
        causes=reading.causes[:MOST_CAUSES],
    )
    return kept(facts)


def reading_of(surface: RiskSurface, projection: ReserveProjection, *, as_of: datetime | None = None) -> Reading:
    """What the surface and the projection of one instant say, as rules judge it. A signal that too little was seen of
    is left out, and so is a horizon that not every projection has. `as_of` is a later instant at which the same was
    found anew."""
    return Reading(
        as_of=as_of or surface.as_of,
        risk_tier=surface.risk_tier,
        band=str(surface.risk_band),
        trend=str(surface.trend),
        stability_score=surface.stability_score,
        currency=projection.currency,
        trapped={
            one.horizon_days: _bounds(one.trapped, one.low, one.high)
            for one in projection.windows
            if one.horizon_days in ProjectionSettings().horizons
        },
        signals={
            signal.key: _bounds(signal.value, signal.low, signal.high)
            for signal in surface.signals
            if signal.value is not None and signal.level is not Level.INSUFFICIENT_EVIDENCE
        },
        causes=tuple(
            (revived(reason.sentence, surface.phrases), revived(reason.lowers, surface.phrases))
            for reason in surface.reasons
        ),
    )


def _bounds(value: float, low: float | None, high: float | None) -> Bounds:
    return Bounds(value, value if low is None else low, value if high is None else high)
