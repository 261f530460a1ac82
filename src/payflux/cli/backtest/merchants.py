"""Whose past is replayed: simulated merchants with a known truth, the real purchases, or the user's own exports."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from payflux.monitor.backtest.disputes import DisputeRecord
from payflux.monitor.processors.codes import Kind, Method, Status, reason_code
from payflux.monitor.processors.events import EVENT_DTYPE, pack_letters
from payflux.monitor.risk.rules.lag import LAST_AGE
from payflux.monitor.risk.rules.summary import DAY
from payflux.sandbox.merchants.purchases import load_purchases
from payflux.sandbox.simulator.simulate import Simulated

COUNTED = (Status.OPEN, Status.WON, Status.LOST)
"""States of a dispute that the networks count."""

_SOURCES = {Kind.CHARGE: 0, Kind.DISPUTE: 1, Kind.REFUND: 2, Kind.EARLY_FRAUD_WARNING: 3, Kind.RESERVE_HOLD: 4}


class Past(NamedTuple):
    """One merchant's whole past: `events` of EVENT_DTYPE in time order, the first day, how many days of sales are
    known, and the last day of which everything is known, disputes too.
    """

    name: str
    events: np.ndarray
    first_day: int
    days: int
    known_to: int

    @property
    def record(self) -> DisputeRecord:
        """Payments and disputes by day; disputes may come after the last day of sales."""
        paid = self._chosen(Kind.CHARGE, (Status.SUCCEEDED,))
        disputed = self._chosen(Kind.DISPUTE, COUNTED)
        disputed = disputed[disputed["charge_at"] > 0]
        payments = np.bincount(paid["at"] // DAY - self.first_day, minlength=self.days)[: self.days]
        return DisputeRecord(self.first_day, payments, disputed["charge_at"] // DAY, disputed["at"] // DAY)

    @property
    def sold(self) -> np.ndarray:
        """Settled minor units of each day, in the settlement currency of most payments."""
        paid = self._chosen(Kind.CHARGE, (Status.SUCCEEDED,))
        if paid.size:
            paid = paid[paid["settled_currency"] == np.bincount(paid["settled_currency"]).argmax()]
        day = paid["at"] // DAY - self.first_day
        sold = np.zeros(self.days, np.int64)
        np.add.at(sold, day[day < self.days], paid["settled"][day < self.days])
        return sold

    def _chosen(self, kind: Kind, states: tuple[Status, ...]) -> np.ndarray:
        days = self.events["at"] // DAY
        chosen = (self.events["kind"] == kind) & np.isin(self.events["status"], states)
        return self.events[chosen & (days >= self.first_day)]


def past_of_events(name: str, events: np.ndarray) -> Past:
    """The past of a merchant's own `events`, of EVENT_DTYPE in time order; its last day is left out as not over."""
    paid = events[(events["kind"] == Kind.CHARGE) & (events["status"] == Status.SUCCEEDED)]
    first, last = (int(paid["at"][place]) // DAY for place in (0, -1)) if paid.size else (0, 0)
    return Past(name, events, first, last - first, int(events["at"][-1]) // DAY - 1 if events.size else 0)


def past_of_simulated(name: str, simulated: Simulated, days: int) -> Past:
    """The simulated events as normalised ones; all settle in US dollars."""
    charges = simulated.charges
    parts = [_rows(Kind.CHARGE, Status.SUCCEEDED, charges["at"], charges, np.arange(len(charges)))]
    for kind, rows in (
        (Kind.DISPUTE, simulated.disputes),
        (Kind.REFUND, simulated.refunds),
        (Kind.EARLY_FRAUD_WARNING, simulated.warnings),
    ):
        status = Status.SETTLED if kind == Kind.EARLY_FRAUD_WARNING else Status.SUCCEEDED
        parts.append(_rows(kind, status, rows["at"], charges, rows["charge"]))
    parts[1]["status"] = np.where(simulated.disputes["won"], Status.WON, Status.LOST)
    parts[1]["reason"] = np.where(
        simulated.disputes["fraud"], reason_code("fraudulent"), reason_code("product_not_received")
    )
    parts[2]["settled"] = parts[2]["amount"] = simulated.refunds["amount"]
    holds = simulated.holds
    held: np.ndarray = np.zeros(len(holds), EVENT_DTYPE)
    held["kind"], held["status"], held["at"], held["ends_at"] = (
        Kind.RESERVE_HOLD, Status.SUCCEEDED, holds["at"], holds["ends_at"],
    )  # fmt: skip
    held["amount"] = held["settled"] = holds["amount"]
    held["currency"] = held["settled_currency"] = pack_letters("usd")
    held["source"] = _sources(Kind.RESERVE_HOLD, len(holds))
    events = np.concatenate([*parts, held])
    first = simulated.start
    return Past(name, events[np.argsort(events["at"], kind="stable")], first, days, first + days + LAST_AGE)


def real_purchases() -> Past:
    """The purchases of a real shop in 1997 and 1998; they hold no disputes, refunds or declines."""
    purchases = load_purchases()
    events: np.ndarray = np.zeros(len(purchases.day), EVENT_DTYPE)
    first = int(np.datetime64("1997-01-01").astype(np.int64))
    events["kind"], events["status"] = Kind.CHARGE, Status.SUCCEEDED
    events["at"] = (first + purchases.day) * DAY
    events["amount"] = events["settled"] = purchases.amount
    events["source"] = np.arange(1, len(events) + 1)
    events["currency"] = events["settled_currency"] = pack_letters("usd")
    days = int(purchases.day.max()) + 1
    return Past("real shop 1997/98", events, first, days, first + days)


def _rows(kind: Kind, status: Status, at: np.ndarray, charges: np.ndarray, about: np.ndarray) -> np.ndarray:
    rows: np.ndarray = np.zeros(len(at), EVENT_DTYPE)
    rows["kind"], rows["status"], rows["at"], rows["method"] = kind, status, at, Method.CARD
    rows["charge"], rows["charge_at"] = about + 1, charges["at"][about]
    rows["amount"] = rows["settled"] = charges["amount"][about]
    for name in ("network", "three_d_secure", "customer"):
        rows[name] = charges[name][about]
    rows["card"] = rows["customer"]
    rows["currency"] = rows["settled_currency"] = pack_letters("usd")
    rows["source"] = _sources(kind, len(rows))
    return rows


def _sources(kind: Kind, count: int) -> np.ndarray:
    return np.arange(count) * len(_SOURCES) + _SOURCES[kind] + 1
