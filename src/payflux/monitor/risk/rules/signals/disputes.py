"""Disputes and early fraud warnings. All are lower bounds: processors handle some disputes unseen."""

from __future__ import annotations

import numpy as np

from payflux.monitor.processors.codes import Status
from payflux.monitor.risk.rules import lag
from payflux.monitor.risk.rules.bands import BANDINGS, level_of
from payflux.monitor.risk.rules.disputes import WARNING_ESCALATION
from payflux.monitor.risk.rules.history import History, count
from payflux.monitor.risk.rules.measures import HIDDEN_DISPUTES, days_window, plain_signal, rate_signal, too_little
from payflux.monitor.risk.rules.summary import DAY
from payflux.monitor.risk.surface import Level, Signal

ACTIVITY_DAYS = 30


def dispute_activity(history: History) -> Signal:
    """Disputes dated in the last 30 days / payments of the last 30 days; share; 0.4 / 0.75 / 1.0 %.

    Inquiries and prevented disputes do not count; refunded, won and lost ones do (Stripe, "Measuring disputes" and
    "Monitoring programs"). The tier takes the share itself, as processors do; an alert should take `low`.
    """
    disputes = count(history.last(history.disputes, ACTIVITY_DAYS))
    payments = count(history.last(history.payments, ACTIVITY_DAYS))
    return rate_signal(
        "dispute_activity",
        disputes,
        payments,
        window=days_window(ACTIVITY_DAYS),
        on_lower_bound=False,
        note=HIDDEN_DISPUTES,
    )


def ultimate_dispute_rate(history: History) -> Signal:
    """Share of the window's payments that will have been disputed in the end; 0.4 / 0.75 / 1.0 % on a lower bound.

    Cape-Cod over daily cohorts (module `lag`). Value and interval use the merchant's own reporting curve. The level
    uses the lower bound under the reference curve, which one more dispute can never lower, and stops at high: a
    critical level is kept for what was counted.
    """
    payments = history.last(history.payments, history.window_days)
    seen = history.disputes[history.disputes["charge_day"] > history.today - history.window_days]
    disputes, paid = count(seen), count(payments)
    ages = history.today - payments["day"]
    charge_at, disputed_at = (
        np.repeat(seen[name].astype(np.int64) * DAY, seen["count"]) for name in ("charge_day", "day")
    )
    curve = lag.own_curve(charge_at, disputed_at, history.now, history.window_days)
    estimate = lag.ultimate_rate(disputes, lag.ripe_exposure(payments["count"], ages, curve))
    reference = lag.ultimate_rate(disputes, lag.ripe_exposure(payments["count"], ages, lag.DISPUTE_CURVE))
    gate = too_little(disputes, paid)
    banding = BANDINGS["ultimate_dispute_rate"]
    judged = None if gate else reference.low
    note = f"{disputes} seen so far; the level is set on the lower bound {reference.low:.2%}."
    return Signal(
        key="ultimate_dispute_rate",
        label=banding.label,
        unit=banding.unit,
        window=f"payments of the {days_window(history.window_days)}",
        value=estimate.value if paid else None,
        low=estimate.low if paid else None,
        high=estimate.high if paid else None,
        numerator=disputes,
        denominator=paid,
        thresholds=banding.thresholds,
        level=min(Level.HIGH, level_of("ultimate_dispute_rate", judged)),
        judged=judged,
        note=gate or note,
        source=banding.source,
    )


def fraud_warning_rate(history: History) -> Signal:
    """Early fraud warnings / payments, 30 days; share; 0.3 / 0.5 / 0.75 % on the lower bound."""
    warnings = count(history.last(history.warnings, ACTIVITY_DAYS))
    payments = count(history.last(history.payments, ACTIVITY_DAYS))
    return rate_signal("fraud_warning_rate", warnings, payments, window=days_window(ACTIVITY_DAYS))


def open_warnings(history: History) -> Signal:
    """Warnings that can still be answered by a refund; count. Four in five become disputes if nothing is done."""
    still_open = count(history.warnings[history.warnings["status"] == Status.ACTIONABLE])
    return plain_signal(
        "open_warnings",
        "Open fraud warnings",
        "count",
        float(still_open),
        window="now",
        source="docs.stripe.com/disputes/how-disputes-work",
        note=f"About {WARNING_ESCALATION * still_open:.0f} of them become disputes if nothing is done."
        if still_open
        else "",
        numerator=still_open,
    )
