"""The card networks' monitoring programmes as dated, cited data, and how a month's counts read in them."""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple

from payflux.monitor.processors.codes import Network

Confidence = Literal["processor", "secondary"]
"""`processor`: read in a network's or processor's own page. `secondary`: only reported by others."""

GENERAL = "AP, CA, EU, US"
CEMEA = "CEMEA"


class Step(NamedTuple):
    """One level of a programme: both conditions must hold in one month."""

    name: str
    ratio: float
    count: int
    fined: bool  # a fine is due from the first month; else see `Programme.fines`


class Programme(NamedTuple):
    """One phase of a network's programme, in force from `valid_from` until before `valid_to`.

    `steps` go from mild to severe. `denominator` says whose payments the count is divided by: those of the same month
    or of the month before. `fines` are (from month, amount in USD or EUR) of consecutive months in the first step.
    """

    key: str
    name: str
    network: Network
    region: str
    valid_from: date
    valid_to: date | None
    denominator: Literal["same month", "previous month"]
    steps: tuple[Step, ...]
    fines: tuple[tuple[int, int], ...]
    months_to_leave: int
    source: str
    confidence: Confidence


_STRIPE = "docs.stripe.com/disputes/monitoring-programs"
_VAMP_SOURCES = f"{_STRIPE}; PayPal release guide, autumn 2025; support.checkout.com article 23330844282514"
_NON_COMPLIANT = Step("non-compliant", 0.005, 5, fined=False)
_ECM_FINES = ((2, 1_000), (4, 5_000), (7, 25_000), (12, 50_000), (19, 100_000))

REGISTRY: tuple[Programme, ...] = (
    Programme(
        "vamp", "Visa Acquirer Monitoring Program", Network.VISA, GENERAL, date(2025, 4, 1), date(2025, 6, 1),
        "same month", (_NON_COMPLIANT,), (), 1, _STRIPE, "processor",
    ),
    Programme(
        "vamp", "Visa Acquirer Monitoring Program", Network.VISA, GENERAL, date(2025, 6, 1), date(2025, 10, 1),
        "same month", (_NON_COMPLIANT, Step("excessive", 0.022, 1_500, fined=False)), (), 1, _VAMP_SOURCES, "processor",
    ),
    Programme(
        "vamp", "Visa Acquirer Monitoring Program", Network.VISA, GENERAL, date(2025, 10, 1), date(2026, 4, 1),
        "same month", (_NON_COMPLIANT, Step("excessive", 0.022, 1_500, fined=True)), (), 1, _VAMP_SOURCES, "processor",
    ),
    Programme(
        "vamp", "Visa Acquirer Monitoring Program", Network.VISA, GENERAL, date(2026, 4, 1), None,
        "same month", (_NON_COMPLIANT, Step("excessive", 0.015, 1_500, fined=True)), (), 1, _VAMP_SOURCES, "processor",
    ),
    Programme(
        "vamp", "Visa Acquirer Monitoring Program", Network.VISA, CEMEA, date(2025, 6, 1), None,
        "same month", (_NON_COMPLIANT, Step("excessive", 0.022, 150, fined=True)), (), 1,
        f"{_STRIPE}; support.checkout.com says more than 100", "processor",
    ),
    Programme(
        "ecm", "Mastercard Excessive Chargeback Program", Network.MASTERCARD, "all", date(2024, 1, 1), None,
        "previous month", (Step("ECM", 0.015, 100, fined=False), Step("HECM", 0.03, 300, fined=False)), _ECM_FINES, 3,
        f"{_STRIPE}; developer.paypal.com/braintree excessive-chargeback-program; help.dalenys.com 14654560203548",
        "processor",
    ),
)  # fmt: skip
"""Every phase known. Not here: EFM, Amex and AusPayNet, whose figures need more than counts by month."""


def programme(key: str, as_of: date, region: str = GENERAL) -> Programme | None:
    """The phase of programme `key` in force on `as_of` in `region`, or None."""
    for phase in REGISTRY:
        in_force = phase.valid_from <= as_of and (phase.valid_to is None or as_of < phase.valid_to)
        if phase.key == key and in_force and phase.region in (region, "all"):
            return phase
    return None


def step_reached(phase: Programme, ratio: float, count: int) -> Step | None:
    """The most severe step whose two conditions hold, or None."""
    reached = [step for step in phase.steps if ratio >= step.ratio and count >= step.count]
    return reached[-1] if reached else None


def monthly_fine(phase: Programme, month_in_programme: int) -> int:
    """The fine of that consecutive month in the first step, in USD or EUR; 0 when there is none."""
    return max((amount for month, amount in phase.fines if month_in_programme >= month), default=0)
