"""What each reason says to a merchant, with number, window and basis, and what lowers it."""

from __future__ import annotations

import math
from collections.abc import Callable

from payflux.monitor.risk.rules.bands import BANDINGS, MINIMUM_EVENTS
from payflux.monitor.risk.rules.measures import counted, money, percent
from payflux.monitor.risk.rules.statistics import settle
from payflux.monitor.risk.surface import Level, Signal

_RATES = {
    "dispute_activity": ("disputes", "payments", "processors are widely reported to act from 0.75 %"),
    "fraud_warning_rate": (
        "early fraud warnings",
        "payments",
        "four in five become disputes when nothing is done",
    ),
    "vamp": ("fraud warnings and disputes", "Visa payments", "Visa looks at this ratio in each month"),
    "ecm": ("disputes", "Mastercard payments", "Mastercard looks at this ratio in each month"),
    "amex": ("disputes not won", "payments", "American Express looks at three months in a row"),
    "radar_mix": ("payments rated elevated or highest", "rated payments", "they are likelier to be fraud"),
    "card_testing": ("declines", "attempts", "bursts like this look like card testing"),
}

_PART_OF_BASE = ("card_testing", "radar_mix")
"""Rates whose events stand below the line as well."""

_LOWERS = {
    "vamp": "Resolve disputes before they are filed (RDR, Ethoca): a refund alone does not take a fraud report back.",
    "ecm": "Answer customers before they go to their bank: Mastercard counts refunded and won disputes too.",
    "card_testing": "Turn on a challenge or rate limit at checkout and block repeated small attempts.",
    "vamp_nowcast": "Resolve disputes before they are filed, and keep new fraud reports away with 3-D Secure.",
    "efm": "Ask for 3-D Secure: above its limit of authenticated payments the programme does not apply.",
    "amex": "Answer American Express's inquiries before they become disputes, and contest those that are wrong.",
    "dispute_activity": "Refund doubtful payments before they are disputed.",
    "radar_mix": "Block or challenge what the processor rates highest.",
    "undelivered": "Deliver sooner, or charge when the goods leave.",
    "ticket_concentration": "Tell the processor of large orders before they come.",
    "largest_customer": "Show the processor the contract with the largest customer.",
    "tenure": "Time alone lowers it; a record of sales elsewhere may stand in.",
    "payout_delay": "Ask the processor why payouts are later; it may be a restriction.",
    "fraud_warning_rate": "Refund payments with an open warning, and ask for 3-D Secure on risky ones.",
    "ultimate_dispute_rate": "Refund doubtful recent payments now: their disputes have not arrived yet.",
    "refund_rate": "Find the product or promise that customers send back; fewer refunds leave more covered.",
    "growth": "Tell the processor before a launch or a campaign, so that it expects the growth.",
    "ticket_drift": "If prices changed, tell the processor and update the description of the business.",
    "coverage": "Keep more in the balance: pay out less often until open disputes and refunds have passed.",
    "payout_failures": "Check the bank account that payouts go to.",
    "payout_gap": "Ask the processor why payouts stopped; check the payout schedule.",
    "observed_reserve": "Ask the processor for the reserve's terms and its review date.",
    "account_state": "Hand in what the processor asks for, in its dashboard.",
}


_FINDINGS: dict[str, Callable[[Signal, float, str], str]] = {
    "ultimate_dispute_rate": lambda signal, value, _: (
        f"About {percent(value)} of the payments of the last weeks will end as disputes once late ones are in; "
        f"{signal.numerator:,} have arrived. The level is set on a careful bound, {percent(signal.judged or 0)}."
    ),
    "vamp_nowcast": lambda signal, value, _: (
        f"The chance that this month ends in Visa's programme is {percent(value, 0)}. {signal.note}"
    ),
    "efm": lambda signal, value, window: (
        f"{signal.numerator:,} fraud disputes {window} are {percent(value, 0)} of Mastercard's fraud limits."
    ),
    "refund_rate": lambda signal, value, window: (
        f"{percent(value, 1)} of sales {window} were refunded"
        + (f". {signal.note}" if signal.note else f"; from {percent(_crossed(signal), 0)} it stands out.")
    ),
    "growth": lambda _, value, __: (
        f"Sales of the last 7 days are {percent(value, 0)} over the usual week of the 8 before."
    ),
    "ticket_drift": lambda _, value, __: (
        f"The usual ticket of the last 7 days is {percent(abs(math.expm1(value)), 0)} "
        f"{'larger' if value > 0 else 'smaller'} than in 60 days."
    ),
    "coverage": lambda signal, value, _: (
        f"{signal.note} It covers nothing of what is expected to be disputed and refunded."
        if signal.note
        else f"The balance covers {value:.1f} times what is expected to be disputed and refunded."
    ),
    "payout_failures": lambda signal, _, window: f"Failed or canceled {window}: {counted(signal.numerator, 'payout')}.",
    "payout_gap": lambda signal, value, _: f"The last payout is {value:.1f} times the usual gap ago. {signal.note}",
    "payout_delay": lambda signal, value, _: f"Payouts come {value:g} days later than usual. {signal.note}",
    "observed_reserve": lambda _, value, __: (
        f"The processor holds a reserve: {percent(value, 1)} of the sales of the last 30 days were held back."
        if value
        else "The processor still holds back money of earlier sales, and nothing of the last 30 days'."
    ),
    "undelivered": lambda signal, value, __: (
        f"{percent(value, 0)} of a month's sales is paid and taken to be not delivered yet. {signal.note}".rstrip()
    ),
    "ticket_concentration": lambda _, value, window: (
        f"The largest 1 % of payments make {percent(value, 0)} of the sales {window}."
    ),
    "largest_customer": lambda _, value, window: f"One customer makes {percent(value, 0)} of the sales {window}.",
    "tenure": lambda _, value, __: (
        f"The first sale was {value:.0f} days ago: a young business is watched more closely."
    ),
}
"""What a signal found, by its key, from the signal, its value and its window in words."""


