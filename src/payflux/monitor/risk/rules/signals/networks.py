"""The card networks' monitoring programmes, as far as they can be told from the outside."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from payflux.monitor.processors.codes import Method, Network
from payflux.monitor.risk.rules.history import History, totals
from payflux.monitor.risk.rules.measures import HIDDEN_DISPUTES, rate_signal
from payflux.monitor.risk.rules.networks import Programme, Step, monthly_fine, programme, step_reached
from payflux.monitor.risk.surface import Level, Signal


def vamp(history: History) -> Signal:
    """Visa: (early fraud warnings + disputes of the month) / card-not-present payments of the same month; share.

    0.3 % warns (a share of it is an acquirer's early warning); non-compliant 0.5 % with 5 events is high, excessive
    with its count is critical, as the registry has them on the day. On the lower bound, in the worse of last month and
    this month so far. One fraud can count twice: as a warning and as a dispute.
    """
    phase = programme("vamp", history.as_of.date())
    counted = np.concatenate([history.disputes, history.warnings])
    return _programme_signal("vamp", history, phase, counted)


def ecm(history: History) -> Signal:
    """Mastercard: disputes of the month / payments of the month before; share; 0.75 / 1.0 / 1.5 % on the lower bound.

    Critical needs the programme's count too. A United States account's month of disputes runs from the 5th to the
    5th, as partners report late (Stripe).
    """
    return _programme_signal("ecm", history, programme("ecm", history.as_of.date()), history.disputes)


def programme_fine(history: History, key: str) -> tuple[Programme, Step, int, int] | None:
    """The fined programme `key` puts this account in: phase, step, months in it and fine (0: charged per event)."""
    phase = programme(key, history.as_of.date())
    if phase is None:
        return None
    counted = np.concatenate([history.disputes, history.warnings]) if key == "vamp" else history.disputes
    events, payments, this_month = _by_month(history, phase, counted)
    step, months = None, 0
    for month in range(this_month, this_month - 14, -1):
        base = payments.get(_denominator_month(phase, month), 0)
        reached = step_reached(phase, events.get(month, 0) / base, events.get(month, 0)) if base else None
        identified = reached is not None and reached.name != "non-compliant"
        if identified:
            months += 1
            step = step or reached
        elif month != this_month:
            break
    if step is None:
        return None
    fine = monthly_fine(phase, months)
    return (phase, step, months, fine) if fine or step.fined else None


def _programme_signal(key: str, history: History, phase: Programme | None, counted: np.ndarray) -> Signal:
    if phase is None:
        return rate_signal(key, 0, 0, window="month", note="The programme is not in force on this day.")
    if not (history.payments["network"] == phase.network).any():
        known = (history.payments["network"] != Network.UNKNOWN).any()
        why = f"No payment by {phase.network.name.title()}." if known else "The card network cannot be seen here."
        return rate_signal(key, 0, 0, window="month", note=why)
    events, payments, this_month = _by_month(history, phase, counted)
    found = []
    for month, window in ((this_month - 1, "last calendar month"), (this_month, "month to date")):
        reached, base = events.get(month, 0), payments.get(_denominator_month(phase, month), 0)
        signal = rate_signal(key, reached, base, window=window, note=HIDDEN_DISPUTES)
        found.append(_gated_by_count(signal, phase, reached))
    worse = max(found, key=lambda signal: (signal.level, signal.judged or 0.0))
    needed = phase.steps[-1] if key == "vamp" else phase.steps[0]
    limit = f"{phase.name}: {needed.name} needs {needed.ratio:.1%} and {needed.count:,} events in a month."
    return replace(worse, note=f"{limit} {worse.note}")


def _gated_by_count(signal: Signal, phase: Programme, reached: int) -> Signal:
    """A programme's level needs its count as well as its ratio."""
    critical = phase.steps[0] if phase.key == "ecm" else phase.steps[-1]
    level = signal.level
    if level == Level.CRITICAL and (reached < critical.count or (signal.judged or 0) < critical.ratio):
        level = Level.HIGH
    if level == Level.HIGH and phase.key == "vamp" and reached < phase.steps[0].count:
        level = Level.WARN
    return replace(signal, level=level)


def _by_month(history: History, phase: Programme, counted: np.ndarray) -> tuple[dict[int, int], dict[int, int], int]:
    """Counts of events and payments of the phase's network by month (months since 1970), and the current month.

    Months that the history does not hold whole have no payments: their ratio cannot be said.
    """
    shift = 4 if phase.key == "ecm" and history.account and history.account.country == "US" else 0
    mine = history.payments[history.payments["network"] == phase.network]
    theirs = counted[counted["network"] == phase.network]
    if phase.key == "vamp":
        mine, theirs = (events[events["method"] != Method.CARD_PRESENT] for events in (mine, theirs))
    payments, events = _by_months(mine, 0), _by_months(theirs, shift)
    first = month_of(int(history.payments["day"][0])) if history.payments.size else 0
    payments.pop(first, None)
    return events, payments, month_of(history.today - shift)


def _denominator_month(phase: Programme, month: int) -> int:
    return month if phase.denominator == "same month" else month - 1


def month_of(day: int) -> int:
    """The calendar month of a day, both counted since 1970."""
    return int(np.datetime64(day, "D").astype("datetime64[M]").astype(np.int64))


def _by_months(rows: np.ndarray, shift: int) -> dict[int, int]:
    by_month: dict[int, int] = {}
    for day, events in totals(rows, "day").items():
        month = month_of(day - shift)
        by_month[month] = by_month.get(month, 0) + events
    return by_month
