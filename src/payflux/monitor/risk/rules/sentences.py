"""What each reason says to a merchant, with number, window and basis, and what lowers it."""

from __future__ import annotations

import math

from payflux.monitor.risk.rules.bands import BANDINGS
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
    "card_testing": ("declines", "attempts", "bursts like this look like card testing"),
}

_LOWERS = {
    "vamp": "Resolve disputes before they are filed (RDR, Ethoca): a refund alone does not take a fraud report back.",
    "ecm": "Answer customers before they go to their bank: Mastercard counts refunded and won disputes too.",
    "card_testing": "Turn on a challenge or rate limit at checkout and block repeated small attempts.",
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


def percent(share: float, digits: int = 2) -> str:
    return f"{100 * share:.{digits}f} %"


def sentence(signal: Signal) -> str:
    """The signal's finding as one sentence."""
    window = f"in the {signal.window}" if signal.window.startswith(("last", "month")) else f"({signal.window})"
    if signal.key in _RATES:
        events, base, why = _RATES[signal.key]
        bounds = f"{percent(signal.low or 0)} to {percent(signal.high or 0)}".replace(" %", "", 1)
        if signal.key == "ecm":
            base += " of the month before"
        return (
            f"{signal.numerator:,} {events} on {signal.denominator:,} {base} {window} is {percent(signal.value or 0)} "
            f"(80 % interval {bounds}); {why}."
        )
    value = signal.value or 0.0
    match signal.key:
        case "ultimate_dispute_rate":
            return (
                f"About {percent(value)} of the payments of the last weeks will end as disputes once late ones are in "
                f"(at least {percent(signal.judged or 0)}); {signal.numerator:,} have arrived."
            )
        case "refund_rate":
            return f"{percent(value, 1)} of sales {window} were refunded; from {_threshold(signal)} it stands out."
        case "growth":
            return f"Sales of the last 7 days are {percent(value, 0)} over the usual week of the 8 before."
        case "ticket_drift":
            way = "larger" if value > 0 else "smaller"
            return f"The usual ticket of the last 7 days is {percent(abs(math.expm1(value)), 0)} {way} than in 60 days."
        case "coverage":
            if signal.note:
                return f"{signal.note} It covers nothing of what is expected to be disputed and refunded."
            return f"The balance covers {value:.1f} times what is expected to be disputed and refunded."
        case "payout_failures":
            return f"{signal.numerator} payouts failed or were canceled {window}."
        case "payout_gap":
            return f"The last payout is {value:.1f} times the usual gap ago. {signal.note}"
        case "observed_reserve":
            return (
                f"The processor holds a reserve: {percent(value, 1)} of the sales of the last 30 days were held back."
            )
    return signal.note


def lowers(signal: Signal, open_warnings: int) -> str:
    """What would take the reason away."""
    if signal.key != "dispute_activity":
        return _LOWERS[signal.key]
    threshold = _crossed(signal)
    limit = math.ceil(threshold * signal.denominator - 1e-9)
    text = f"Below {limit:,} disputes on this volume it is no longer {_NAMES[signal.level]}"
    if open_warnings:
        plural = "" if open_warnings == 1 else "s"
        return f"{text}: refund the {open_warnings:,} open fraud warning{plural} first."
    return f"{text}: refund doubtful payments before they are disputed."


_NAMES = {Level.WARN: "worth a warning", Level.HIGH: "high", Level.CRITICAL: "critical"}


def crossed_threshold(signal: Signal) -> float | None:
    """The threshold of the level that the signal stands at; None when it is at none."""
    return _crossed(signal) if signal.level >= Level.WARN else None


def _crossed(signal: Signal) -> float:
    return BANDINGS[signal.key].thresholds[signal.level - 1]


def _threshold(signal: Signal) -> str:
    return percent(_crossed(signal), 0)
