"""What each reason says to a merchant, with number, window and basis, and what lowers it."""

from __future__ import annotations

import math
from collections.abc import Callable

from payflux.kit.messages import mark
from payflux.kit.phrases import counted, figure, joined, say
from payflux.monitor.risk.rules.bands import BANDINGS, MINIMUM_EVENTS
from payflux.monitor.risk.rules.measures import money, number, percent
from payflux.monitor.risk.rules.statistics import settle
from payflux.monitor.risk.surface import Level, Signal

_RATES = {
    "dispute_activity": mark(
        "%(events)s disputes on %(base)s payments %(window)s is %(share)s (80 %% interval %(low)s to %(high)s); "
        "processors are widely reported to act from 0.75 %%."
    ),
    "fraud_warning_rate": mark(
        "%(events)s early fraud warnings on %(base)s payments %(window)s is %(share)s (80 %% interval %(low)s to "
        "%(high)s); four in five become disputes when nothing is done."
    ),
    "vamp": mark(
        "%(events)s fraud warnings and disputes on %(base)s Visa payments %(window)s is %(share)s (80 %% interval "
        "%(low)s to %(high)s); Visa looks at this ratio in each month."
    ),
    "ecm": mark(
        "%(events)s disputes on %(base)s Mastercard payments of the month before %(window)s is %(share)s (80 %% "
        "interval %(low)s to %(high)s); Mastercard looks at this ratio in each month."
    ),
    "amex": mark(
        "%(events)s disputes not won on %(base)s payments %(window)s is %(share)s (80 %% interval %(low)s to "
        "%(high)s); American Express looks at three months in a row."
    ),
    "radar_mix": mark(
        "%(events)s payments rated elevated or highest on %(base)s rated payments %(window)s is %(share)s (80 %% "
        "interval %(low)s to %(high)s); they are likelier to be fraud."
    ),
    "card_testing": mark(
        "%(events)s declines on %(base)s attempts %(window)s is %(share)s (80 %% interval %(low)s to %(high)s); bursts "
        "like this look like card testing."
    ),
}
_EVENTS = {
    "dispute_activity": mark("disputes"),
    "fraud_warning_rate": mark("early fraud warnings"),
    "vamp": mark("fraud warnings and disputes"),
    "ecm": mark("disputes"),
    "amex": mark("disputes not won"),
    "radar_mix": mark("payments rated elevated or highest"),
    "card_testing": mark("declines"),
}
"""What the rates count."""

_PART_OF_BASE = ("card_testing", "radar_mix")
"""Rates whose events stand below the line as well."""

_LOWERS = {
    "vamp": mark(
        "Resolve disputes before they are filed (RDR, Ethoca): a refund alone does not take a fraud report back."
    ),
    "ecm": mark("Answer customers before they go to their bank: Mastercard counts refunded and won disputes too."),
    "card_testing": mark("Turn on a challenge or rate limit at checkout and block repeated small attempts."),
    "vamp_nowcast": mark("Resolve disputes before they are filed, and keep new fraud reports away with 3-D Secure."),
    "efm": mark("Ask for 3-D Secure: above its limit of authenticated payments the programme does not apply."),
    "amex": mark("Answer American Express's inquiries before they become disputes, and contest those that are wrong."),
    "dispute_activity": mark("Refund doubtful payments before they are disputed."),
    "radar_mix": mark("Block or challenge what the processor rates highest."),
    "undelivered": mark("Deliver sooner, or charge when the goods leave."),
    "ticket_concentration": mark("Tell the processor of large orders before they come."),
    "largest_customer": mark("Show the processor the contract with the largest customer."),
    "tenure": mark("Time alone lowers it; a record of sales elsewhere may stand in."),
    "payout_delay": mark("Ask the processor why payouts are later; it may be a restriction."),
    "fraud_warning_rate": mark("Refund payments with an open warning, and ask for 3-D Secure on risky ones."),
    "ultimate_dispute_rate": mark("Refund doubtful recent payments now: their disputes have not arrived yet."),
    "refund_rate": mark("Find the product or promise that customers send back; fewer refunds leave more covered."),
    "growth": mark("Tell the processor before a launch or a campaign, so that it expects the growth."),
    "ticket_drift": mark("If prices changed, tell the processor and update the description of the business."),
    "coverage": mark("Keep more in the balance: pay out less often until open disputes and refunds have passed."),
    "payout_failures": mark("Check the bank account that payouts go to."),
    "payout_gap": mark("Ask the processor why payouts stopped; check the payout schedule."),
    "observed_reserve": mark("Ask the processor for the reserve's terms and its review date."),
    "account_state": mark("Hand in what the processor asks for, in its dashboard."),
}


