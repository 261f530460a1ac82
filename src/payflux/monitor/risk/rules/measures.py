"""How a signal is built: gates, intervals and the number that sets its level."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from payflux.kit.messages import mark
from payflux.kit.money import exponent
from payflux.kit.phrases import Phrase, counted, figure, joined, say
from payflux.monitor.processors.codes import REASONS
from payflux.monitor.risk.rules.bands import BANDINGS, MINIMUM_EVENTS, MINIMUM_PAYMENTS, level_of
from payflux.monitor.risk.rules.statistics import settle, wilson_interval
from payflux.monitor.risk.surface import Level, Signal

HIDDEN_DISPUTES = mark(
    "A lower bound: disputes the processor settles itself are not visible here and count with the networks."
)
NOTHING_TO_SAY = mark("Too little happened in this window to say.")
NOW = mark("now")
SHOWN_ONLY = mark("PayFlux; shown, not judged, as no threshold has a source")


def percent(share: float, digits: int = 2) -> Phrase:
    """`share` in percent, without decimals from ten times the whole on."""
    return figure(f"{100 * share:,.{digits if share < 10 else 0}f} %")


def number(value: float) -> Phrase:
    """A whole number with thousands marked."""
    return figure(f"{value:,.0f}")


def payments_counted(payments: int) -> Phrase:
    return counted(payments, "%(count)s payment", "%(count)s payments")


def money(amount: int, currency: str) -> Phrase:
    """Minor units in major ones, rounded to whole ones from a thousand on, with the currency's code."""
    places = exponent(currency)
    digits = 0 if abs(amount) >= 1_000 * 10**places else places
    return figure(f"{amount / 10**places:,.{digits}f} {currency.upper()}")


def days_window(days: int) -> Phrase:
    return say("last %(days)s days", days=days)


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
    high = max(high, value or 0.0)  # disputes of a month may be more than its payments
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
        note=joined(" ", (gate, note)),
        source=banding.source,
    )


def too_little(events: int, payments: int) -> str:
    """Why these numbers are no evidence, or the empty string when they are."""
    if payments < MINIMUM_PAYMENTS:
        return few(payments_counted(payments), MINIMUM_PAYMENTS)
    if events < MINIMUM_EVENTS:
        return say(
            "Insufficient evidence of a problem: %(seen)s, %(least)s are needed.",
            seen=counted(events, "%(count)s event", "%(count)s events"),
            least=MINIMUM_EVENTS,
        )
    return ""


def few(seen: Phrase, least: int) -> Phrase:
    """That what was `seen` is too little to judge by."""
    return say("Insufficient evidence: %(seen)s, %(least)s are needed.", seen=seen, least=least)


def value_signal(
    key: str,
    value: float | None,
    judged: float | None,
    *,
    window: str,
    note: str = "",
    numerator: int = 0,
    denominator: int = 0,
    basis_unit: str = "count",
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
        note=note or ("" if value is not None else NOTHING_TO_SAY),
        source=banding.source,
        numerator=numerator,
        denominator=denominator,
        basis_unit=basis_unit,
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
    basis_unit: str = "count",
) -> Signal:
    """A signal that is shown and never judged, as no threshold of it has a source."""
    return Signal(
        key=key,
        label=label,
        unit=unit,
        window=window,
        value=None if value is None else settle(value),
        level=Level.OK,
        note=note or ("" if value is not None else NOTHING_TO_SAY),
        source=source,
        numerator=numerator,
        denominator=denominator,
        basis_unit=basis_unit,
    )


def at_most(signal: Signal, level: Level) -> Signal:
    """The signal with its level capped."""
    return replace(signal, level=min(signal.level, level))


def unseen(key: str, why: str, *, window: str = NOW) -> Signal:
    """A judged signal that cannot be said, and why."""
    return value_signal(key, None, None, window=window, note=why)


def unseen_plain(key: str, label: str, unit: str, why: str, *, window: str) -> Signal:
    """A signal without thresholds that cannot be said, and why."""
    signal = plain_signal(key, label, unit, None, window=window, source=SHOWN_ONLY, note=why)
    return replace(signal, level=Level.INSUFFICIENT_EVIDENCE)


def counts_of(rows: np.ndarray, column: str) -> dict[int, int]:
    """How many events `rows` stand for by the value of a `column` of codes, none negative; in their order."""
    if not rows.size:
        return {}
    counts = np.zeros(int(rows[column].max()) + 1, np.int64)
    np.add.at(counts, rows[column], rows["count"])
    return {value: number for value, number in enumerate(counts.tolist()) if number}


def leading(reasons: dict[int, int]) -> Phrase:
    """That most are the commonest of reason codes, with its share; the smaller code among equals."""
    code = max(reasons, key=lambda reason: (reasons[reason], -reason))
    share = percent(reasons[code] / sum(reasons.values()), 0)
    return say("Most are %(reason)s (%(share)s).", reason=REASONS[code].replace("_", " "), share=share)
