"""What refunds and disputes take out of a reserve, or out of a balance that is not paid out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from payflux.monitor.projections.projection import ReserveScenario
from payflux.monitor.projections.rules.reserves import WHOLE, share_of
from payflux.monitor.risk.rules import lag
from payflux.monitor.risk.rules.history import History

DRAWS_FROM_RESERVE: dict[str, bool] = {"stripe": True, "paypal": False}
"""Whether a processor takes refunds and disputes from the reserve. Stripe: first from the reserved amount of that
transaction (Reserves FAQ). PayPal: ordinarily from the available balance, the reserve stays for insolvency (faq2371).
Others do not say."""


class GivenBack(NamedTuple):
    """What the window's refunds and disputes amount to beside its sales, main currency, minor units."""

    sales: int
    refunds: int
    disputes: int

    def of(self, sold: int) -> int:
        """The part of `sold` minor units that goes back, at the window's share and at most all, rounded half up."""
        if self.sales <= 0:
            return 0
        back = min(self.refunds + self.disputes, self.sales)
        return (2 * sold * back + self.sales) // (2 * self.sales)


def given_back(history: History) -> GivenBack:
    """Settled sales, refunds and counted disputes of the window."""
    return GivenBack(
        *(
            history.volume(history.last(rows, history.window_days))
            for rows in (history.payments, history.refunds, history.disputes)
        )
    )


def expected_draws(daily_sales: np.ndarray, scenario: ReserveScenario, back: GivenBack, day: int) -> int:
    """What refunds and disputes will have taken, by the end of `day`, out of what a rolling reserve then holds.

    Σ r·V(u)·(ρ·F_refund(day − u) + q·F_dispute(day − u)) over the days u still held, at most what is held: a payment
    that is refunded or disputed loses its reserved amount. ρ and q are the window's refunds and disputes over its
    sales, F the reference curves of arrival.
    """
    if back.sales <= 0:
        return 0
    first = max(1, day - scenario.hold_days + 1)
    held = refunded = disputed = 0
    for sold, age in zip(daily_sales[first - 1 : day].tolist(), range(day - first, -1, -1), strict=True):
        held += sold
        refunded += sold * int(lag.REFUND_CURVE[min(age, lag.LAST_AGE)])
        disputed += sold * int(lag.DISPUTE_CURVE[min(age, lag.LAST_AGE)])
    whole = lag.MILLION * WHOLE * back.sales
    drawn = (refunded * back.refunds + disputed * back.disputes) * round(scenario.rate * WHOLE)
    return min(share_of(held, scenario.rate), (2 * drawn + whole) // (2 * whole))