def sentence(signal: Signal) -> str:
    """The signal's finding as one sentence."""
    window = f"in the {signal.window}" if signal.window.startswith(("last", "month", "best")) else f"({signal.window})"
    if signal.key in _RATES:
        events, base, why = _RATES[signal.key]
        bounds = f"{percent(signal.low or 0)} to {percent(signal.high or 0)}".replace(" %", "", 1)
        if signal.key == "ecm":
            base += " of the month before"
        return (
            f"{signal.numerator:,} {events} on {signal.denominator:,} {base} {window} is {percent(signal.value or 0)} "
            f"(80 % interval {bounds}); {why}."
        )
    finding = _FINDINGS.get(signal.key)
    return finding(signal, signal.value or 0.0, window) if finding else signal.note


def lowers(signal: Signal, currency: str, open_warnings: int) -> str:
    """What would take the reason away, with how much of it where that can be counted. `currency` is ISO 4217."""
    hint = _LOWERS[signal.key]
    if signal.key == "dispute_activity" and open_warnings:
        hint = f"Refund the {counted(open_warnings, 'open fraud warning')} first."
    return f"{_by_how_much(signal, currency)}{hint}"


def _by_how_much(signal: Signal, currency: str) -> str:
    limit = _crossed(signal)
    if signal.key in _RATES:
        events, _, _ = _RATES[signal.key]
        most = max(_most_below(signal, limit), MINIMUM_EVENTS - 1)
        gated = most == MINIMUM_EVENTS - 1 and _share_of(signal, most) >= limit
        reached = "leave too few to judge it by" if gated else f"bring it below {percent(limit)}"
        return f"{signal.numerator - most:,} fewer of the {events} here would {reached}. "
    if signal.key == "coverage":
        lacking = math.ceil(limit * signal.denominator) - signal.numerator
        return f"{money(lacking, currency)} more would cover {limit:g} times. " if lacking > 0 else ""
    if signal.key == "refund_rate" and (signal.value or 0.0) >= limit:
        fewer = signal.numerator - math.ceil(limit * signal.denominator) + 1
        return f"{money(fewer, currency)} less in refunds would bring it below {percent(limit, 0)}. "
    return ""


def _most_below(signal: Signal, limit: float) -> int:
    """The most events of which the share itself, as networks and processors look at it, is below `limit`."""
    low, high = 0, signal.numerator
    while high - low > 1:
        events = (low + high) // 2
        low, high = (events, high) if _share_of(signal, events) < limit else (low, events)
    return low


def _share_of(signal: Signal, events: int) -> float:
    """The share that `events` would be, were they all; those that are a part of the base leave it too."""
    gone = signal.numerator - events if signal.key in _PART_OF_BASE else 0
    return events / (signal.denominator - gone)


def crossed_threshold(signal: Signal) -> float | None:
    """The threshold of the level that the signal stands at; None when it is at none."""
    return _crossed(signal) if signal.level >= Level.WARN else None


def distance(signal: Signal) -> float | None:
    """How far the number that was judged is beyond the threshold of its level, in the signal's unit."""
    if signal.judged is None or signal.level < Level.WARN:
        return None
    beyond = signal.judged - _crossed(signal)
    return settle(-beyond if BANDINGS[signal.key].falling else beyond)


def _crossed(signal: Signal) -> float:
    return BANDINGS[signal.key].thresholds[signal.level - 1]
