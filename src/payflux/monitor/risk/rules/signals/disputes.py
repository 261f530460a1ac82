"""Disputes and early fraud warnings. All are lower bounds: processors handle some disputes unseen."""

from __future__ import annotations

from payflux.kit.messages import mark
from payflux.kit.phrases import counted, figure, joined, say
from payflux.monitor.processors.codes import REASONS, Status
from payflux.monitor.risk.rules import lag
from payflux.monitor.risk.rules.bands import BANDINGS, MINIMUM_EVENTS, MINIMUM_PAYMENTS, level_of
from payflux.monitor.risk.rules.cohorts import by_age, dispute_lags
from payflux.monitor.risk.rules.history import History, count
from payflux.monitor.risk.rules.measures import (
    HIDDEN_DISPUTES,
    NOW,
    counts_of,
    days_window,
    few,
    leading,
    percent,
    plain_signal,
    rate_signal,
    too_little,
    unseen,
    unseen_plain,
)
from payflux.monitor.risk.rules.programmes.nowcast import ESCALATION
from payflux.monitor.risk.surface import Level, Signal

ACTIVITY_DAYS = 30


def dispute_activity(history: History) -> Signal:
    """Disputes dated in the last 30 days / payments of the last 30 days; share; 0.4 / 0.75 / 1.0 %.

    Inquiries and prevented disputes do not count; refunded, won and lost ones do (Stripe, "Measuring disputes" and
    "Monitoring programs"). The tier takes the share itself, as processors do; an alert should take `low`. Where sales
    stopped, disputes go on: they are divided by the payments of the 30 days that ended with the last sale.
    """
    disputes = count(history.last(history.disputes, ACTIVITY_DAYS))
    payments = count(history.last(history.payments, ACTIVITY_DAYS))
    window, note = days_window(ACTIVITY_DAYS), HIDDEN_DISPUTES
    if payments < MINIMUM_PAYMENTS and disputes >= MINIMUM_EVENTS and history.payments.size:
        ago = history.today - int(history.payments["day"][-1])
        before = count(history.last(history.payments, ACTIVITY_DAYS, skip=ago))
        if before > payments:
            payments = before
            note = say("On the payments of the 30 days that ended %(days)s days ago: sales have stopped.", days=ago)
    return rate_signal("dispute_activity", disputes, payments, window=window, on_lower_bound=False, note=note)


def ultimate_dispute_rate(history: History) -> Signal:
    """Share of the window's payments that will have been disputed in the end; 0.4 / 0.75 / 1.0 % on a lower bound.

    Cape-Cod over weekly cohorts (module `lag`). Value and interval use the merchant's own reporting curve. The level
    uses the careful lower bound, under a fast fixed curve, which one more dispute can never lower, and stops at high: a
    critical level is kept for what was counted.
    """
    payments, disputes = by_age(history, history.payments), dispute_lags(history, history.disputes)
    ultimate = lag.cape_cod(payments, disputes, lag.reporting(disputes, len(payments)), history.window_days)
    careful = lag.careful_rate(payments, disputes, history.window_days).estimate.low
    gate = too_little(ultimate.seen, ultimate.payments)
    value, low, high = ultimate.rate.estimate
    banding = BANDINGS["ultimate_dispute_rate"]
    judged = None if gate else careful
    limit = banding.thresholds[1]
    note = say(
        "%(seen)s seen so far; the level is set on the lower bound %(bound)s. The chance that it is over %(limit)s is "
        "%(chance)s.",
        seen=ultimate.seen,
        bound=percent(careful),
        limit=percent(limit),
        chance=percent(ultimate.rate.probability_over(limit), 0),
    )
    paid = ultimate.payments
    return Signal(
        key="ultimate_dispute_rate",
        label=banding.label,
        unit=banding.unit,
        window=say("payments of the last %(days)s days", days=history.window_days),
        value=value if paid else None,
        low=low if paid else None,
        high=high if paid else None,
        numerator=ultimate.seen,
        denominator=paid,
        thresholds=banding.thresholds,
        level=min(Level.HIGH, level_of("ultimate_dispute_rate", judged)),
        judged=judged,
        note=gate or note,
        source=banding.source,
    )


