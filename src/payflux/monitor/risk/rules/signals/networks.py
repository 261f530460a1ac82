"""The card networks' monitoring programmes, held against what can be seen of them from outside."""

from __future__ import annotations

from msgspec.structs import replace

from payflux.kit.messages import mark
from payflux.kit.phrases import figure, joined, say
from payflux.monitor.processors.codes import Status
from payflux.monitor.risk.rules.bands import MINIMUM_EVENTS, MINIMUM_PAYMENTS
from payflux.monitor.risk.rules.history import History, count
from payflux.monitor.risk.rules.measures import (
    HIDDEN_DISPUTES,
    number,
    percent,
    rate_signal,
    too_little,
    unseen,
    value_signal,
)
from payflux.monitor.risk.rules.programmes import (
    Month,
    Programme,
    Step,
    nowcast,
    status,
    step_reached,
)
from payflux.monitor.risk.rules.programmes import Status as ProgrammeStatus
from payflux.monitor.risk.rules.signals.months import NETWORKS, Standing, standing
from payflux.monitor.risk.rules.signals.terms import needs, reported_next
from payflux.monitor.risk.rules.summary import DAY
from payflux.monitor.risk.surface import Level, Signal

AMEX_MONTHS = 3
_RUNNING_MONTH = mark("running month")
_MONTH_BEFORE_UNSEEN = mark("The month before cannot be seen whole.")


def vamp(history: History) -> Signal:
    """Visa: (early fraud warnings + disputes of the month) / card-not-present payments of the same month; share.

    0.3 % warns (a share of it is an acquirer's early warning); non-compliant 0.5 % with 5 events is high, excessive
    with its count is critical, as the registry has them on the day. On the lower bound, in the worse of last month and
    this month so far. One fraud can count twice: as a warning and as a dispute.
    """
    return _ratio_signal("vamp", history)


def vamp_nowcast(history: History) -> Signal:
    """The chance that Visa's running month ends in the programme's fined step; share; 10 / 30 / 60 %.

    Gamma-Poisson on the month's events so far, with the months before as prior and 0.8 of the open warnings as
    disputes to come (module `programmes.nowcast`). The interval is the note's, of the ratio at the month's end.
    """
    found = standing(history, "vamp")
    if isinstance(found, str):
        return unseen("vamp_nowcast", found, window=_RUNNING_MONTH)
    step = next((step for step in reversed(found.phase.steps) if step.enrols), None)
    if step is None:
        return unseen("vamp_nowcast", mark("No step of the programme is fined on this day."), window=_RUNNING_MONTH)
    month, before = found.months[-1], found.months[-4:-1]
    waiting = history.warnings[history.warnings["status"] == Status.ACTIONABLE]
    earlier = sum(m.vamp_events for m in before), sum(m.payments for m in before)
    end = nowcast(
        step,
        events=month.vamp_events,
        payments=month.payments,
        days_elapsed=found.elapsed / DAY,
        days_in_month=found.length // DAY,
        earlier_events=earlier[0],
        earlier_payments=earlier[1],
        open_warnings=count(waiting[waiting["network"] == NETWORKS["vamp"]]),
        expected_payments=found.expected_payments,
    )
    if end is None:
        return unseen("vamp_nowcast", mark("No payment is expected this month."), window=_RUNNING_MONTH)
    gate = too_little(month.vamp_events + earlier[0], month.payments + earlier[1])
    note = say(
        "Expected at the month's end: %(events)s events on %(payments)s payments, %(share)s (80 %% interval %(low)s to "
        "%(high)s); %(step)s from %(limit)s events.",
        events=figure(f"{end.events:.0f}"),
        payments=number(end.payments),
        share=percent(end.ratio),
        low=percent(end.ratio_low),
        high=percent(end.ratio_high),
        step=step.name,
        limit=number(end.limit),
    )
    return value_signal(
        "vamp_nowcast",
        end.probability,
        None if gate else end.probability,
        window=_RUNNING_MONTH,
        note=joined(" ", (gate, note)),
        numerator=month.vamp_events,
        denominator=month.payments,
    )


def ecm(history: History) -> Signal:
    """Mastercard: disputes of the month / payments of the month before; share; 0.75 / 1.0 / 1.5 % with 100 disputes.

    On the lower bound, in the worse of last month and this month so far. HECM (3 % and 300) is the same programme's
    next step. Disputes of an account in the United States are counted from the 5th to the 5th (Stripe).
    """
    return _ratio_signal("ecm", history)


def efm(history: History) -> Signal:
    """Mastercard's fraud programme: how far into it a month is; ratio; 0.5 / 0.8 / 1 of its limits.

    The smaller of two shares: fraud disputes' amount / its limit (50,000 USD or EUR; in Australia 15,000), and fraud
    disputes / payments of the month before / its limit (0.50 %; 0.20 %). In the worse of last month and this one so
    far; critical when every condition holds. Not judged above the limit for 3-D Secure or below 1,000 payments, where
    the programme does not apply.
    """
    found = standing(history, "efm")
    if isinstance(found, str):
        return unseen("efm", found, window="month")
    if found.months[-1].fraud_dispute_amount is None:
        code = history.currency_code.upper()
        return unseen("efm", say("Its limit is in USD or EUR and sales settle in %(code)s.", code=code), window="month")
    step = found.phase.steps[-1]
    signals = [
        _efm_of(step, month, previous, _window(found, month))
        for previous, month in found.pairs[-2:]
        if previous is not None
    ]
    if not signals:
        return unseen("efm", _MONTH_BEFORE_UNSEEN, window="month")
    return _noted(
        history,
        _worst(signals),
        found.phase,
        joined(" ", (say("EFM needs %(needs)s.", needs=needs(step)), HIDDEN_DISPUTES)),
    )


