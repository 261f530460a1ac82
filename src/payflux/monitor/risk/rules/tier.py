"""Tier, reasons and stability score from the signals and the hard rules.

Worst level warn → tier 2, high → 3, critical → 4. Tier 5 is set by hard rules alone: an account rejected or without
payouts, more than a quarter of sales held back, a network programme that fines. Too little evidence → tier 2: not
known is not low.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from payflux.kit.messages import mark
from payflux.kit.phrases import Phrase, joined, say
from payflux.monitor.risk.rules.bands import BANDINGS, MINIMUM_PAYMENTS, severity
from payflux.monitor.risk.rules.cohorts import known_days
from payflux.monitor.risk.rules.history import History, count
from payflux.monitor.risk.rules.holds import reserve_rate
from payflux.monitor.risk.rules.measures import money, payments_counted, percent
from payflux.monitor.risk.rules.programmes import Charge
from payflux.monitor.risk.rules.sentences import crossed_threshold, distance, lowers, sentence
from payflux.monitor.risk.rules.signals.months import Standing
from payflux.monitor.risk.rules.signals.networks import programme_status
from payflux.monitor.risk.rules.signals.terms import needs
from payflux.monitor.risk.rules.statistics import settle
from payflux.monitor.risk.surface import Level, Reason, Signal

TIER_OF_LEVEL = {Level.WARN: 2, Level.HIGH: 3, Level.CRITICAL: 4}
MINIMUM_DAYS = 7
"""Fewer days of sales say little of a rate: most disputes take longer (assumed)."""

RESERVE_LIMIT = 0.25
SCORE_LIMIT = {1: 100, 2: 84, 3: 69, 4: 49, 5: 29}
"""The stability score may not say another thing than the tier."""

UNKNOWN_LIMIT = 75
"""The best score of a workspace with too few payments to judge."""


def reasons(history: History, signals: Sequence[Signal], held: Mapping[str, Standing]) -> tuple[Reason, ...]:
    """Why the tier is what it is, the worst first; among equals hard rules first, then in the order of BANDINGS."""
    open_warnings = next((signal.numerator for signal in signals if signal.key == "open_warnings"), 0)
    hard = hard_reasons(history, held)
    told = {reason.key for reason in hard}
    soft = [
        Reason(
            key=signal.key,
            tier=TIER_OF_LEVEL[signal.level],
            sentence=sentence(signal),
            lowers=lowers(signal, history.currency_code, open_warnings),
            value=signal.value,
            threshold=crossed_threshold(signal),
            unit=signal.unit,
            distance=distance(signal),
        )
        for signal in sorted(signals, key=_rank)
        if signal.level in TIER_OF_LEVEL and signal.key not in told
    ]
    found = sorted([*hard, *soft, *_no_evidence(history)], key=lambda reason: -reason.tier)
    return tuple(found) or (
        Reason(
            key="calm",
            tier=1,
            sentence=say(
                "No signal is over its threshold in the last %(window_days)s days.", window_days=history.window_days
            ),
            lowers=mark("Nothing to do."),
        ),
    )


def hard_reasons(history: History, held: Mapping[str, Standing]) -> list[Reason]:
    """The rules that set a tier whatever the score says; `held` are the programmes that the history is held against."""
    found: list[Reason] = []
    account = history.account
    if account is not None:
        disabled = account.disabled_reason
        if disabled.startswith("rejected.") or disabled == "listed":
            text = say("The processor has rejected the account (%(disabled)s).", disabled=disabled)
            way = mark("Ask the processor for a review; money may stay held for months.")
            found.append(_hard("account_state", 5, text, way))
        elif not account.payouts_enabled and history.payments.size:
            text = (
                say("The processor has stopped payouts (%(disabled)s).", disabled=disabled)
                if disabled
                else mark("The processor has stopped payouts.")
            )
            way = mark("Hand in what the processor asks for, in its dashboard.")
            found.append(_hard("account_state", 5, text, way))
    share = round(reserve_rate(history), 3)
    if share > RESERVE_LIMIT:
        text = say(
            "The processor held back %(share)s of the last 30 days' sales; a quarter is already severe.",
            share=percent(share, 0),
        )
        way = mark("Ask the processor for the reserve's terms and its review date.")
        found.append(_hard("observed_reserve", 5, text, way, share, RESERVE_LIMIT))
    for key, months in held.items():
        stands = programme_status(months, key, account.country if account else "")
        if stands is not None and stands.step is not None and stands.charges and stands.programme.sets_tier:
            phase, step = stands.programme, stands.step
            text = say(
                "%(programme)s (%(step)s), month %(month)s: %(charges)s.",
                programme=phase.name,
                step=step.name,
                month=stands.months_in_programme,
                charges=joined("; ", [_charge(charge, phase.currency) for charge in stands.charges]),
            )
            if stands.months_to_leave > 1:
                way = say(
                    "%(months)s months in a row outside end it: it needs %(needs)s.",
                    months=stands.months_to_leave,
                    needs=needs(step),
                )
            else:
                way = say("One month outside ends it: it needs %(needs)s.", needs=needs(step))
            found.append(_hard(key, 5, text, way))
    return found


def stability_score(signals: Sequence[Signal], tier: int, payments: int) -> int:
    """0 to 100, higher is calmer: 100 − Σ weight · severity, rounded down, and at most :data:`SCORE_LIMIT` of the tier.

    Every weight is positive, every severity grows with its signal, so that nothing worse can raise the score.
    """
    lost = math.fsum(BANDINGS[signal.key].weight * severity(signal) for signal in signals if signal.key in BANDINGS)
    limit = min(SCORE_LIMIT[tier], UNKNOWN_LIMIT if payments < MINIMUM_PAYMENTS else 100)
    return max(0, min(limit, math.floor(100 - lost + 1e-9)))


def _no_evidence(history: History) -> list[Reason]:
    payments = count(history.last(history.payments, history.window_days))
    days = known_days(history)
    if payments >= MINIMUM_PAYMENTS and days < MINIMUM_DAYS:
        text = say(
            "Sales are known for %(days)s days only: %(least)s are needed. Not known is not the same as low.",
            days=days,
            least=MINIMUM_DAYS,
        )
        return [Reason(key="insufficient_evidence", tier=2, sentence=text, lowers=mark("It firms up as days pass."))]
    if payments >= MINIMUM_PAYMENTS:
        return []
    text = say(
        "%(payments)s in the last %(window_days)s days: too few to judge, %(least)s are needed. Not known is not the "
        "same as low.",
        payments=payments_counted(payments),
        window_days=history.window_days,
        least=MINIMUM_PAYMENTS,
    )
    return [Reason(key="insufficient_evidence", tier=2, sentence=text, lowers=mark("It firms up as payments come in."))]


_CHARGED = {
    "fine": mark("a fine of %(amount)s this month (%(basis)s)"),
    "event fee": mark("a fee for each event, %(amount)s this month (%(basis)s)"),
    "issuer recovery": mark("issuer recovery of %(amount)s this month (%(basis)s)"),
}


def _charge(charge: Charge, currency: str) -> Phrase:
    low, high = (money(amount, currency) for amount in (charge.low, charge.high))
    amount = low if low == high else say("%(low)s to %(high)s", low=low, high=high)
    return say(_CHARGED[charge.kind], amount=amount, basis=charge.basis)


def _rank(signal: Signal) -> int:
    return list(BANDINGS).index(signal.key) if signal.key in BANDINGS else len(BANDINGS)


def _hard(
    key: str, tier: int, text: str, way: str, value: float | None = None, threshold: float | None = None
) -> Reason:
    return Reason(
        key=key,
        tier=tier,
        sentence=text,
        lowers=way,
        value=value,
        threshold=threshold,
        unit="rate",
        distance=None if value is None or threshold is None else settle(value - threshold),
    )
