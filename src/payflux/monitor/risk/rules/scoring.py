"""From payment events to a risk surface."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from payflux.kit.phrases import kept
from payflux.monitor.risk.rules.breakdown import break_down, dispute_outlook
from payflux.monitor.risk.rules.escalation import escalation
from payflux.monitor.risk.rules.forecasting import forecasting_of
from payflux.monitor.risk.rules.history import History, count
from payflux.monitor.risk.rules.hysteresis import standing_reason, standing_tier
from payflux.monitor.risk.rules.next_dispute import next_dispute, to_threshold
from payflux.monitor.risk.rules.signals import SIGNALS
from payflux.monitor.risk.rules.signals.months import standings
from payflux.monitor.risk.rules.tier import reasons, stability_score
from payflux.monitor.risk.rules.trend import trend
from payflux.monitor.risk.surface import BANDS, RiskSurface

MODEL_VERSION = "risk-2.0"
_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)


def score(history: History) -> RiskSurface:
    """The risk surface of a workspace at the history's instant.

    An account or balance of None cannot be seen, which the signals and notes say. The same events in any order give
    the same surface.
    """
    signals = tuple(signal(history) for signal in SIGNALS)
    held = standings(history)
    why = reasons(history, signals, held)
    asked = why[0].tier
    tier = standing_tier(asked, history.as_of, history.earlier)
    if tier > asked:
        why = (standing_reason(tier, asked), *why)
    disputes = break_down(history)
    direction, moved = trend(history)
    in_window = count(history.last(history.payments, history.window_days))
    surface = RiskSurface(
        model_version=MODEL_VERSION,
        as_of=history.as_of.astimezone(UTC),
        window_days=history.window_days,
        event_count=history.event_count,
        risk_tier=tier,
        risk_band=BANDS[tier],
        stability_score=stability_score(signals, tier, in_window),
        trend=direction,
        reasons=why,
        signals=signals,
        inputs_hash=inputs_hash(history, MODEL_VERSION),
        trend_note=moved,
        notes=history.notes,
        asked_tier=asked,
        escalation=escalation(history, asked, disputes),
        dispute_outlook=dispute_outlook(disputes),
        next_dispute=next_dispute(history, held),
        to_threshold=to_threshold(history, held),
        forecasting=forecasting_of(history),
        payout_delay_days=history.account.payout_delay_days if history.account else None,
    )
    return kept(surface)


def basis_hash(history: History) -> str:
    """The same of what a result rests on to the day: equal at two instants of one day of UTC between which nothing
    happened, however often the account was asked for meanwhile."""
    day = history.as_of.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    account, balance = (
        said and msgspec.structs.replace(said, taken_at=_ANY_TIME) for said in (history.account, history.balance)
    )
    return inputs_hash(replace(history, as_of=day, account=account, balance=balance, earlier=()))


def inputs_hash(history: History, *settings: object) -> str:
    """Hex SHA-256 of everything a result rests on: the summary's rows as little-endian bytes, the time, the snapshots
    and `settings` (model version, scenario, …)."""
    digest = hashlib.sha256()
    summary = history.summary
    for rows in (summary.groups, summary.tickets, summary.cards, summary.holds, summary.conversions):
        digest.update(len(rows).to_bytes(8, "little") + rows.astype(rows.dtype.newbyteorder("<")).tobytes())
    customers = [str(number) for number in summary.customers]  # squares pass 64 bits
    said = (customers, history.now, history.window_days, history.account, history.balance, history.earlier, *settings)
    digest.update(msgspec.json.encode(said, order="deterministic"))
    return digest.hexdigest()
