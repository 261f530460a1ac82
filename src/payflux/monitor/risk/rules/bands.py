"""Which signals are judged, by what thresholds, and what each can take off the stability score."""

from __future__ import annotations

from typing import NamedTuple

from payflux.kit.messages import mark
from payflux.monitor.risk.surface import Level, Signal

MINIMUM_PAYMENTS = 25
MINIMUM_EVENTS = 3
"""Fewer is "insufficient evidence". Gumroad's live gate, so that small accounts are not hit by noise (PR 5712)."""


class Banding(NamedTuple):
    """Thresholds of one signal: warn, high, critical, and its weight in the stability score (points at critical).

    `falling` means that a lower value is worse. Order in :data:`BANDINGS` ranks reasons of the same tier.
    """

    label: str
    unit: str
    thresholds: tuple[float, float, float]
    weight: int
    source: str
    falling: bool = False


_DISPUTES = (0.004, 0.0075, 0.010)

BANDINGS: dict[str, Banding] = {
    "dispute_activity": Banding(
        mark("Dispute activity"), "rate", _DISPUTES, 40,
        "docs.stripe.com/disputes/measuring; 0.75 % widely attributed to Stripe, not confirmed; 1 % Gumroad PR 5712",
    ),
    "vamp": Banding(
        mark("Visa VAMP ratio (estimate)"), "rate", (0.003, 0.005, 0.015), 10,
        "docs.stripe.com/disputes/monitoring-programs",
    ),
    "ecm": Banding(
        mark("Mastercard ECM ratio (estimate)"), "rate", (0.0075, 0.010, 0.015), 5,
        "docs.stripe.com/disputes/monitoring-programs; SPME manual 8.3.1 as cited by processors",
    ),
    "vamp_nowcast": Banding(
        mark("Chance of Visa VAMP at the month's end"), "rate", (0.10, 0.30, 0.60), 5,
        "Gamma-Poisson; bands are PayFlux's",
    ),
    "efm": Banding(
        mark("Mastercard EFM (estimate)"), "ratio", (0.5, 0.8, 1.0), 5, "docs.stripe.com/disputes/monitoring-programs",
    ),
    "amex": Banding(
        mark("American Express disputes"), "rate", (0.007, 0.009, 0.010), 5,
        "chargebackgurus.com; support.paya.com: 1 % in three months in a row, reported; bands are PayFlux's",
    ),
    "ultimate_dispute_rate": Banding(
        mark("Ultimate dispute rate"), "rate", _DISPUTES, 10,
        "Cape-Cod with a Gamma posterior; bands of dispute activity",
    ),
    "account_state": Banding(
        mark("Account state"), "level", (1, 2, 3), 40, "Stripe requirements and disabled_reason",
    ),
    "observed_reserve": Banding(
        mark("Reserve in force"), "rate", (0.0, 0.10, 0.25), 30, "reserve holds; 25 % Gumroad PR 7495",
    ),
    "coverage": Banding(
        mark("Coverage of expected losses"), "ratio", (2.0, 1.0, 0.5), 10,
        "Adyen, merchant potential liability: exposure less coverage", falling=True,
    ),
    "card_testing": Banding(
        mark("Declines in the worst week"), "rate", (0.10, 0.15, 0.20), 15, "Visa VAMP enumeration 20 %, proxy",
    ),
    "fraud_warning_rate": Banding(
        mark("Early fraud warnings"), "rate", (0.003, 0.005, 0.0075), 10,
        "docs.stripe.com/disputes/how-disputes-work: 80 % of warnings become disputes",
    ),
    "refund_rate": Banding(mark("Refund rate"), "rate", (0.08, 0.15, 0.25), 15, "PayFlux default, no public figure"),
    "payout_failures": Banding(
        mark("Failed payouts"), "count", (1, 2, 3), 10, "Stripe delinquency indicator `payouts`",
    ),
    "payout_delay": Banding(
        mark("Payouts later than usual"), "days", (2, 5, 10), 10,
        "Stripe settings.payouts.schedule; bands are PayFlux's",
    ),
    "payout_gap": Banding(
        mark("Time since the last payout"), "ratio", (1.5, 2.0, 3.0), 10, "Stripe delinquency indicator `payouts`",
    ),
    "growth": Banding(
        mark("Growth of weekly sales"), "rate", (0.5, 1.0, 2.0), 10, "PayFlux default; PayPal reviews sudden growth",
    ),
    "ticket_drift": Banding(
        mark("Drift of the ticket size"), "nats", (0.3, 0.6, 1.0), 5, "Stripe delinquency indicator `aov`",
    ),
    "radar_mix": Banding(
        mark("Payments rated risky"), "rate", (0.03, 0.06, 0.10), 5, "Stripe outcome.risk_level; bands are PayFlux's",
    ),
    "undelivered": Banding(
        mark("Paid and not delivered yet"), "ratio", (0.25, 0.5, 1.0), 5,
        "Adyen, fulfilment exposure; bands are PayFlux's",
    ),
    "ticket_concentration": Banding(
        mark("Sales in the largest 1 % of payments"), "rate", (0.20, 0.35, 0.50), 5,
        "Stripe delinquency indicator of concentration; bands are PayFlux's",
    ),
    "largest_customer": Banding(
        mark("Share of the largest customer"), "rate", (0.20, 0.35, 0.50), 5,
        "Stripe delinquency indicator of concentration; bands are PayFlux's",
    ),
    "tenure": Banding(
        mark("Time in business"), "days", (90, 30, 7), 5,
        "PayPal account reserves: time in business; bands are PayFlux's",
        falling=True,
    ),
}  # fmt: skip


def level_of(key: str, judged: float | None) -> Level:
    """The level of signal `key` at the `judged` value."""
    if judged is None:
        return Level.INSUFFICIENT_EVIDENCE
    banding = BANDINGS[key]
    if banding.falling:
        return Level(sum(judged < threshold for threshold in banding.thresholds))
    if banding.thresholds[0] == 0:  # any at all is a warning
        return Level((judged > 0) + sum(judged > threshold for threshold in banding.thresholds[1:]))
    return Level(sum(judged >= threshold for threshold in banding.thresholds))


_SEVERITY_AT = (0.0, 0.25, 0.6, 1.0)


def severity(signal: Signal) -> float:
    """How bad a judged signal is, in [0, 1]: 0, then 0.25, 0.6 and 1 at its thresholds, straight in between.

    A level below what the number alone says (a count is missing, say) caps it. Never falls when the value worsens.
    """
    banding = BANDINGS.get(signal.key)
    if banding is None or signal.judged is None or signal.level == Level.INSUFFICIENT_EVIDENCE:
        return 0.0
    value, points = signal.judged, banding.thresholds
    if banding.falling:
        value, points = -value, tuple(-point for point in points)
        start = 2 * points[0]  # twice the coverage that warns is calm
    else:
        start = 0.0
    knots = (start, *points)
    reached = _SEVERITY_AT[min(signal.level + 1, 3)]
    if value <= knots[0]:
        return 0.0
    for left, right, low, high in zip(knots, knots[1:], _SEVERITY_AT, _SEVERITY_AT[1:], strict=False):
        if value < right:
            return min(reached, low + (high - low) * (value - left) / (right - left))
    return min(reached, 1.0)