def reason_mix(history: History) -> Signal:
    """Disputes about the merchant's own service / all disputes of the window; share. Shown only.

    Credit not processed, product not received or not acceptable, subscription canceled, duplicate: what the merchant
    can mend without a bank. Against the window before, when that holds three disputes or more.
    """
    key, label, window = "reason_mix", mark("Disputes about the service"), days_window(history.window_days)
    reasons = counts_of(history.last(history.disputes, history.window_days), "reason")
    if sum(reasons.values()) < MINIMUM_EVENTS:
        seen = counted(sum(reasons.values()), "%(count)s dispute", "%(count)s disputes")
        return unseen_plain(key, label, "rate", few(seen, MINIMUM_EVENTS), window=window)
    if set(reasons) == {0}:
        why = mark("The reasons of disputes cannot be seen in this data.")
        return unseen_plain(key, label, "rate", why, window=window)
    before = counts_of(history.last(history.disputes, history.window_days, skip=history.window_days), "reason")
    note: str = leading(reasons)
    if sum(before.values()) >= MINIMUM_EVENTS:
        share = percent(_of_service(before) / sum(before.values()), 0)
        note = joined(" ", (note, say("The share was %(share)s in the window before.", share=share)))
    return plain_signal(
        key,
        label,
        "rate",
        _of_service(reasons) / sum(reasons.values()),
        window=window,
        source=mark("antiwork/gumroad PR 5712 reports them; shown, not judged"),
        note=note,
        numerator=_of_service(reasons),
        denominator=sum(reasons.values()),
    )


def fraud_warning_rate(history: History) -> Signal:
    """Early fraud warnings / payments, 30 days; share; 0.3 / 0.5 / 0.75 % on the lower bound."""
    if _warnings_unseen(history):
        return unseen("fraud_warning_rate", _NO_WARNINGS, window=days_window(ACTIVITY_DAYS))
    warnings = count(history.last(history.warnings, ACTIVITY_DAYS))
    payments = count(history.last(history.payments, ACTIVITY_DAYS))
    return rate_signal("fraud_warning_rate", warnings, payments, window=days_window(ACTIVITY_DAYS))


def open_warnings(history: History) -> Signal:
    """Warnings that can still be answered by a refund; count. Four in five become disputes if nothing is done."""
    if _warnings_unseen(history):
        return unseen_plain("open_warnings", _OPEN_WARNINGS, "count", _NO_WARNINGS, window=NOW)
    still_open = count(history.warnings[history.warnings["status"] == Status.ACTIONABLE])
    return plain_signal(
        "open_warnings",
        _OPEN_WARNINGS,
        "count",
        float(still_open),
        window=NOW,
        source="docs.stripe.com/disputes/how-disputes-work",
        note=say(
            "About %(number)s of them become disputes if nothing is done.",
            number=figure(f"{ESCALATION * still_open:.0f}"),
        )
        if still_open
        else "",
        numerator=still_open,
    )


_NO_WARNINGS = mark("Early fraud warnings cannot be seen in this data.")
_OPEN_WARNINGS = mark("Open fraud warnings")
_SERVICE = tuple(
    REASONS.index(reason)
    for reason in (
        "credit_not_processed", "product_not_received", "product_unacceptable", "subscription_canceled", "duplicate",
    )
)  # fmt: skip


def _warnings_unseen(history: History) -> bool:
    """A connection is asked for warnings; a file that holds none may come from a source that has none."""
    return history.account is None and not history.warnings.size


def _of_service(reasons: dict[int, int]) -> int:
    return sum(reasons.get(reason, 0) for reason in _SERVICE)
