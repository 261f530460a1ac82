"""The seven features as one columnar kernel; `features.sql` is the same definition as one plain SQL statement."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import numpy as np

from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.risk.rules.retries import times_of_retries
from payflux.monitor.risk.rules.statistics import entropy

COLUMNS = ("at", "settled", "source", "card", "kind", "status", "settled_currency", "country")
"""The columns of EVENT_DTYPE that the features read."""

DAY = 86_400
_KINDS = len(Kind) + 1
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
    tried = np.flatnonzero(((code == _PAID) | (code == _DECLINED)) & (column("card") != 0)) if declines else paid[:0]
    source = column("source")[tried] if isinstance(events, np.ndarray) or "source" in events else None
    moments = at[tried] if whole else at[recent][tried]
    retries = len(times_of_retries(moments, column("card")[tried], source, code[tried] == _DECLINED))
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