_FINDINGS: dict[str, Callable[[Signal, float, str], str]] = {
    "ultimate_dispute_rate": lambda signal, value, _: say(
        "About %(share)s of the payments of the last weeks will end as disputes once late ones are in; %(seen)s have "
        "arrived. The level is set on a careful bound, %(bound)s.",
        share=percent(value),
        seen=number(signal.numerator),
        bound=percent(signal.judged or 0),
    ),
    "vamp_nowcast": lambda signal, value, _: joined(
        " ",
        (
            say("The chance that this month ends in Visa's programme is %(share)s.", share=percent(value, 0)),
            signal.note,
        ),
    ),
    "efm": lambda signal, value, window: say(
        "%(events)s fraud disputes %(window)s are %(share)s of Mastercard's fraud limits.",
        events=number(signal.numerator),
        window=window,
        share=percent(value, 0),
    ),
    "refund_rate": lambda signal, value, window: (
        joined(
            " ",
            (
                say("%(share)s of sales %(window)s were refunded.", share=percent(value, 1), window=window),
                signal.note,
            ),
        )
        if signal.note
        else say(
            "%(share)s of sales %(window)s were refunded; from %(limit)s it stands out.",
            share=percent(value, 1),
            window=window,
            limit=percent(_crossed(signal), 0),
        )
    ),
    "growth": lambda _, value, __: say(
        "Sales of the last 7 days are %(share)s over the usual week of the 8 before.", share=percent(value, 0)
    ),
    "ticket_drift": lambda _, value, __: say(
        mark("The usual ticket of the last 7 days is %(share)s larger than in 60 days.")
        if value > 0
        else mark("The usual ticket of the last 7 days is %(share)s smaller than in 60 days."),
        share=percent(abs(math.expm1(value)), 0),
    ),
    "coverage": lambda signal, value, _: (
        joined(" ", (signal.note, mark("It covers nothing of what is expected to be disputed and refunded.")))
        if signal.note
        else say(
            "The balance covers %(times)s times what is expected to be disputed and refunded.",
            times=figure(f"{value:.1f}"),
        )
    ),
    "payout_failures": lambda signal, _, window: say(
        "Failed or canceled %(window)s: %(payouts)s.",
        window=window,
        payouts=counted(signal.numerator, "%(count)s payout", "%(count)s payouts"),
    ),
    "payout_gap": lambda signal, value, _: joined(
        " ", (say("The last payout is %(times)s times the usual gap ago.", times=figure(f"{value:.1f}")), signal.note)
    ),
    "payout_delay": lambda signal, value, _: joined(
        " ", (say("Payouts come %(days)s days later than usual.", days=figure(f"{value:g}")), signal.note)
    ),
    "observed_reserve": lambda _, value, __: (
        say(
            "The processor holds a reserve: %(share)s of the sales of the last 30 days were held back.",
            share=percent(value, 1),
        )
        if value
        else mark("The processor still holds back money of earlier sales, and nothing of the last 30 days'.")
    ),
    "undelivered": lambda signal, value, __: joined(
        " ",
        (
            say("%(share)s of a month's sales is paid and taken to be not delivered yet.", share=percent(value, 0)),
            signal.note,
        ),
    ),
    "ticket_concentration": lambda _, value, window: say(
        "The largest 1 %% of payments make %(share)s of the sales %(window)s.", share=percent(value, 0), window=window
    ),
    "largest_customer": lambda _, value, window: say(
        "One customer makes %(share)s of the sales %(window)s.", share=percent(value, 0), window=window
    ),
    "tenure": lambda _, value, __: say(
        "The first sale was %(days)s days ago: a young business is watched more closely.", days=figure(f"{value:.0f}")
    ),
}
"""What a signal found, by its key, from the signal, its value and its window in words."""


def sentence(signal: Signal) -> str:
    """The signal's finding as one sentence."""
    adverbial = signal.window.startswith(("last", "month", "best"))
    window = say(mark("in the %(window)s") if adverbial else mark("(%(window)s)"), window=signal.window)
    if signal.key in _RATES:
        return say(
            _RATES[signal.key],
            events=number(signal.numerator),
            base=number(signal.denominator),
            window=window,
            share=percent(signal.value or 0),
            low=figure(percent(signal.low or 0).removesuffix(" %")),
            high=percent(signal.high or 0),
        )
    finding = _FINDINGS.get(signal.key)
    return finding(signal, signal.value or 0.0, window) if finding else signal.note


def lowers(signal: Signal, currency: str, open_warnings: int) -> str:
    """What would take the reason away, with how much of it where that can be counted. `currency` is ISO 4217."""
    hint = _LOWERS[signal.key]
    if signal.key == "dispute_activity" and open_warnings:
        hint = counted(
            open_warnings,
            "Refund the %(count)s open fraud warning first.",
            "Refund the %(count)s open fraud warnings first.",
        )
    return joined(" ", (_by_how_much(signal, currency), hint))


def _by_how_much(signal: Signal, currency: str) -> str:
    limit = _crossed(signal)
    if signal.key in _RATES:
        most = max(_most_below(signal, limit), MINIMUM_EVENTS - 1)
        fewer, events = number(signal.numerator - most), _EVENTS[signal.key]
        if most == MINIMUM_EVENTS - 1 and _share_of(signal, most) >= limit:
            return say(
                "%(fewer)s fewer of the %(events)s here would leave too few to judge it by.", fewer=fewer, events=events
            )
        return say(
            "%(fewer)s fewer of the %(events)s here would bring it below %(limit)s.",
            fewer=fewer,
            events=events,
            limit=percent(limit),
        )
    if signal.key == "coverage":
        lacking = math.ceil(limit * signal.denominator) - signal.numerator
        times = figure(f"{limit:g}")
        more = say("%(amount)s more would cover %(times)s times.", amount=money(lacking, currency), times=times)
        return more if lacking > 0 else ""
    if signal.key == "refund_rate" and (signal.value or 0.0) >= limit:
        fewer = signal.numerator - math.ceil(limit * signal.denominator) + 1
        return say(
            "%(amount)s less in refunds would bring it below %(limit)s.",
            amount=money(fewer, currency),
            limit=percent(limit, 0),
        )
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
