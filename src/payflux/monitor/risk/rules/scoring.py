"""From payment events to a risk surface."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import numpy as np

from payflux.monitor.processors.snapshots import AccountSnapshot, BalanceSnapshot
from payflux.monitor.risk.rules import account as accounts
from payflux.monitor.risk.rules import disputes, payments
from payflux.monitor.risk.rules.history import History, prepare
from payflux.monitor.risk.rules.tier import reasons, stability_score
from payflux.monitor.risk.rules.trend import trend
from payflux.monitor.risk.surface import BANDS, RiskSurface, Signal

MODEL_VERSION = "risk-1.0"

SIGNALS: tuple[Callable[[History], Signal], ...] = (
    disputes.dispute_activity,
    disputes.ultimate_dispute_rate,
    disputes.vamp,
    disputes.ecm,
    disputes.fraud_warning_rate,
    disputes.open_warnings,
    payments.refund_rate,
    payments.decline_rate,
    payments.card_testing,
    payments.retry_pressure,
    payments.failure_entropy,
    payments.geographic_entropy,
    payments.growth,
    payments.ticket_drift,
    accounts.account_state,
    accounts.observed_reserve,
    accounts.coverage,
    accounts.payout_failures,
    accounts.payout_gap,
)


def score(
    events: np.ndarray,
    *,
    as_of: datetime,
    account: AccountSnapshot | None,
    balance: BalanceSnapshot | None,
    window_days: int = 90,
) -> RiskSurface:
    """The risk surface of `events` (an array of EVENT_DTYPE, any order, up to 13 months are read) at `as_of`.

    `account` or `balance` None means that it cannot be seen, which the signals and notes say. The same events in any
    order give the same surface. Raises ValueError for another array type or an `as_of` without a time zone.
    """
    history = prepare(events, as_of=as_of, account=account, balance=balance, window_days=window_days)
    signals = tuple(signal(history) for signal in SIGNALS)
    why = reasons(history, signals)
    tier = why[0].tier
    direction, moved = trend(history)
    in_window = history.last(history.payments, window_days)
    return RiskSurface(
        model_version=MODEL_VERSION,
        as_of=as_of.astimezone(UTC),
        window_days=window_days,
        event_count=len(history.last(history.events, window_days)),
        risk_tier=tier,
        risk_band=BANDS[tier],
        stability_score=stability_score(signals, tier, len(in_window)),
        trend=direction,
        reasons=why,
        signals=signals,
        inputs_hash=inputs_hash(history, MODEL_VERSION),
        trend_note=moved,
        notes=history.notes,
    )


def inputs_hash(history: History, *settings: object) -> str:
    """Hex SHA-256 of everything a result rests on: the canonical events as little-endian bytes, the time, the
    snapshots and `settings` (model version, scenario, …)."""
    digest = hashlib.sha256()
    digest.update(history.events.astype(history.events.dtype.newbyteorder("<")).tobytes())
    said = (history.now, history.window_days, history.account, history.balance, *settings)
    digest.update(msgspec.json.encode(said, order="deterministic"))
    return digest.hexdigest()
