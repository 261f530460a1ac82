"""Sales: growth, the size of tickets, and what is refunded."""

from __future__ import annotations

import math

from msgspec.structs import replace

from payflux.monitor.risk.rules.bands import MINIMUM_PAYMENTS, level_of
from payflux.monitor.risk.rules.history import History, count, weighted_median
from payflux.monitor.risk.rules.measures import days_window, too_little, value_signal
from payflux.monitor.risk.rules.statistics import median
from payflux.monitor.risk.surface import Level, Signal


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
