"""Every signal: a small pure function of a history, with its formula, unit, window, source and bands."""

from __future__ import annotations

from collections.abc import Callable

from payflux.monitor.risk.rules.history import History
from payflux.monitor.risk.rules.signals import account, cards, disputes, money, networks, sales
from payflux.monitor.risk.surface import Signal

SIGNALS: tuple[Callable[[History], Signal], ...] = (
    disputes.dispute_activity,
    disputes.ultimate_dispute_rate,
    networks.vamp,
    networks.ecm,
    disputes.fraud_warning_rate,
    disputes.open_warnings,
    sales.refund_rate,
    cards.decline_rate,
    cards.card_testing,
    cards.retry_pressure,
    cards.failure_entropy,
    cards.geographic_entropy,
    sales.growth,
    sales.ticket_drift,
    account.account_state,
    money.observed_reserve,
    money.coverage,
    money.payout_failures,
    money.payout_gap,
)
