"""Merchants to measure with: the mix of a real shop, any size, the same every time."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from payflux.monitor.processors.codes import Kind, Method, Status
from payflux.monitor.processors.events import EVENT_DTYPE, pack_letters, sort_events

AS_OF = datetime(2026, 11, 21, tzinfo=UTC)
_DAY = 86_400
_SHARES = {
    (Kind.CHARGE, Status.SUCCEEDED): 0.85,
    (Kind.CHARGE, Status.FAILED): 0.08,
    (Kind.REFUND, Status.SUCCEEDED): 0.05,
    (Kind.DISPUTE, Status.LOST): 0.008,
    (Kind.EARLY_FRAUD_WARNING, Status.SETTLED): 0.004,
    (Kind.PAYOUT, Status.SUCCEEDED): 0.008,
}


def merchant(count: int, *, days: int = 90, seed: int = 7) -> np.ndarray:
    """`count` events of the `days` days up to :data:`AS_OF`, in canonical order."""
    random = np.random.default_rng(seed)
    events: np.ndarray = np.zeros(count, EVENT_DTYPE)
    events["at"] = np.sort(int(AS_OF.timestamp()) - random.integers(0, days * _DAY, count))
    mix = list(_SHARES)
    kinds = np.array(mix)[random.choice(len(mix), count, p=list(_SHARES.values()))]
    events["kind"], events["status"] = kinds[:, 0], kinds[:, 1]
    events["amount"] = events["settled"] = random.lognormal(8.2, 0.6, count).astype(np.int64)
    events["source"] = random.integers(-(2**63), 2**63 - 1, count)
    events["charge"] = np.where(events["kind"] == Kind.CHARGE, events["source"], random.choice(events["source"], count))
    cards = random.integers(-(2**63), 2**63 - 1, max(1, count // 3))
    events["card"] = random.choice(cards, count)
    events["customer"] = events["card"]
    # A third of declined attempts is tried again with the same card within the hour.
    again = np.flatnonzero((events["kind"] == Kind.CHARGE) & (events["status"] == Status.FAILED))[::3]
    again = again[again < count - 1]
    events["card"][again + 1] = events["card"][again]
    events["currency"] = events["settled_currency"] = pack_letters("usd")
    countries = [pack_letters(code) for code in ("US", "CA", "GB", "DE", "FR", "AU", "MX", "JP")]
    events["country"] = random.choice(countries, count, p=[0.72, 0.08, 0.06, 0.04, 0.03, 0.03, 0.02, 0.02])
    events["network"] = random.choice([1, 2, 3, 4], count, p=[0.55, 0.3, 0.1, 0.05])
    events["method"], events["three_d_secure"] = Method.CARD, -1
    return sort_events(events)
