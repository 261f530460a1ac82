"""Sales: growth, the size of tickets, and what is refunded."""

from __future__ import annotations

import math

from msgspec.structs import replace

from payflux.kit.messages import mark
from payflux.kit.phrases import figure, joined, say
from payflux.monitor.risk.rules.bands import BANDINGS, MINIMUM_PAYMENTS, level_of
from payflux.monitor.risk.rules.history import History, count, weighted_median
from payflux.monitor.risk.rules.measures import SHOWN_ONLY, days_window, percent, plain_signal, too_little, value_signal
from payflux.monitor.risk.rules.statistics import median, wilson_interval
from payflux.monitor.risk.surface import Level, Signal

BASELINE_FACTOR = 2


def refund_rate(history: History) -> Signal:
    """Refunded amount / sales, 30 days, in the main settlement currency; share; 8 / 15 / 25 % (our defaults).

    One level higher when refunds per payment are at least twice those of the rest of the window, on Wilson's lower
    bound: the number judged is then the next threshold.
    """
    refunds, payments = history.last(history.refunds, 30), history.last(history.payments, 30)
    volume, refunded = history.volume(payments), history.volume(refunds)
    gate = too_little(count(refunds), count(payments))
    value = refunded / volume if volume > 0 else None
    judged = None if gate else value
    usual = _usual_refunds(history)
    doubled = usual is not None and wilson_interval(count(refunds), count(payments))[0] >= BASELINE_FACTOR * usual
    if judged is not None and usual is not None and doubled:
        above = [limit for limit in BANDINGS["refund_rate"].thresholds if limit > judged]
        judged = above[0] if above else judged
    usually = percent(usual or 0, 1)
    twice = say("Refunds per payment are over twice the %(usual)s of the days before.", usual=usually)
    more = mark("More was refunded than sold.")
    note = joined(" ", (more if refunded > volume else "", twice if doubled else ""))
    return value_signal(
        "refund_rate",
        value,
        judged,
        window=days_window(30),
        note=gate or note,
        numerator=refunded,
        denominator=volume,
        basis_unit="money",
    )


def refund_wait(history: History) -> Signal:
    """Median wait from payment to refund, refunds of 30 days; days. Shown only: quick refunds prevent disputes."""
    refunds = history.last(history.refunds, 30)
    known = refunds[refunds["charge_day"] > 0]
    wait = weighted_median(known["day"] - known["charge_day"], known["count"])
    why = "" if wait is not None else mark("No refund of the last 30 days names its payment.")
    label, window = mark("Wait from payment to refund"), days_window(30)
    return plain_signal("refund_wait", label, "days", wait, window=window, source=SHOWN_ONLY, note=why)


def _usual_refunds(history: History) -> float | None:
    """Refunds per payment in the window before the last 30 days; None when that is too little to compare with."""
    days = history.window_days - 30
    refunds, payments = (count(history.last(rows, days, skip=30)) for rows in (history.refunds, history.payments))
    return None if days <= 0 or too_little(refunds, payments) else refunds / payments


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
        why = mark("Insufficient evidence: nine weeks with sales are needed.")
        return value_signal("growth", None, None, window=days_window(7), note=why)
    value = sales[0] / usual - 1
    spread = median([abs(week / usual - 1) for week in sales[1:]]) * 1.4826
    z = value / spread if spread > 0 else (float("inf") if value > 0 else 0.0)
    by_ratio = level_of("growth", value)
    by_spread = Level(sum(z >= limit for limit in (2, 3, 4)))
    signal = value_signal(
        "growth", value, value, window=mark("last 7 days against the 8 weeks before"), numerator=sales[0],
        denominator=round(usual), basis_unit="money",
        note="" if z == float("inf") else say("%(z)s robust standard deviations.", z=figure(f"{z:.1f}")),
    )  # fmt: skip
    return replace(signal, level=min(by_ratio, by_spread))


def ticket_drift(history: History) -> Signal:
    """log(median ticket of 7 days / of 60 days); nats, either way; 0.3 / 0.6 / 1.0. Stripe's indicator `aov`."""
    tickets = history.in_currency(history.summary.tickets)
    week, usual = history.last(tickets, 7), history.last(tickets, 60)
    window = mark("last 7 days against 60 days")
    now, then = (weighted_median(rows["ticket"], rows["count"]) or 0 for rows in (week, usual))
    if count(week) < MINIMUM_PAYMENTS or now <= 0 or then <= 0:
        return value_signal("ticket_drift", None, None, window=window, note=mark("Insufficient evidence."))
    drift = math.log(now / then)
    return value_signal(
        "ticket_drift", drift, abs(drift), window=window, numerator=now, denominator=then, basis_unit="money"
    )
