"""Cards: declines, retries, and where cards come from."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from payflux.monitor.processors.codes import Outcome
from payflux.monitor.risk.rules.bands import MINIMUM_EVENTS
from payflux.monitor.risk.rules.history import History, count, totals
from payflux.monitor.risk.rules.measures import SHOWN_ONLY, days_window, plain_signal, rate_signal
from payflux.monitor.risk.rules.statistics import entropy
from payflux.monitor.risk.surface import Level, Signal

BASELINE_FACTOR = 3


def decline_rate(history: History) -> Signal:
    """Failed / attempted charges, 30 days; share. Shown only: recurring billing declines much and harmlessly."""
    declined, paid = count(history.last(history.declines, 30)), count(history.last(history.payments, 30))
    return plain_signal(
        "decline_rate",
        "Decline rate",
        "rate",
        declined / (declined + paid) if declined + paid else None,
        window=days_window(30),
        source=SHOWN_ONLY,
        numerator=declined,
        denominator=declined + paid,
    )


def card_testing(history: History) -> Signal:
    """Declines / attempts in the worst of the last four weeks; share; 10 / 15 / 20 % on the lower bound.

    Only when over three times the rate of the rest of the window, as a steady rate is a way of billing, not an attack.
    A proxy: Visa counts enumerated authorisations by a model of its own, 20 % of at least 300,000.
    """
    declines = history.last(history.declines, history.window_days)
    declined = count(declines)
    attempts = declined + count(history.last(history.payments, history.window_days))
    worst: Signal | None = None
    for weeks_ago in range(4):
        week = history.last(history.declines, 7, skip=7 * weeks_ago)
        burst = count(week)
        tried = burst + count(history.last(history.payments, 7, skip=7 * weeks_ago))
        rest = (declined - burst) / (attempts - tried) if attempts > tried else 0.0
        cards = max(history.last(history.summary.cards, 7, skip=7 * weeks_ago)["declined_cards"].tolist(), default=0)
        blocked = count(week[week["outcome"] == Outcome.BLOCKED])
        note = (
            f"{burst:,} declines, of up to {cards:,} cards in a day, {blocked:,} blocked; "
            f"{rest:.1%} in the rest of the window."
        )
        window = "last 7 days" if not weeks_ago else f"7 days that ended {7 * weeks_ago} days ago"
        signal = rate_signal("card_testing", burst, tried, window=window, note=note)
        share = signal.value or 0.0
        calm = share <= BASELINE_FACTOR * rest and signal.level > Level.OK
        signal = replace(signal, level=Level.OK) if calm else signal
        if worst is None or (signal.level, signal.judged or 0.0) > (worst.level, worst.judged or 0.0):
            worst = signal
    assert worst is not None
    return worst


def retry_pressure(history: History) -> Signal:
    """Attempts within an hour after a declined attempt of the same card / attempts, 30 days; share. Shown only."""
    attempts = sum(count(history.last(rows, 30)) for rows in (history.payments, history.declines))
    retries = int(history.last(history.summary.cards, 30)["retries"].sum())
    return plain_signal(
        "retry_pressure",
        "Retries within an hour after a decline",
        "rate",
        retries / attempts if attempts else None,
        window=days_window(30),
        source=SHOWN_ONLY,
        numerator=retries,
        denominator=attempts,
    )


def failure_entropy(history: History) -> Signal:
    """Shannon's entropy of decline reasons, 30 days; nats: 0 is one reason for all. Shown only."""
    declines = history.last(history.declines, 30)
    return _entropy_signal("failure_entropy", "Variety of decline reasons", declines, "reason")


def geographic_entropy(history: History) -> Signal:
    """Shannon's entropy of the card's country over payments, 30 days; nats. Shown only."""
    payments = history.last(history.payments, 30)
    known = payments[payments["country"] > 0]
    return _entropy_signal("geographic_entropy", "Variety of card countries", known, "country")


def _entropy_signal(key: str, label: str, rows: np.ndarray, column: str) -> Signal:
    events = count(rows)
    return plain_signal(
        key,
        label,
        "nats",
        entropy(list(totals(rows, column).values())) if events >= MINIMUM_EVENTS else None,
        window=days_window(30),
        source=SHOWN_ONLY,
        denominator=events,
    )
