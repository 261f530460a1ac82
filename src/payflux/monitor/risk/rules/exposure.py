"""What a processor stands to lose on this account: chargebacks and refunds to come, undelivered sales, open cases.

The acquirer's view. Adyen: deposit = fulfilment + chargeback + refund exposure less coverage. Stripe: exposure = gross
exposure × loss given default.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from payflux.monitor.processors.codes import Status
from payflux.monitor.risk.rules import lag
from payflux.monitor.risk.rules.cohorts import dispute_lags, known_days
from payflux.monitor.risk.rules.history import History, count
from payflux.monitor.risk.rules.holds import open_holds
from payflux.monitor.risk.rules.programmes.nowcast import ESCALATION

DISPUTED_WITHIN_DAYS = 120
"""The usual window in which a cardholder may dispute (Stripe, "Measuring disputes")."""

DELIVERY_DAYS = 7
"""A sale is delivered evenly over a week: for goods 7 to 10 days are usual. Assumed, as no delivery date is stored."""

PRIOR_DISPUTED = 0.005
PRIOR_REFUNDED = 0.02
"""Prior shares of sales disputed and refunded, worth 100 payments. PayFlux defaults."""


class Outlook(NamedTuple):
    """Minor units of the main settlement currency. `*_stress` are 90th percentiles."""

    chargebacks_to_come: int
    chargebacks_stress: int
    refunds_to_come: int
    refunds_stress: int
    undelivered: int
    open_disputes: int  # with 0.8 of the warnings that can still be answered

    @property
    def expected_losses(self) -> int:
        """What a going concern will give back. Goods not yet delivered are lost only when the business fails."""
        return self.chargebacks_to_come + self.refunds_to_come + self.open_disputes


def own_outlook(history: History) -> Outlook:
    """:func:`outlook` under the merchant's own reporting curve of disputes: the best estimate, for what is shown."""
    lags = dispute_lags(history, history.disputes)
    return outlook(history, lag.reporting(lags, known_days(history)).curve)


def outlook(history: History, dispute_curve: np.ndarray = lag.DISPUTE_CURVE) -> Outlook:
    """Exposure from the sales of the window.

    CBX = Σ V·q·(1 − F_dispute(age)), RFX = Σ V·ρ·(1 − F_refund(age)) with q and ρ the amount-weighted Cape-Cod rates;
    undelivered = Σ V·(1 − age / 7 days); V is sales less refunds by day, ρ's V is sales. F_dispute is the reference
    unless another is given: what a score is judged on may not get better by one more, quick dispute. No credit is given
    for disputes that may be won. Sales already disputed stay in V: they overstate CBX by a share of the dispute rate
    itself, and so one more dispute never lowers it.
    """
    sales = history.last(history.payments, history.window_days)
    sales = history.in_currency(sales)
    start = history.today - history.window_days
    refunds, disputes = (
        history.in_currency(rows[rows["charge_day"] > start]) for rows in (history.refunds, history.disputes)
    )
    amounts, ages = sales["settled"], history.today - sales["day"]
    back, back_ages = refunds["settled"], history.today - refunds["charge_day"]
    warned = history.in_currency(_waiting(history))
    ticket = int(amounts.sum()) / count(sales) if sales.size else 0.0

    def unripe(curve: np.ndarray) -> int:
        kept = lag.unripe_exposure(amounts, ages, curve) - lag.unripe_exposure(back, back_ages, curve)
        known = warned[warned["charge_day"] > start]  # their disputes are expected as open cases already
        return max(0, kept - lag.unripe_exposure(known["settled"], history.today - known["charge_day"], curve))

    def rate(rows: np.ndarray, curve: np.ndarray, prior: float) -> tuple[float, float]:
        ripe = lag.ripe_exposure(amounts, ages, curve)
        return lag.amount_rate(int(rows["settled"].sum()), ripe, count(rows), ticket, prior)

    def to_come(unripe_millionths: int, share: float) -> int:
        return round(unripe_millionths / lag.MILLION * share)

    disputed, disputed_stress = rate(disputes, dispute_curve, PRIOR_DISPUTED)
    refunded, refunded_stress = rate(refunds, lag.REFUND_CURVE, PRIOR_REFUNDED)
    unripe_disputes = unripe(dispute_curve)
    unripe_refunds = lag.unripe_exposure(amounts, ages, lag.REFUND_CURVE)
    return Outlook(
        to_come(unripe_disputes, disputed),
        to_come(unripe_disputes, disputed_stress),
        to_come(unripe_refunds, refunded),
        to_come(unripe_refunds, refunded_stress),
        _undelivered(amounts, ages) - min(_undelivered(amounts, ages), _undelivered(back, back_ages)),
        _open_cases(history),
    )


def coverage(history: History) -> int | None:
    """Available (when positive), pending and reserved money in the main currency; None when it cannot be seen."""
    if history.balance is None:
        return None
    code, balance = history.currency_code, history.balance
    return max(0, balance.available.get(code, 0)) + balance.pending.get(code, 0) + balance.reserved.get(code, 0)


def funds_of(history: History) -> int | None:
    """:func:`coverage`, with the holds that are open where the balance does not show them as reserved.

    For what is shown only: a score that counted a new hold as cover would get better by it.
    """
    seen = coverage(history)
    if seen is None or history.balance is None:
        return seen
    reserved = history.balance.reserved.get(history.currency_code, 0)
    return seen - reserved + max(reserved, open_holds(history).open_at(history.now))


def debt(history: History) -> int:
    """What the account owes already: the negative part of its available balance in the main currency."""
    return max(0, -history.balance.available.get(history.currency_code, 0)) if history.balance else 0


def balance_in_all(history: History) -> int:
    """Available and pending money in the main currency, negative when the account is overdrawn; 0 when unseen."""
    code, balance = history.currency_code, history.balance
    return balance.available.get(code, 0) + balance.pending.get(code, 0) if balance else 0


def _undelivered(amounts: np.ndarray, ages: np.ndarray) -> int:
    days_left = np.clip(DELIVERY_DAYS - ages, 0, DELIVERY_DAYS)
    return int((amounts * days_left).sum()) // DELIVERY_DAYS


def _waiting(history: History) -> np.ndarray:
    """Warnings that can still be answered, and whose payment is young enough to be disputed."""
    waiting = history.warnings[history.warnings["status"] == Status.ACTIONABLE]
    return waiting[(waiting["charge_day"] == 0) | (waiting["charge_day"] > history.today - DISPUTED_WITHIN_DAYS)]


def _open_cases(history: History) -> int:
    disputes = history.disputes[history.disputes["status"] == Status.OPEN]
    warnings = _waiting(history)
    return history.volume(disputes) + round(history.volume(warnings) * ESCALATION)
