"""Merchants made of columns, for tests: every number of them is chosen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from payflux.monitor.processors.codes import Kind, Method, Network, Status
from payflux.monitor.processors.events import EVENT_DTYPE, pack_letters
from payflux.monitor.processors.snapshots import AccountSnapshot, BalanceSnapshot

DAY = 86_400
AS_OF = datetime(2026, 11, 21, 12, tzinfo=UTC)
NOW = int(AS_OF.timestamp())
SOUND = AccountSnapshot(external_id="acct_1", taken_at=AS_OF, country="GB", payout_interval="daily")
FULL = BalanceSnapshot(taken_at=AS_OF, available={"usd": 5_000_000}, pending={"usd": 5_000_000})


def rows(kind: Kind, at: np.ndarray | list[int], *, status: int = Status.SUCCEEDED, **columns: Any) -> np.ndarray:
    """Events of `kind` at unix times `at`; the other columns by name, with unique sources."""
    events: np.ndarray = np.zeros(len(at), EVENT_DTYPE)
    events["kind"], events["at"], events["status"] = kind, at, status
    events["source"] = np.arange(1, len(at) + 1) * 8 + kind + 1_000_003 * int(np.sum(at) % 1_000_003)
    events["currency"] = events["settled_currency"] = pack_letters("usd")
    events["amount"] = events["settled"] = 1_000
    events["method"], events["three_d_secure"] = Method.CARD, -1
    for name, values in columns.items():
        events[name] = values
    return events


def spread(count: int, days: float, ago: float = 0.0) -> np.ndarray:
    """`count` unix times evenly over the `days` days that ended `ago` days before the readout."""
    return (NOW - (np.arange(count) + 0.5) / max(count, 1) * days * DAY - ago * DAY).astype(np.int64)


def sales(per_day: int = 10, days: int = 200, amount: int = 1_000, **columns: Any) -> np.ndarray:
    """Payments that succeeded, evenly, by Visa and Mastercard in turn."""
    at = spread(per_day * days, days)
    charges = rows(Kind.CHARGE, at, **{"amount": amount, "settled": amount, **columns})
    charges["charge"] = charges["source"]
    if "network" not in columns:
        charges["network"] = np.where(np.arange(len(at)) % 2, Network.VISA, Network.MASTERCARD)
    return charges


def about(kind: Kind, charges: np.ndarray, lag_days: float, *, status: int = Status.SUCCEEDED) -> np.ndarray:
    """Events on `charges`, `lag_days` after each."""
    events = rows(kind, charges["at"] + int(lag_days * DAY), status=status)
    for name in ("charge", "amount", "settled", "network", "method", "settled_currency"):
        events[name] = charges[name]
    events["charge_at"] = charges["at"]
    return events


def elevated_merchant() -> np.ndarray:
    """80 payments a day, 0.85 % disputed, 5 % refunded, 0.3 % warned of, 7 % declined: what the demo shows."""
    charges = sales(per_day=80, days=220, amount=3_600)
    disputes = np.concatenate(
        [
            about(Kind.DISPUTE, charges[i::471], lag, status=Status.LOST)
            for i, lag in ((0, 10), (1, 25), (2, 35), (3, 60))
        ]
    )
    warnings = about(Kind.EARLY_FRAUD_WARNING, charges[5::333], 12, status=Status.SETTLED)
    warnings["status"][4:8] = Status.ACTIONABLE
    refunds = about(Kind.REFUND, charges[7::20], 6)
    declines = rows(Kind.CHARGE, spread(6 * 220, 220), status=Status.FAILED)
    events = np.concatenate([charges, disputes, warnings, refunds, declines])
    return events[events["at"] <= NOW]
