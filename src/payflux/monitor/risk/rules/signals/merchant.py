"""The merchant: how long it has been selling, and on how few sales and customers it rests."""

from __future__ import annotations

import numpy as np

from payflux.kit.messages import mark
from payflux.kit.phrases import figure, say
from payflux.monitor.risk.rules.history import History, count
from payflux.monitor.risk.rules.measures import (
    NOW,
    SHOWN_ONLY,
    at_most,
    days_window,
    few,
    payments_counted,
    percent,
    plain_signal,
    unseen,
    unseen_plain,
    value_signal,
)
from payflux.monitor.risk.rules.summary import DAY
from payflux.monitor.risk.surface import Level, Signal

MINIMUM_PAYMENTS = 100
"""Payments that a share of the largest one per cent, or of one customer, needs."""

MINIMUM_KNOWN = 0.5
"""Share of sales that must name their customer. Assumed."""


def tenure(history: History) -> Signal:
    """Days since the first sale seen, or since the account was opened if that is earlier; days; under 90 warns.

    PayPal names "time in business" among what sets a reserve; Stripe has an indicator of it. A short history is no
    trouble of its own: it raises a low tier to 2, no further. Not judged where the account's opening is not known, as
    the history may begin later than the business.
    """
    first = int(history.payments["day"][0]) if history.payments.size else None
    created = history.account.created_at if history.account else None
    opened = int(created.timestamp()) // DAY if created else None
    known = [day for day in (first, opened) if day is not None]
    if not known:
        return unseen("tenure", mark("No sale is seen, and when the account was opened is not known."))
    days = max(0, history.today - min(known))
    note = "" if opened is not None else mark("At least: when the account was opened is not known.")
    signal = value_signal("tenure", days, days if opened is not None else None, window=NOW, note=note)
    return at_most(signal, Level.WARN)


def largest_customer(history: History) -> Signal:
    """The largest customer's share of the sales to known customers, window; share; 20 / 35 / 50 %. Gated at 100.

    Stripe's indicator of concentration; bands are PayFlux's. Sales in the main currency.
    """
    customers = history.summary.customers
    if why := _customers_unseen(history):
        return unseen("largest_customer", why, window=days_window(history.window_days))
    share = customers.largest / customers.volume
    return value_signal(
        "largest_customer",
        share,
        share,
        window=days_window(history.window_days),
        numerator=customers.largest,
        denominator=customers.volume,
        basis_unit="money",
    )


def customer_concentration(history: History) -> Signal:
    """Herfindahl's index of sales over known customers, window: Σ share²; share. Shown only. 1 is a single customer."""
    label, window = mark("Concentration of customers"), days_window(history.window_days)
    if why := _customers_unseen(history):
        return unseen_plain("customer_concentration", label, "rate", why, window=window)
    customers = history.summary.customers
    index = customers.squares / customers.volume**2
    note = say("As concentrated as %(number)s customers of one size.", number=figure(f"{1 / index:.0f}"))
    return plain_signal("customer_concentration", label, "rate", index, window=window, source=SHOWN_ONLY, note=note)


def ticket_concentration(history: History) -> Signal:
    """The largest 1 % of payments / all sales of the window, in the main currency; share; 20 / 35 / 50 %.

    From 100 payments on. Stripe's indicator of concentration; bands are PayFlux's.
    """
    window = days_window(history.window_days)
    tickets = history.in_currency(history.summary.tickets)
    payments, volume = count(tickets), int(tickets["settled"].sum())
    if payments < MINIMUM_PAYMENTS or volume <= 0:
        return unseen("ticket_concentration", _too_few(payments), window=window)
    order = np.argsort(-tickets["ticket"], kind="stable")
    counts, amounts = tickets["count"][order], tickets["settled"][order]
    left, largest = payments // 100, 0
    for number, amount in zip(counts.tolist(), amounts.tolist(), strict=True):
        taken = min(left, number)
        largest += amount * taken // number
        left -= taken
        if not left:
            break
    return value_signal(
        "ticket_concentration",
        largest / volume,
        largest / volume,
        window=window,
        numerator=largest,
        denominator=volume,
        basis_unit="money",
    )


def _customers_unseen(history: History) -> str:
    known = history.summary.customers.volume
    sold = history.last(history.payments, history.window_days)
    volume = history.volume(sold)
    if known <= 0:
        return mark("The customers cannot be seen in this data.")
    if count(sold) < MINIMUM_PAYMENTS:
        return _too_few(count(sold))
    if known < MINIMUM_KNOWN * volume:
        return say("Only %(share)s of the sales name their customer.", share=percent(known / volume, 0))
    return ""


def _too_few(payments: int) -> str:
    return few(payments_counted(payments), MINIMUM_PAYMENTS)
