"""Signals on refunds, declines, retries and where cards come from."""

from __future__ import annotations

import math

import numpy as np
from msgspec.structs import replace

from payflux.monitor.processors.codes import Outcome
from payflux.monitor.risk.rules.bands import MINIMUM_EVENTS, MINIMUM_PAYMENTS, level_of
from payflux.monitor.risk.rules.history import History, count, totals, weighted_median
from payflux.monitor.risk.rules.measures import days_window, plain_signal, rate_signal, too_little, value_signal
from payflux.monitor.risk.rules.statistics import entropy, median
from payflux.monitor.risk.surface import Level, Signal

BASELINE_FACTOR = 3
_OWN = "PayFlux; shown, not judged, as no threshold has a source"


def refund_rate(history: History) -> Signal:
    """Refunded amount / sales, 30 days, in the main settlement currency; share; 8 / 15 / 25 % (our defaults)."""
    refunds, payments = history.last(history.refunds, 30), history.last(history.payments, 30)
    volume, refunded = history.volume(payments), history.volume(refunds)
    known = refunds[refunds["charge_day"] > 0]
    wait = weighted_median(known["day"] - known["charge_day"], known["count"])
    note = "" if wait is None else f"Median wait from payment to refund {wait} days."
    gate = too_little(count(refunds), count(payments))
    value = refunded / volume if volume > 0 else None
    return value_signal(
        "refund_rate",
        value,
        None if gate else value,
        window=days_window(30),
        note=gate or note,
        numerator=refunded,
        denominator=volume,
    )


def decline_rate(history: History) -> Signal:
    """Failed / attempted charges, 30 days; share. Shown only: recurring billing declines much and harmlessly."""
    declined, paid = count(history.last(history.declines, 30)), count(history.last(history.payments, 30))
    return plain_signal(
        "decline_rate",
        "Decline rate",
        "rate",
        declined / (declined + paid) if declined + paid else None,
        window=days_window(30),
        source=_OWN,
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
        source=_OWN,
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


def growth(history: History) -> Signal:
    """Sales of the last 7 whole days / median week of the 8 before, less 1; share; +50 / +100 / +200 %.

    Its level is the milder of that and of the robust z (median absolute deviation) at 2 / 3 / 4, so
    that neither a steady rise nor a volatile shop is called a spike.
    """
    weeks = [history.last(history.payments, 7, skip=1 + 7 * week) for week in range(9)]
    sales = [history.volume(week) for week in weeks]
    usual = median(sales[1:])
    payments = count(weeks[0])
    if payments < MINIMUM_PAYMENTS or min(sales) <= 0:
        return value_signal(
            "growth", None, None, window=days_window(7), note="Insufficient evidence: nine weeks with sales are needed."
        )
    value = sales[0] / usual - 1
    spread = median([abs(week / usual - 1) for week in sales[1:]]) * 1.4826
    z = value / spread if spread > 0 else (float("inf") if value > 0 else 0.0)
    by_ratio = level_of("growth", value)
    by_spread = Level(sum(z >= limit for limit in (2, 3, 4)))
    signal = value_signal(
        "growth", value, value, window=f"{days_window(7)} against the 8 weeks before", numerator=sales[0],
        denominator=round(usual), note="" if z == float("inf") else f"{z:.1f} robust standard deviations.",
    )  # fmt: skip
    return replace(signal, level=min(by_ratio, by_spread))


def ticket_drift(history: History) -> Signal:
    """log(median ticket of 7 days / of 60 days); nats, either way; 0.3 / 0.6 / 1.0. Stripe's indicator `aov`."""
    tickets = history.in_currency(history.summary.tickets)
    week, usual = history.last(tickets, 7), history.last(tickets, 60)
    window = f"{days_window(7)} against 60 days"
    now, then = (weighted_median(rows["ticket"], rows["count"]) or 0 for rows in (week, usual))
    if count(week) < MINIMUM_PAYMENTS or now <= 0 or then <= 0:
        return value_signal("ticket_drift", None, None, window=window, note="Insufficient evidence.")
    drift = math.log(now / then)
    return value_signal("ticket_drift", drift, abs(drift), window=window, numerator=now, denominator=then)


def _entropy_signal(key: str, label: str, rows: np.ndarray, column: str) -> Signal:
    events = count(rows)
    return plain_signal(
        key,
        label,
        "nats",
        entropy(list(totals(rows, column).values())) if events >= MINIMUM_EVENTS else None,
        window=days_window(30),
        source=_OWN,
        denominator=events,
    )
