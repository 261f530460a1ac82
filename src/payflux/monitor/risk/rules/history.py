"""The events of one workspace made canonical: what every signal reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from payflux.monitor.processors.codes import Kind, Network, Status
from payflux.monitor.processors.events import EVENT_DTYPE, unpack_letters
from payflux.monitor.processors.snapshots import AccountSnapshot, BalanceSnapshot

DAY = 86_400
HISTORY_DAYS = 400
"""Older events are not read: 13 months cover every programme's reference month."""


@dataclass(frozen=True)
class History:
    """Events up to `as_of` in the canonical order, and what the processor says of the account.

    `payments` are charges that succeeded, `declines` those that failed, `disputes` those that the networks count (no
    inquiry, none prevented), `refunds` those that succeeded. `currency` is the packed settlement currency of most
    payments in the window, 0 without any; amounts of different currencies are never added.
    """

    events: np.ndarray
    as_of: datetime
    window_days: int
    account: AccountSnapshot | None
    balance: BalanceSnapshot | None
    payments: np.ndarray
    declines: np.ndarray
    disputes: np.ndarray
    refunds: np.ndarray
    warnings: np.ndarray
    payouts: np.ndarray
    currency: int
    notes: tuple[str, ...]

    @property
    def now(self) -> int:
        return int(self.as_of.timestamp())

    @property
    def currency_code(self) -> str:
        """ISO 4217, lower case; the account's default, else `usd`, when nothing was sold."""
        if self.currency:
            return unpack_letters(self.currency).lower()
        return self.account.default_currency if self.account else "usd"

    def last(self, events: np.ndarray, days: float, skip: float = 0) -> np.ndarray:
        """Of `events` (in time order) those of the `days` days that ended `skip` days ago."""
        first, end = np.searchsorted(
            events["at"], [self.now - int((days + skip) * DAY), self.now - int(skip * DAY)], side="right"
        )
        return events[first:end]

    def settled(self, events: np.ndarray) -> np.ndarray:
        """Settled amounts of those `events` that settle in the main currency."""
        return events["settled"][events["settled_currency"] == self.currency]


def prepare(
    events: np.ndarray,
    *,
    as_of: datetime,
    account: AccountSnapshot | None = None,
    balance: BalanceSnapshot | None = None,
    window_days: int = 90,
) -> History:
    """Canonical history: sorted, without duplicates, later events and events older than 13 months.

    An event without its charge's time or network takes them from that charge, when it is here. The events that were
    left out are counted in `notes`. Raises ValueError for an array of another type or an `as_of` without a time zone.
    """
    if events.dtype != EVENT_DTYPE:
        raise ValueError("events are an array of EVENT_DTYPE")
    if as_of.tzinfo is None:
        raise ValueError("as_of needs a time zone")
    now = int(as_of.timestamp())
    later = int(np.count_nonzero(events["at"] > now))
    kept = events[(events["at"] <= now) & (events["at"] > now - HISTORY_DAYS * DAY)]
    known = len(kept)
    kept = _join_charges(_unique(kept))
    charges = kept[kept["kind"] == Kind.CHARGE]
    payments = charges[charges["status"] == Status.SUCCEEDED]
    disputes = kept[kept["kind"] == Kind.DISPUTE]
    in_window = payments["settled_currency"][payments["at"] > now - window_days * DAY]
    in_window = in_window[in_window > 0]
    return History(
        events=kept,
        as_of=as_of,
        window_days=window_days,
        account=account,
        balance=balance,
        payments=payments,
        declines=charges[charges["status"] == Status.FAILED],
        disputes=disputes[(disputes["status"] != Status.PREVENTED) & (disputes["status"] != Status.INQUIRY)],
        refunds=kept[(kept["kind"] == Kind.REFUND) & (kept["status"] == Status.SUCCEEDED)],
        warnings=kept[kept["kind"] == Kind.EARLY_FRAUD_WARNING],
        payouts=kept[kept["kind"] == Kind.PAYOUT],
        currency=int(np.bincount(in_window).argmax()) if in_window.size else 0,
        notes=_notes(later, known - len(kept), account, balance),
    )


def _unique(events: np.ndarray) -> np.ndarray:
    """`events` in the canonical order, one for each (kind, source): the one with the last time and state."""
    names = [name for name in EVENT_DTYPE.names or () if name not in ("kind", "source", "at", "status")]
    tie_breaks = [events[name] for name in names] if _has_twins(events) else []
    ordered = events[np.lexsort((*tie_breaks, events["status"], events["at"], events["source"], events["kind"]))]
    twin = (ordered["kind"][1:] == ordered["kind"][:-1]) & (ordered["source"][1:] == ordered["source"][:-1])
    twin &= ordered["source"][1:] != 0
    ordered = ordered[np.append(~twin, True)] if len(ordered) else ordered
    return ordered[np.lexsort((ordered["source"], ordered["kind"], ordered["at"]))]


def _has_twins(events: np.ndarray) -> bool:
    return len(np.unique(events["source"])) < len(events)


def _join_charges(events: np.ndarray) -> np.ndarray:
    charges = events[(events["kind"] == Kind.CHARGE) & (events["charge"] != 0)]
    about = (events["kind"] != Kind.CHARGE) & (events["charge"] != 0)
    lacking = np.flatnonzero(about & ((events["charge_at"] == 0) | (events["network"] == Network.UNKNOWN)))
    if not lacking.size or not charges.size:
        return events
    charges = charges[np.argsort(charges["charge"], kind="stable")]
    wanted = events["charge"][lacking]
    place = np.minimum(np.searchsorted(charges["charge"], wanted), len(charges) - 1)
    found = charges["charge"][place] == wanted
    lacking, place = lacking[found], place[found]
    joined = events.copy()
    for name, source in (("charge_at", "at"), ("network", "network"), ("method", "method")):
        known = events[name][lacking]
        joined[name][lacking] = np.where(known == 0, charges[source][place], known)
    return joined


def _notes(later: int, twins: int, account: AccountSnapshot | None, balance: BalanceSnapshot | None) -> tuple[str, ...]:
    notes = []
    if later:
        notes.append(f"{later:,} events dated after the readout's time were ignored.")
    if twins:
        notes.append(f"{twins:,} events came more than once and were counted once.")
    if account is None:
        notes.append("The account's state cannot be seen in this data.")
    if balance is None:
        notes.append("The account's balance cannot be seen in this data.")
    return tuple(notes)
