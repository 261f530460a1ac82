"""What a processor is assumed to hold back, and what that traps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from msgspec.structs import replace

from payflux.kit.messages import mark
from payflux.kit.phrases import figure, say
from payflux.monitor.projections.projection import ReserveScenario, ScenarioKind
from payflux.monitor.projections.settings import ProjectionSettings
from payflux.monitor.risk.rules.history import History
from payflux.monitor.risk.rules.holds import DEFAULT_HOLD_DAYS, reserve_rate, usual_hold_days

WHOLE = 10_000
"""Basis points of one."""

SCENARIOS: dict[int, ReserveScenario] = {
    1: ReserveScenario(name=mark("No reserve"), rate=0.0, hold_days=0, basis=mark("Low risk: no reserve is assumed.")),
    2: ReserveScenario(
        name=mark("Rolling 5 % for 90 days"),
        rate=0.05,
        hold_days=90,
        basis=mark("The low end of published reserves, 5 to 10 %."),
    ),
    3: ReserveScenario(
        name=mark("Rolling 10 % for 90 days"),
        rate=0.10,
        hold_days=90,
        basis=mark("PayPal's own example of a rolling reserve, and the commonest one."),
    ),
    4: ReserveScenario(
        name=mark("Rolling 25 % for 120 days"),
        rate=0.25,
        hold_days=120,
        basis=mark("Gumroad holds 25 %, Square 30 % for 120 days."),
    ),
    5: ReserveScenario(
        name=mark("Payouts paused, 100 % for 180 days"),
        rate=1.0,
        hold_days=180,
        basis=mark("Whop holds up to 100 %; Stripe caps platform reserves at 180 days."),
    ),
}
"""The default scenario of each tier. No public base rate of reserves exists: these are declared, not measured."""

CHOSEN = mark("Chosen for this projection.")

LIGHT_STRESS = ReserveScenario(
    name=mark("Rolling 5 % for 30 days"),
    rate=0.05,
    hold_days=30,
    basis=mark("The lightest reserve that processors publish."),
)

FIXED_TARGET_USD = 500_000
"""US cents of a minimum reserve: PayPal's example of a sweep, and Braintree's of a cap, is 5,000 USD."""

PAYOUT_PAUSE = ReserveScenario(
    name=mark("Payouts paused"),
    rate=1.0,
    hold_days=0,
    basis=mark(
        "Balance, sales and holds that end stay with the processor, less refunds and disputes as in the window."
    ),
    kind=ScenarioKind.PAYOUT_PAUSE,
)


def swept_sales(daily_sales: np.ndarray, hold_days: int | None, horizons: Sequence[int]) -> tuple[int, ...]:
    """Sales, in minor units, that a reserve still holds a share of at the end of each day in `horizons`.

    Those of the last min(T, hold_days) days up to T; of all days up to T where `hold_days` is None. `daily_sales` are
    integer minor units of day 1, 2, …. Raises ValueError for a horizon beyond them.
    """
    if (hold_days or 0) < 0 or min(horizons, default=0) < 0 or max(horizons, default=0) > len(daily_sales):
        raise ValueError("every horizon needs its daily sales")
    sold = list(accumulate(daily_sales.tolist(), initial=0))
    return tuple(sold[day] - (0 if hold_days is None else sold[max(0, day - hold_days)]) for day in horizons)


def rolling_reserve(daily_sales: np.ndarray, rate: float, hold_days: int, horizons: Sequence[int]) -> tuple[int, ...]:
    """Minor units held by a rolling reserve at the end of each day in `horizons`.

    Held(T) = rate · sales of the last min(T, hold_days) days up to T, rounded half up; `rate` counts to the basis
    point. 1,000 a day at 10 % for 90 days holds 3,000 / 6,000 / 9,000 at T+30/60/90 and stays there. Raises ValueError
    for a horizon beyond `daily_sales` or a rate outside [0, 1].
    """
    if not 0 <= rate <= 1:
        raise ValueError("a reserve's rate lies between 0 and 1")
    return tuple(share_of(sold, rate) for sold in swept_sales(daily_sales, hold_days, horizons))


def fixed_reserve(sold: int, sweep: float, target: int) -> int:
    """Minor units in a minimum reserve after `sold` minor units of sales: min(target, sweep · sales).

    PayPal: an upfront or swept minimum reserve. Braintree: a reserve that is capped and released when the account
    closes.
    """
    return min(target, share_of(sold, sweep))


def paused_payouts(balance: int, sold: int, given_back: int, fee_rate: float) -> int:
    """Minor units that stay with a processor that pays nothing out.

    Pause(T) = max(0, balance + sales · (1 − f) − refunds and disputes), where `balance` is available, pending and
    released money and may be negative; `given_back` is that part of `sold`.
    """
    return max(0, balance + sold - share_of(sold, fee_rate) - given_back)


def share_of(amount: int, rate: float) -> int:
    """`rate`, to the basis point, of `amount` minor units, rounded half up."""
    return (amount * round(rate * WHOLE) + WHOLE // 2) // WHOLE


def scenario_of(tier: int, history: History, settings: ProjectionSettings | None = None) -> ReserveScenario:
    """The scenario of `tier`, or the reserve in force when that holds back more of each sale, or what the caller chose.

    A chosen rate or hold alone takes the other from the scenario that it replaces; 90 days where that has none.
    """
    assumed, observed = SCENARIOS[tier], round(reserve_rate(history), 4)
    if observed > assumed.rate:
        assumed = ReserveScenario(
            name=mark("The reserve in force goes on"),
            rate=observed,
            hold_days=usual_hold_days(history),
            basis=mark("Holds booked in the last 30 days over the sales of those days."),
        )
    if settings is None or (settings.rate is None and settings.hold_days is None):
        return assumed
    rate = assumed.rate if settings.rate is None else settings.rate
    days = settings.hold_days or assumed.hold_days or DEFAULT_HOLD_DAYS
    name = say("Rolling %(share)s for %(days)s days", share=figure(f"{rate * 100:.4g} %"), days=days)
    return replace(assumed, name=name, rate=rate, hold_days=days, basis=CHOSEN)


def stress_of(tier: int) -> ReserveScenario | None:
    """What one tier up would mean; None at the top. Tier 1 is stressed by the lightest reserve that is published."""
    return LIGHT_STRESS if tier == 1 else SCENARIOS.get(tier + 1)


def fixed_scenario(target: int, settings: ProjectionSettings) -> ReserveScenario:
    """A minimum reserve of `target` minor units, filled by a share of sales."""
    chosen = settings.target is not None
    return ReserveScenario(
        name=say("Minimum reserve filled by %(share)s of sales", share=figure(f"{settings.sweep * 100:.4g} %")),
        rate=settings.sweep,
        hold_days=0,
        basis=CHOSEN if chosen else mark("PayPal's example: 5 % of sales until 5,000 USD are held."),
        kind=ScenarioKind.FIXED,
        target=target,
    )
