"""How a signal is built: gates, intervals and the number that sets its level."""

from __future__ import annotations

from payflux.monitor.risk.rules.bands import BANDINGS, MINIMUM_EVENTS, MINIMUM_PAYMENTS, level_of
from payflux.monitor.risk.rules.statistics import settle, wilson_interval
from payflux.monitor.risk.surface import Level, Signal

HIDDEN_DISPUTES = (
    "A lower bound: disputes the processor settles itself are not visible here and count with the networks."
)
SHOWN_ONLY = "PayFlux; shown, not judged, as no threshold has a source"


def days_window(days: int) -> str:
    return f"last {days} days"


def rate_signal(
    key: str, events: int, payments: int, *, window: str, on_lower_bound: bool = True, note: str = ""
) -> Signal:
    """A share of `payments` with Wilson's 80 % interval, behind the small-sample gate.

    The level is set on the interval's lower bound, or on the share itself without `on_lower_bound`.
    """
    banding = BANDINGS[key]
    gate = too_little(events, payments)
    low, high = wilson_interval(events, payments)
    value = settle(events / payments) if payments else None
    judged = None if gate else (low if on_lower_bound else value)
    return Signal(
        key=key,
        label=banding.label,
        unit=banding.unit,
        window=window,
        value=value,
        low=low if payments else None,
        high=high if payments else None,
        numerator=events,
        denominator=payments,
        thresholds=banding.thresholds,
        level=level_of(key, judged),
        judged=judged,
        note=" ".join(part for part in (gate, note) if part),
        source=banding.source,
    )


def too_little(events: int, payments: int) -> str:
    """Why these numbers are no evidence, or the empty string when they are."""
    if payments < MINIMUM_PAYMENTS:
        return f"Insufficient evidence: {payments} payments, {MINIMUM_PAYMENTS} are needed."
    if events < MINIMUM_EVENTS:
        return f"Insufficient evidence of a problem: {events} events, {MINIMUM_EVENTS} are needed."
    return ""


def value_signal(
    key: str,
    value: float | None,
    judged: float | None,
    *,
    window: str,
    note: str = "",
    numerator: int = 0,
    denominator: int = 0,
) -> Signal:
    """A signal with bands but no interval; `judged` None is insufficient evidence."""
    banding = BANDINGS[key]
    return Signal(
        key=key,
        label=banding.label,
        unit=banding.unit,
        window=window,
        value=None if value is None else settle(value),
        thresholds=banding.thresholds,
        level=level_of(key, judged),
        judged=None if judged is None else settle(judged),
        note=note,
        source=banding.source,
        numerator=numerator,
        denominator=denominator,
    )


def plain_signal(
    key: str,
    label: str,
    unit: str,
    value: float | None,
    *,
    window: str,
    source: str,
    note: str = "",
    numerator: int = 0,
    denominator: int = 0,
) -> Signal:
    """A signal that is shown and never judged, as no threshold of it has a source."""
    return Signal(
        key=key,
        label=label,
        unit=unit,
        window=window,
        value=None if value is None else settle(value),
        level=Level.OK,
        note=note,
        source=source,
        numerator=numerator,
        denominator=denominator,
    )


def unseen(key: str, why: str, *, window: str = "now") -> Signal:
    """A signal that this data cannot show."""
    return value_signal(key, None, None, window=window, note=why)