def amex(history: History) -> Signal:
    """American Express: disputes less won ones / payments less refunded ones, by month; share; 0.7 / 0.9 / 1.0 %.

    The smallest of the last three months, the running one among them, as the programme asks for three in a row; on
    the lower bound. At most a warning: the rule is only reported by others (chargebackgurus.com, support.paya.com).
    """
    found = standing(history, "amex")
    if isinstance(found, str):
        return unseen("amex", found, window=say("last %(months)s months", months=AMEX_MONTHS))
    months = found.months[-AMEX_MONTHS:]
    window = say("best of the last %(months)s months", months=AMEX_MONTHS)
    if len(months) < AMEX_MONTHS:
        return unseen("amex", mark("Three months in a row cannot be seen yet."), window=window)
    signals = [rate_signal("amex", month.net_disputes, month.net_payments, window=window) for month in months]
    least = min(signals, key=lambda signal: (-1.0 if signal.judged is None else signal.judged, signal.value or 0.0))
    step = found.phase.steps[-1]
    text = say(
        "%(programme)s: %(step)s is %(needs)s.",
        programme=found.phase.name,
        step=step.name,
        needs=needs(step, found.phase),
    )
    return _noted(history, _capped(least, found.phase, Level.CRITICAL), found.phase, text)


def programme_status(found: Standing, key: str, country: str) -> ProgrammeStatus | None:
    """Where the account stands in programme `key`: in the last whole month or in the running one, the dearer."""
    last = status(key, found.months[:-1], country)
    running = status(key, found.months, country, running=True)
    return max((s for s in (running, last) if s is not None), key=lambda s: s.fine[1], default=None)


def _ratio_signal(key: str, history: History) -> Signal:
    found = standing(history, key)
    if isinstance(found, str):
        return unseen(key, found, window="month")
    phase, signals = found.phase, []
    for previous, month in found.pairs[-2:]:
        events, base = month.get(phase.counted, previous), month.get(phase.base, previous)
        if base is not None and events is not None:
            signal = rate_signal(key, events, base, window=_window(found, month))
            signals.append(_capped(signal, phase, _cap(phase, month, previous)))
    if not signals:
        return unseen(key, _MONTH_BEFORE_UNSEEN, window="month")
    step = phase.steps[-1] if key == "vamp" else phase.steps[0]
    asked = say("%(programme)s: %(step)s needs %(needs)s.", programme=phase.name, step=step.name, needs=needs(step))
    return _noted(history, _worst(signals), phase, joined(" ", (asked, HIDDEN_DISPUTES)))


def _cap(phase: Programme, month: Month, previous: Month | None) -> Level:
    """The worst level that the steps reached allow: a programme's level needs its count as well as its ratio."""
    reached = step_reached(phase, month, previous)
    if reached is not None and reached.enrols:
        return Level.CRITICAL
    only_warns = any(not step.enrols for step in phase.steps)
    return Level.HIGH if reached is not None or not only_warns else Level.WARN


def _capped(signal: Signal, phase: Programme, cap: Level) -> Signal:
    """The signal at most at `cap`, and at most a warning where the rule is not a processor's own statement."""
    return replace(signal, level=min(signal.level, cap if phase.sets_tier else Level.WARN))


def _efm_of(step: Step, month: Month, previous: Month, window: str) -> Signal:
    shares, applies = [], True
    for condition in step.conditions:
        value, needed = month.get(condition.quantity, previous), condition.needed(month, previous)
        if condition.quantity in ("fraud_dispute_amount", "fraud_disputes"):
            shares.append(value / needed if value is not None and needed else 0.0)
        elif condition.holds(month, previous) is False:
            applies = False
    share = min(shares)
    few = month.fraud_disputes < MINIMUM_EVENTS or previous.payments < MINIMUM_PAYMENTS
    signal = value_signal(
        "efm", share, None if few else share, window=window, numerator=month.fraud_disputes,
        denominator=previous.payments, note=too_little(month.fraud_disputes, previous.payments),
    )  # fmt: skip
    reached = all(condition.holds(month, previous) for condition in step.conditions)
    cap = Level.CRITICAL if reached else Level.HIGH if applies else Level.OK
    return replace(signal, level=min(signal.level, cap))


def _worst(signals: list[Signal]) -> Signal:
    return max(signals, key=lambda signal: (signal.level, signal.judged or 0.0))


def _window(found: Standing, month: Month) -> str:
    return mark("month to date") if month is found.months[-1] else mark("last calendar month")


def _noted(history: History, signal: Signal, phase: Programme, text: str) -> Signal:
    return replace(signal, note=joined(" ", (text, signal.note, reported_next(history, phase))))
