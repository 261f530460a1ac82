"""When an alert is raised, worsens and clears, from one reading to the next. Pure.

A rule measures a reading and judges it by a level: what was told last or, while nothing is open, what has been seen
lower since. An alert is raised by one reading whose careful bound is past the level, and cleared by two calm ones that
are as far apart as two sweeps; a bound alone neither raises nor lowers anything. Source: the reasons of
`payflux.monitor.risk.rules.hysteresis`, and the default policy: tier up by at least 1, trapped capital at T+90 up by
more than 25 %, trend turned to DEGRADING, any window past its previous worst case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

SPIKE_HORIZON = 90
"""The window, in days, that a reserve spike is judged on."""

CALM_FOR = timedelta(hours=5)
"""Calm readings closer than this count as one: the sweep reads every six hours, events more often."""


class Trigger(StrEnum):
    TIER_ESCALATION = "tier_escalation"
    RESERVE_SPIKE = "reserve_spike"
    TREND_DEGRADATION = "trend_degradation"
    PROJECTION_BREACH = "projection_breach"
    CUSTOM = "custom"


class Comparison(StrEnum):
    ABOVE = "above"
    BELOW = "below"


class Flip(StrEnum):
    """What one reading does to the alert of a rule."""

    RAISED = "raised"
    WORSENED = "worsened"
    CLEARED = "cleared"


class Bounds(NamedTuple):
    """A measured number with its 80 % interval; all three are the same where nothing is estimated."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a reading of a workspace says, as numbers.

    `trapped` is capital at each horizon in days, in minor units of `currency`; `signals` are those that enough was
    seen of, in their own units. `causes` are the reasons of the tier, each with what lowers it.
    """

    as_of: datetime
    risk_tier: int
    band: str
    trend: str
    stability_score: int
    currency: str
    trapped: Mapping[int, Bounds]
    signals: Mapping[str, Bounds]
    causes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Rule:
    """`metric` and `comparison` are those of a custom rule, `threshold` is in the metric's unit; see `metric_of`."""

    trigger: Trigger
    threshold: float
    metric: str = ""
    comparison: Comparison = Comparison.ABOVE


@dataclass(frozen=True)
class Watch:
    """What a rule remembers between readings: the `level` it judges by, the `base` that an open alert was raised from
    (None while none is open), since when readings are calm, and the instant of the last one."""

    level: Mapping[str, float]
    base: Mapping[str, float] | None = None
    calm_since: datetime | None = None
    read_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.base is not None


def metric_of(reading: Reading, metric: str) -> Bounds | None:
    """A number that a custom rule may watch: `risk_tier`, `stability_score`, `trapped_<days>` in minor units, or a
    signal by its key. None where the reading cannot say it."""
    if metric in ("risk_tier", "stability_score"):
        number = reading.risk_tier if metric == "risk_tier" else reading.stability_score
        return Bounds(number, number, number)
    if metric.startswith("trapped_"):
        return reading.trapped.get(int(metric.removeprefix("trapped_")))
    return reading.signals.get(metric)


def measures(rule: Rule, reading: Reading) -> dict[str, Bounds]:
    """What the rule judges of a reading, by name; empty where the reading does not say it. Amounts of another currency
    have another name: they are never compared."""
    match rule.trigger:
        case Trigger.TIER_ESCALATION:
            return {"tier": Bounds(reading.risk_tier, reading.risk_tier, reading.risk_tier)}
        case Trigger.TREND_DEGRADATION:
            return {"degrading": _flag(reading.trend == "DEGRADING")}
        case Trigger.RESERVE_SPIKE:
            found = reading.trapped.get(SPIKE_HORIZON)
            return {} if found is None else {f"{reading.currency} {SPIKE_HORIZON}": found}
        case Trigger.PROJECTION_BREACH:
            # the worst case that a projection allows for is the upper bound of its interval
            return {
                f"{reading.currency} {days}": Bounds(one.high, one.low, one.high)
                for days, one in reading.trapped.items()
            }
        case Trigger.CUSTOM:
            found = metric_of(reading, rule.metric)
            if found is None:
                return {}
            above = rule.comparison is Comparison.ABOVE
            return {"past": _flag(found.low > rule.threshold if above else found.high < rule.threshold)}


def first_watch(rule: Rule, reading: Reading | None) -> Watch:
    """What a rule goes by that is armed on `reading`. A custom one speaks of the limit itself: past it is news."""
    if rule.trigger is Trigger.CUSTOM:
        return Watch({"past": 0.0}, read_at=None)
    if reading is None:
        return Watch({})
    return Watch({name: one.value for name, one in measures(rule, reading).items()}, read_at=reading.as_of)


def advance(rule: Rule, watch: Watch, reading: Reading) -> tuple[Watch, Flip | None]:
    """What the rule remembers after `reading`, and what that does to its alert. A reading that is not newer than the
    last does nothing."""
    if watch.read_at is not None and reading.as_of <= watch.read_at:
        return watch, None
    seen = replace(watch, read_at=reading.as_of)
    measured = measures(rule, reading)
    if not measured:
        return seen, None
    level = {name: watch.level.get(name, one.value) for name, one in measured.items()}
    told = {name: max(level[name], one.value) for name, one in measured.items()}
    if _past(rule, measured, level):
        flip = Flip.WORSENED if watch.is_open else Flip.RAISED
        return replace(seen, level=told, base=watch.base if watch.is_open else level, calm_since=None), flip
    if watch.base is None:
        return replace(seen, level=_followed_down(measured, level)), None
    if _past(rule, measured, watch.base):
        return replace(seen, level=level, calm_since=None), None
    if watch.calm_since is None or reading.as_of - watch.calm_since < CALM_FOR:
        return replace(seen, level=level, calm_since=watch.calm_since or reading.as_of), None
    now = {name: one.value for name, one in measured.items()}
    return replace(seen, level=now, base=None, calm_since=None), Flip.CLEARED


def begins_anew(rule: Rule) -> bool:
    """Whether the rule compares capital with capital, which says nothing where the two rest on other reserve terms."""
    return rule.trigger in (Trigger.RESERVE_SPIKE, Trigger.PROJECTION_BREACH)


def let_go(watch: Watch) -> Watch:
    """After a member has resolved the alert: what was told is the level now, so that only more of it is news."""
    return replace(watch, base=None, calm_since=None)


def _past(rule: Rule, measured: Mapping[str, Bounds], level: Mapping[str, float]) -> bool:
    known = [(one.low, level[name]) for name, one in measured.items() if name in level]
    match rule.trigger:
        case Trigger.RESERVE_SPIKE:
            return any(low > limit * (1 + rule.threshold) for low, limit in known)
        case Trigger.PROJECTION_BREACH:
            return any(low > limit for low, limit in known)
        case Trigger.TIER_ESCALATION:
            return any(low - limit >= rule.threshold for low, limit in known)
        case _:
            return any(low > limit for low, limit in known)


def _followed_down(measured: Mapping[str, Bounds], level: Mapping[str, float]) -> dict[str, float]:
    """A level falls only where the whole interval lies below it, as it rises only where the whole lies above."""
    return {name: one.value if one.high <= level[name] else level[name] for name, one in measured.items()}


def _flag(holds: bool) -> Bounds:
    return Bounds(1.0, 1.0, 1.0) if holds else Bounds(0.0, 0.0, 0.0)
