"""The rows of a merchant's books: only integers, so that ten thousand of them cost next to nothing.

Times are unix seconds. A column named after another object holds its row number in that object's table, -1 for none.
`key` is the object's own random number, from which its id is printed.
"""

from __future__ import annotations

from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np


class Intent(NamedTuple):
    created: int
    key: int
    amount: int
    customer: int
    card: int
    attempt_1: int  # charges, in order of time
    attempt_2: int
    attempt_3: int
    currency: int


class Charge(NamedTuple):
    created: int
    key: int
    intent: int
    amount: int
    customer: int  # the number in the source data; -1: a guest
    card: int  # 63 random bits from which brand, country and fingerprint follow
    paid: int
    decline: int  # index into DECLINES; -1: paid
    risk_score: int
    three_d_secure: int
    currency: int  # index into CURRENCIES: what the customer pays in, and the amount is in
    movement: int  # its balance transaction


class Refund(NamedTuple):
    created: int
    key: int
    charge: int
    amount: int
    reason: int  # index into REFUND_REASONS
    movement: int


class FraudWarning(NamedTuple):
    created: int
    key: int
    charge: int
    fraud_type: int  # index into FRAUD_TYPES


class Dispute(NamedTuple):
    created: int
    key: int
    charge: int
    amount: int
    reason: int  # index into DISPUTE_REASONS
    course: int  # a Course
    due_by: int
    answered_at: int  # 0: never
    decided_at: int
    won: int
    withdrawal: int  # balance transactions
    reinstatement: int


class Payout(NamedTuple):
    created: int
    key: int
    amount: int
    arrival: int
    movement: int


class Movement(NamedTuple):
    """A balance transaction."""

    created: int
    key: int
    kind: int  # index into MOVEMENTS
    source: int  # row of the charge, refund, dispute or payout that the kind names
    amount: int
    fee: int
    net: int
    available_on: int
    payout: int
    rate: int  # millionths of its currency for one unit of its source's; 0: nothing is converted


class Review(NamedTuple):
    created: int
    key: int
    charge: int
    closed_at: int
    closed: int  # index into CLOSED_REASONS


class Plan(NamedTuple):
    """A reserve's plan; what it says is its merchant's."""

    created: int
    key: int


class Hold(NamedTuple):
    created: int
    key: int
    charge: int
    amount: int
    until: int  # when it is released
    scheduled: int  # when it is to be released
    refund: int  # the full refund that released it early, -1 for none
    release: int


class Release(NamedTuple):
    created: int
    key: int
    amount: int
    hold: int


class Change(NamedTuple):
    """Something that an event tells of. The higher bits of its key order the changes of one second."""

    created: int  # when it happens
    key: int
    kind: int  # index into CHANGES
    row: int  # of the object, in the table that the kind names


class Course:
    """How a dispute runs."""

    CHARGEBACK, INQUIRY, PREVENTED = range(3)


class MovementKind(NamedTuple):
    type: str
    reporting_category: str
    balance_type: str
    source: str  # the table of its source


CHARGE, REFUND, WITHDRAWAL, REINSTATEMENT, PAYOUT, HOLD, HELD, RELEASE, RELEASED, RESERVED, UNRESERVED = range(11)
MOVEMENTS = (
    MovementKind("charge", "charge", "payments", "charges"),
    MovementKind("refund", "refund", "payments", "refunds"),
    MovementKind("adjustment", "dispute", "payments", "disputes"),
    MovementKind("adjustment", "dispute_reversal", "payments", "disputes"),
    MovementKind("payout", "payout", "payments", "payouts"),
    MovementKind("reserve_hold", "risk_reserved_funds", "payments", "charges"),
    MovementKind("reserve_hold", "risk_reserved_funds", "risk_reserved", "charges"),
    MovementKind("reserve_release", "risk_reserved_funds", "payments", "charges"),
    MovementKind("reserve_release", "risk_reserved_funds", "risk_reserved", "charges"),
    MovementKind("reserved_funds", "risk_reserved_funds", "payments", "charges"),
    MovementKind("reserved_funds", "risk_reserved_funds", "payments", "charges"),
)

RESERVED_KINDS = (HELD, RELEASED)  # those of the reserved balance

R = TypeVar("R")


class Table(Generic[R]):
    """Rows of one type in order of creation, found by time or by key."""

    def __init__(self, row: Any, columns: dict[str, np.ndarray]) -> None:
        self._make = row._make
        count = len(columns["created"])
        rows = np.zeros(count, dtype=[(name, "i8") for name in row._fields])
        for name in row._fields:
            rows[name] = columns[name]
        self.order = np.lexsort((rows["key"], rows["created"]))
        self.data = rows[self.order]
        self.created: np.ndarray = np.ascontiguousarray(self.data["created"])
        self._by_key = np.argsort(self.data["key"])
        self._keys = self.data["key"][self._by_key]

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> R:
        return self._make(self.data[index].tolist())

    def rows(self, indices: np.ndarray) -> list[R]:
        return [self._make(row) for row in self.data[indices].tolist()]

    def find(self, key: int) -> int | None:
        """The row number of `key`, or None."""
        place = int(np.searchsorted(self._keys, key))
        return int(self._by_key[place]) if place < len(self._keys) and self._keys[place] == key else None

    def moved(self) -> np.ndarray:
        """For each row as it was given, its row number now."""
        places = np.empty(len(self.order), dtype=np.int64)
        places[self.order] = np.arange(len(self.order))
        return places
