"""The seven features as one columnar kernel; `features.sql` is the same definition as one plain SQL statement."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import numpy as np

from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.risk.rules.statistics import entropy

COLUMNS = ("at", "settled", "source", "card", "kind", "status", "settled_currency", "country")
"""The columns of EVENT_DTYPE that the features read."""

DAY = 86_400
RETRY_SECONDS = 3_600
_KINDS = len(Kind) + 1
_SLOT_BITS = 22
_MANY = 1 << 11
_PAID = Kind.CHARGE * 16 + Status.SUCCEEDED
_DECLINED = Kind.CHARGE * 16 + Status.FAILED


class Features(NamedTuple):
    """Seven features of the last `days` days. Rates are 0 when nothing stands below the line."""

    payments: int  # charges that succeeded
    volume: int  # their settled minor units, in the settlement currency of most payments
    decline_rate: float  # failed / attempted charges
    dispute_activity: float  # disputes dated in the window, without inquiries and prevented ones / payments
    refund_rate: float  # succeeded refunds / volume, both settled, in that currency
    fraud_warning_rate: float  # early fraud warnings / payments
    retry_pressure: float  # attempts within an hour after a declined attempt of the same card / attempts
    geographic_entropy: float  # of the card's country over payments, nats


def features(events: np.ndarray | Mapping[str, np.ndarray], as_of: datetime, days: int = 90) -> Features:
    """The seven features of `events` in (as_of - days, as_of].

    `events` is an array of EVENT_DTYPE or a mapping with its :data:`COLUMNS`, in any order; a mapping in the canonical
    order may leave `source` out, which only orders attempts of the same second.
    """
    now = int(as_of.timestamp())
    at = events["at"]
    recent = np.flatnonzero((at > now - days * DAY) & (at <= now))
    whole = recent.size == at.size

    def column(name: str) -> np.ndarray:
        return events[name] if whole else events[name][recent]

    # One pass classifies every event; each feature is then a look-up instead of a scan.
    kind, status, settled = column("kind"), column("status"), column("settled")
    code = kind * np.int16(16) + status
    counts = np.bincount(code, minlength=_KINDS * 16).reshape(-1, 16)
    payments = int(counts[Kind.CHARGE, Status.SUCCEEDED])
    declines = int(counts[Kind.CHARGE, Status.FAILED])
    attempts = payments + declines
    disputes = int(counts[Kind.DISPUTE].sum() - counts[Kind.DISPUTE, [Status.PREVENTED, Status.INQUIRY]].sum())
    warnings = int(counts[Kind.EARLY_FRAUD_WARNING].sum())

    paid = np.flatnonzero(code == _PAID)
    refund = np.flatnonzero(code == Kind.REFUND * 16 + Status.SUCCEEDED)
    currency = column("settled_currency")
    paid_currency = currency[paid]
    volume = refunded = 0
    if payments:
        single = (paid_currency == paid_currency[0]).all()
        main = int(paid_currency[0] if single else np.bincount(paid_currency).argmax())
        amounts = settled[paid]
        volume = int(amounts.sum() if single else amounts[paid_currency == main].sum())
        refunded = int(settled[refund[currency[refund] == main]].sum())
    countries = np.bincount(column("country")[paid])
    source = column("source") if isinstance(events, np.ndarray) or "source" in events else None
    retries = _retries(at if whole else at[recent], column("card"), source, code) if declines else 0
    return Features(
        payments=payments,
        volume=volume,
        decline_rate=declines / attempts if attempts else 0.0,
        dispute_activity=disputes / payments if payments else 0.0,
        refund_rate=refunded / volume if volume else 0.0,
        fraud_warning_rate=warnings / payments if payments else 0.0,
        retry_pressure=retries / attempts if attempts else 0.0,
        geographic_entropy=entropy([int(n) for n in countries[1:] if n]),
    )


def _retries(at: np.ndarray, card: np.ndarray, source: np.ndarray | None, code: np.ndarray) -> int:
    """Attempts whose card's previous attempt was declined at most an hour before."""
    failed = (code == _DECLINED) & (card != 0)
    attempt = failed | ((code == _PAID) & (card != 0))
    chosen = np.flatnonzero(attempt if at.size < _MANY else attempt & _around_declines(at, card, failed))
    card, at, failed = card[chosen], at[chosen], failed[chosen]
    source = np.arange(chosen.size) if source is None else source[chosen]
    in_order = (at[1:] > at[:-1]) | ((at[1:] == at[:-1]) & (source[1:] >= source[:-1]))
    order = np.argsort(card, kind="stable") if in_order.all() else np.lexsort((source, at, card))
    card, at, failed = card[order], at[order], failed[order]
    return int(np.count_nonzero((card[1:] == card[:-1]) & failed[:-1] & (at[1:] - at[:-1] <= RETRY_SECONDS)))


def _around_declines(at: np.ndarray, card: np.ndarray, failed: np.ndarray) -> np.ndarray:
    """Which events may lie within an hour after a decline of their card, by a hashed set of (card, 4,096 seconds).

    Whatever lies between a decline and an attempt within the hour is among them, so that neighbours stay neighbours
    and the sort is small.
    """
    slot = ((card >> 7) + (at >> 12)) & ((1 << _SLOT_BITS) - 1)
    declined = np.zeros(1 << _SLOT_BITS, bool)
    places = slot[failed]
    declined[places] = True
    declined[(places + 1) & ((1 << _SLOT_BITS) - 1)] = True
    return declined[slot]
