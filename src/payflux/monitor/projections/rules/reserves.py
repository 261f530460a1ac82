"""What a processor is assumed to hold back at each tier, and what that traps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from payflux.monitor.projections.projection import ReserveScenario
from payflux.monitor.risk.rules.history import History
from payflux.monitor.risk.rules.holds import reserve_rate, usual_hold_days

WHOLE = 10_000
"""Basis points of one."""

SCENARIOS: dict[int, ReserveScenario] = {
    1: ReserveScenario(name="No reserve", rate=0.0, hold_days=0, basis="Low risk: no reserve is assumed."),
    2: ReserveScenario(
        name="Rolling 5 % for 90 days", rate=0.05, hold_days=90, basis="The low end of published reserves, 5 to 10 %."
    ),
    3: ReserveScenario(
        name="Rolling 10 % for 90 days",
        rate=0.10,
        hold_days=90,
        basis="PayPal's own example of a rolling reserve, and the commonest one.",
    ),
    4: ReserveScenario(
        name="Rolling 25 % for 120 days",
        rate=0.25,
        hold_days=120,
        basis="Gumroad holds 25 %, Square 30 % for 120 days.",
    ),
    5: ReserveScenario(
        name="Payouts paused, 100 % for 180 days",
        rate=1.0,
        hold_days=180,
        basis="Whop holds up to 100 %; Stripe caps platform reserves at 180 days.",
    ),
}
"""The default scenario of each tier. No public base rate of reserves exists: these are declared, not measured."""

LIGHT_STRESS = ReserveScenario(
    name="Rolling 5 % for 30 days", rate=0.05, hold_days=30, basis="The lightest reserve that processors publish."
)


def rolling_reserve(daily_sales: np.ndarray, rate: float, hold_days: int, horizons: Sequence[int]) -> tuple[int, ...]:
    """Minor units held by a rolling reserve at the end of each day in `horizons`.

    Held(T) = rate · sales of the last min(T, hold_days) days up to T, rounded half up. `daily_sales` are integer minor
    units of day 1, 2, …; `rate` counts to the basis point. 1,000 a day at 10 % for 90 days holds 3,000 / 6,000 / 9,000
    at T+30/60/90 and stays there. Raises ValueError for a horizon beyond `daily_sales` or a rate outside [0, 1].
    """
    if not 0 <= rate <= 1:
        raise ValueError("a reserve's rate lies between 0 and 1")
    if hold_days < 0 or min(horizons, default=0) < 0 or max(horizons, default=0) > len(daily_sales):
        raise ValueError("every horizon needs its daily sales")
    sold = [0, *np.cumsum(daily_sales, dtype=np.int64).tolist()]
    return tuple(share_of(sold[day] - sold[max(0, day - hold_days)], rate) for day in horizons)


def share_of(amount: int, rate: float) -> int:
    """`rate`, to the basis point, of `amount` minor units, rounded half up."""
    return (amount * round(rate * WHOLE) + WHOLE // 2) // WHOLE


def scenario_of(tier: int, history: History) -> ReserveScenario:
    """The scenario of `tier`, or the reserve in force when that holds back more of each sale."""
    assumed, observed = SCENARIOS[tier], round(reserve_rate(history), 4)
    if observed <= assumed.rate:
        return assumed
    return ReserveScenario(
        name="The reserve in force goes on",
        rate=observed,
        hold_days=usual_hold_days(history),
        basis="Holds booked in the last 30 days over the sales of those days.",
    )


def stress_of(tier: int) -> ReserveScenario | None:
    """What one tier up would mean; None at the top. Tier 1 is stressed by the lightest reserve that is published."""
    return LIGHT_STRESS if tier == 1 else SCENARIOS.get(tier + 1)
