"""Every signal: a small pure function of a history, with its formula, unit, window, source and bands."""

from __future__ import annotations

from collections.abc import Callable

from payflux.monitor.risk.rules.history import History
from payflux.monitor.risk.rules.signals import account, cards, disputes, merchant, money, networks, sales
from payflux.monitor.risk.surface import Signal

SIGNALS: tuple[Callable[[History], Signal], ...] = (
    disputes.dispute_activity,
    disputes.ultimate_dispute_rate,
    networks.vamp,
    networks.vamp_nowcast,
    networks.ecm,
    networks.efm,
    networks.amex,
    disputes.fraud_warning_rate,
    disputes.open_warnings,
    disputes.reason_mix,
    sales.refund_rate,
    sales.refund_wait,
    sales.growth,
    sales.ticket_drift,
    cards.decline_rate,
    cards.card_testing,
    cards.retry_pressure,
    cards.failure_entropy,
    cards.geographic_entropy,
    cards.geographic_drift,
    cards.radar_mix,
    cards.blocked_rate,
    cards.review_rate,
    account.account_state,
    money.observed_reserve,
    money.coverage,
    money.undelivered,
    money.payout_failures,
    money.payout_gap,
    money.payout_delay,
    merchant.tenure,
    merchant.ticket_concentration,
    merchant.largest_customer,
    merchant.customer_concentration,
)
