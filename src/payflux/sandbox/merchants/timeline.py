"""When something changed in a merchant's books: one row for each event that tells of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from payflux.sandbox.merchants.chance import Chance
from payflux.sandbox.merchants.purchases import DAY
from payflux.sandbox.merchants.reviews import NEVER
from payflux.sandbox.merchants.tables import Change, Course, Table

if TYPE_CHECKING:
    from payflux.sandbox.merchants.merchant import Merchant


class Moments(NamedTuple):
    """The rows of the objects that change, when they do, and the key of what changes them."""

    row: np.ndarray
    at: np.ndarray
    key: np.ndarray


class ChangeKind(NamedTuple):
    type: str  # of the event
    about: str  # the table of its object; "account" and "balance" are none
    find: Callable[[Merchant], Moments]
    before: bool = False  # whether the event tells what the object was before
    early: int = 0  # seconds: the object is shown as it was so long before


def _when(table: str, at: Callable[[np.ndarray], np.ndarray], rows: Callable[[np.ndarray], np.ndarray]) -> Callable:
    """Changes of the rows of a table for which `rows` holds."""

    def find(merchant: Merchant) -> Moments:
        data = merchant.tables[table].data
        chosen = np.flatnonzero(rows(data))
        return Moments(chosen, at(data)[chosen], data["key"][chosen])

    return find


def _created(data: np.ndarray) -> np.ndarray:
    return data["created"]


def _always(data: np.ndarray) -> np.ndarray:
    return np.ones(len(data), bool)


def _new(table: str) -> Callable[[Merchant], Moments]:
    return _when(table, _created, _always)


def _paid(data: np.ndarray) -> np.ndarray:
    return data["paid"] == 1


def _failed(data: np.ndarray) -> np.ndarray:
    return data["paid"] == 0


def _of(table: str, column: str, find: Callable[[Merchant], Moments]) -> Callable[[Merchant], Moments]:
    """The same moments, told of the object in a column of the rows of `table` that `find` gives."""

    def owners(merchant: Merchant) -> Moments:
        moments = find(merchant)
        return moments._replace(row=merchant.tables[table].data[column][moments.row])

    return owners


def _answered(data: np.ndarray) -> np.ndarray:
    return (data["answered_at"] > 0) & (data["answered_at"] < data["decided_at"])


def _decided(data: np.ndarray) -> np.ndarray:
    return data["course"] != Course.PREVENTED


def _warnings_ended(merchant: Merchant) -> Moments:
    """A dispute ends what can be done about the warnings of its payment."""
    warnings = merchant.warnings.data
    dispute = np.array([merchant.dispute_of.get(charge, -1) for charge in warnings["charge"].tolist()], np.int64)
    rows = np.flatnonzero(dispute >= 0)
    at = merchant.disputes.created[dispute[rows]]
    later = at > warnings["created"][rows]
    return Moments(rows[later], at[later], warnings["key"][rows[later]])


def _closed(merchant: Merchant) -> Moments:
    at = np.array([] if merchant.closed_at is None else [merchant.closed_at], np.int64)
    return Moments(np.zeros_like(at), at, at)


def _available(merchant: Merchant) -> Moments:
    """Each midnight at which money that was pending becomes available."""
    moved = merchant.movements.data
    at = np.unique(moved["available_on"][moved["available_on"] > moved["created"]])
    return Moments(np.zeros_like(at), at, at // DAY)


# In the order in which changes of the same second are told.
CHANGES: tuple[ChangeKind, ...] = (
    ChangeKind("account.updated", "account", _closed, before=True),
    ChangeKind("balance.available", "balance", _available),
    ChangeKind("payment_intent.created", "intents", _new("intents"), early=1),
    ChangeKind("charge.failed", "charges", _when("charges", _created, _failed)),
    ChangeKind(
        "payment_intent.payment_failed", "intents", _of("charges", "intent", _when("charges", _created, _failed))
    ),
    ChangeKind("charge.succeeded", "charges", _when("charges", _created, _paid)),
    ChangeKind("payment_intent.succeeded", "intents", _of("charges", "intent", _when("charges", _created, _paid))),
    ChangeKind("radar.early_fraud_warning.created", "warnings", _new("warnings")),
    ChangeKind("charge.dispute.created", "disputes", _new("disputes")),
    ChangeKind(
        "charge.dispute.funds_withdrawn",
        "disputes",
        _when("disputes", _created, lambda data: data["course"] == Course.CHARGEBACK),
    ),
    ChangeKind("radar.early_fraud_warning.updated", "warnings", _warnings_ended, before=True),
    ChangeKind(
        "charge.dispute.updated",
        "disputes",
        _when("disputes", lambda data: data["answered_at"], _answered),
        before=True,
    ),
    ChangeKind(
        "charge.dispute.closed", "disputes", _when("disputes", lambda data: data["decided_at"], _decided), before=True
    ),
    ChangeKind(
        "charge.dispute.funds_reinstated",
        "disputes",
        _when("disputes", lambda data: data["decided_at"], lambda data: data["won"] == 1),
    ),
    ChangeKind("refund.created", "refunds", _new("refunds")),
    ChangeKind("charge.refunded", "charges", _of("refunds", "charge", _new("refunds")), before=True),
    ChangeKind("payout.created", "payouts", _new("payouts")),
    ChangeKind("payout.paid", "payouts", _when("payouts", lambda data: data["arrival"], _always), before=True),
    ChangeKind("review.opened", "reviews", _new("reviews")),
    ChangeKind(
        "review.closed",
        "reviews",
        _when("reviews", lambda data: data["closed_at"], lambda data: data["closed_at"] < NEVER),
        before=True,
    ),
    ChangeKind("reserve.plan.created", "plans", _new("plans")),
    ChangeKind("reserve.hold.created", "holds", _new("holds")),
    ChangeKind("reserve.release.created", "releases", _new("releases")),
    ChangeKind("reserve.hold.updated", "holds", _when("holds", lambda data: data["until"], _always), before=True),
)


def make_timeline(merchant: Merchant) -> Table[Change]:
    """Every change of the books, also those to come, in order of time. An event's key is made from that of the object
    whose making or ending it tells of, so it stays as days are added."""
    keys = Chance("events")
    parts = []
    for number, kind in enumerate(CHANGES):
        moments = kind.find(merchant)
        key = (number << 56) | (keys.bits(kind.type, moments.key) >> 7)
        parts.append((moments.at, key, np.full(len(key), number), moments.row))
    created, key, kinds, row = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Table(Change, {"created": created, "key": key, "kind": kinds, "row": row})
