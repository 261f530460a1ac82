"""Money: what covers the losses to come, reserves in force, and payouts."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from payflux.kit.messages import mark
from payflux.kit.phrases import counted, figure, say
from payflux.monitor.processors.codes import Status
from payflux.monitor.risk.rules.bands import MINIMUM_PAYMENTS
from payflux.monitor.risk.rules.exposure import balance_in_all, debt, outlook
from payflux.monitor.risk.rules.exposure import coverage as covered
from payflux.monitor.risk.rules.history import History, count
from payflux.monitor.risk.rules.holds import open_holds, reserve_rate
from payflux.monitor.risk.rules.measures import NOW, at_most, days_window, unseen, value_signal
from payflux.monitor.risk.rules.statistics import median
from payflux.monitor.risk.surface import Level, Signal

MINIMUM_PAYOUTS = 5
MONTH = 30
_SCHEDULE_DAYS = {"daily": 1, "weekly": 7, "monthly": 31}


def observed_reserve(history: History) -> Signal:
    """Amount held back of the last 30 days' sales / those sales; share; any / over 10 / over 25 %. Open holds warn.

    Judged to a tenth of a percent, as every hold is rounded to the cent.
    """
    held = open_holds(history).open_at(history.now)
    rate = reserve_rate(history)
    signal = value_signal(
        "observed_reserve",
        rate,
        round(rate, 3),
        window=days_window(30),
        numerator=held,
        basis_unit="money",
        note=mark("Holds are open.") if held else mark("No reserve is seen."),
    )
    return replace(signal, level=Level.WARN) if held and signal.level == Level.OK else signal


def coverage(history: History) -> Signal:
    """(available + pending + reserved) / (chargebacks and refunds to come + open cases); ratio; 2 / 1 / 0.5.

    Critical only when the balance as a whole, available and pending, is negative: a single reading swings with the
    payout schedule, so that a low one stops at high. Adyen's coverage against exposure.
    """
    funds = covered(history)
    if funds is None:
        return unseen("coverage", mark("The balance cannot be seen in this data."))
    owed = debt(history)
    losses = outlook(history).expected_losses + owed
    if not losses:
        return value_signal("coverage", None, None, window=NOW, note=mark("No loss is expected."))
    ratio = max(0.0, funds / losses)
    overdrawn = balance_in_all(history) < 0
    signal = value_signal(
        "coverage",
        ratio,
        0.0 if overdrawn else ratio,
        window=NOW,
        note=mark("The balance is negative.") if overdrawn else "",
        numerator=funds,
        denominator=losses,
        basis_unit="money",
    )
    return signal if overdrawn else replace(signal, level=min(signal.level, Level.HIGH))


def payout_failures(history: History) -> Signal:
    """Payouts that failed or were canceled, 30 days; count; 1 / 2 / 3."""
    if not history.payouts.size:
        return unseen("payout_failures", mark("Payouts cannot be seen in this data."), window=days_window(30))
    payouts = history.last(history.payouts, 30)
    broken = count(payouts[(payouts["status"] == Status.FAILED) | (payouts["status"] == Status.CANCELED)])
    return value_signal(
        "payout_failures", broken, broken, window=days_window(30), numerator=broken, denominator=count(payouts)
    )


def payout_gap(history: History) -> Signal:
    """Days since the last payout / the longest usual gap; ratio; 1.5 / 2 / 3.

    The usual gap is the schedule's, or the longest one in the window before, so that weekends and holidays are not
    called a stop. Not judged for manual payouts or fewer than five payouts.
    """
    window = mark("since the last payout")
    if history.account and history.account.payout_interval == "manual":
        return unseen("payout_gap", mark("Payouts are made by hand."), window=window)
    payouts = history.last(history.payouts, history.window_days)
    moving = payouts[(payouts["status"] == Status.SUCCEEDED) | (payouts["status"] == Status.PENDING)]
    days = np.unique(moving["day"])
    if count(moving) < MINIMUM_PAYOUTS or days.size < 2:
        return unseen("payout_gap", mark("Insufficient evidence: fewer than five payouts."), window=window)
    scheduled = _SCHEDULE_DAYS.get(history.account.payout_interval, 1) if history.account else 1
    usual = max(scheduled, int(np.diff(days).max()))
    ratio = (history.today - int(days[-1])) / usual
    note = say("The usual gap is %(days)s days.", days=usual)
    return value_signal("payout_gap", ratio, ratio, window=window, note=note)


def payout_delay(history: History) -> Signal:
    """Days by which payouts are later than usual: the schedule's delay now less its median in earlier readouts; days.

    2 / 5 / 10. Earlier readouts of 90 days. A delay raised without a word is a quiet restriction (Stripe's
    `settings.payouts.schedule.delay_days`).
    """
    window = mark("now against the readouts of 90 days")
    delay = history.account.payout_delay_days if history.account else None
    if delay is None:
        return unseen("payout_delay", mark("The payout schedule cannot be seen in this data."), window=window)
    earlier = [readout.payout_delay_days for readout in history.earlier if readout.as_of < history.as_of]
    known = [days for days in earlier if days is not None]
    if not known:
        return unseen("payout_delay", mark("No earlier readout says what the delay was."), window=window)
    usual = median(known)
    note = say("%(now)s days now, %(usual)s usual.", now=delay, usual=figure(f"{usual:g}"))
    return value_signal("payout_delay", delay - usual, delay - usual, window=window, note=note)


def undelivered(history: History) -> Signal:
    """Sales paid and not delivered yet / mean sales of 30 days; ratio; 0.25 / 0.5 / 1.0. Adyen: fulfilment exposure.

    A sale is taken to be delivered evenly over a week (module `exposure`; assumed, as no delivery is stored), so this
    follows how much of the sales is recent. The mean is over the days since the first sale of the window, 30 at least.
    While fewer days are known nearly all sales are recent, whatever the merchant does: that warns, no more.
    """
    sales = history.in_currency(history.last(history.payments, history.window_days))
    volume = int(sales["settled"].sum())
    if count(sales) < MINIMUM_PAYMENTS or volume <= 0:
        why = say("Insufficient evidence: %(least)s payments are needed.", least=MINIMUM_PAYMENTS)
        return unseen("undelivered", why)
    known = history.today - int(sales["day"][0]) + 1
    waiting, month = outlook(history).undelivered, volume * 30 // max(MONTH, known)
    signal = value_signal(
        "undelivered",
        waiting / month,
        waiting / month,
        window=NOW,
        numerator=waiting,
        denominator=month,
        basis_unit="money",
        note=""
        if known >= MONTH
        else counted(
            known,
            "Of %(count)s day of sales that are known: a warning at most.",
            "Of %(count)s days of sales that are known: a warning at most.",
        ),
    )
    return signal if known >= MONTH else at_most(signal, Level.WARN)
