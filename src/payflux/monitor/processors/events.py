"""The one normalised form of everything that happened at a processor.

A :class:`PaymentEvent` is one event as a row; :data:`EVENT_DTYPE` is the same event as fixed-width integers, the form
the risk kernel, the database's binary COPY and the SQL definition of the features share. No name, e-mail address or
card number is part of either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec
import numpy as np

from payflux.monitor.processors.codes import Kind, Method, Network, Outcome, RiskLevel, Status, reason_code


class PaymentEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One normalised thing that happened at a processor.

    Amounts are integer minor units and never negative, whatever the kind; the kind says which way the money moved.
    `settled_amount` is `amount` in the account's settlement currency at the balance transaction's own rate.
    Times are aware and UTC.
    """

    kind: Kind
    source_id: str  # the processor's id of the object, unique per connection and kind
    occurred_at: datetime
    status: Status
    amount: int
    currency: str  # ISO 4217, lower case
    settled_amount: int
    settled_currency: str
    charge_id: str = ""  # the charge this event is about; its own id for a charge; empty when unknown
    charge_occurred_at: datetime | None = None  # when that charge was made; None when unknown
    network: Network = Network.UNKNOWN
    method: Method = Method.UNKNOWN
    outcome: Outcome = Outcome.UNKNOWN
    risk_level: RiskLevel = RiskLevel.UNKNOWN
    three_d_secure: bool | None = None
    country: str = ""  # of the card, ISO 3166 alpha-2, upper case
    reason: str = ""  # of a dispute, refund, decline, warning, payout, review or change, as the processor says it
    card: str = ""  # the processor's card fingerprint; never a number
    customer: str = ""  # the processor's customer id
    ends_at: datetime | None = None  # hold: scheduled release; payout: arrival; dispute: evidence due, or won back


EVENT_DTYPE = np.dtype(
    [
        ("at", "i8"),  # occurred_at, unix seconds
        ("charge_at", "i8"),  # charge_occurred_at, unix seconds; 0 unknown
        ("ends_at", "i8"),  # unix seconds; 0 none
        ("amount", "i8"),
        ("settled", "i8"),
        ("source", "i8"),  # stable_hash(source_id)
        ("charge", "i8"),  # stable_hash(charge_id); 0 unknown
        ("card", "i8"),  # stable_hash(card); 0 unknown
        ("customer", "i8"),  # stable_hash(customer); 0 unknown
        ("kind", "i2"),
        ("status", "i2"),
        ("currency", "i2"),  # pack_letters
        ("settled_currency", "i2"),  # pack_letters
        ("network", "i2"),
        ("method", "i2"),
        ("outcome", "i2"),
        ("risk_level", "i2"),
        ("three_d_secure", "i2"),  # -1 unknown, 0 no, 1 yes
        ("country", "i2"),  # pack_letters; 0 unknown
        ("reason", "i2"),  # index into REASONS
    ]
)
"""A payment event as fixed-width integers. Column order is the order of the database's binary COPY."""


def stable_hash(text: str) -> int:
    """A signed 64-bit hash of `text`, the same on every machine; 0 for the empty string (BLAKE2b, 8 bytes)."""
    if not text:
        return 0
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def pack_letters(code: str) -> int:
    """Up to three ASCII letters as one number in [0, 19682], case-insensitive; 0 for the empty string.

    Raises ValueError when `code` is longer or holds anything but letters.
    """
    packed = 0
    if len(code) > 3 or (code and not (code.isascii() and code.isalpha())):
        raise ValueError(f"not a code of up to three letters: {code!r}")
    for letter in code.upper():
        packed = packed * 27 + ord(letter) - 64
    return packed


def unpack_letters(packed: int) -> str:
    """The upper-case letters that :func:`pack_letters` packed."""
    letters = ""
    while packed:
        packed, letter = divmod(packed, 27)
        letters = chr(letter + 64) + letters
    return letters


def _seconds(moment: datetime | None) -> int:
    return 0 if moment is None else int(moment.timestamp())


def event_record(event: PaymentEvent) -> tuple[int, ...]:
    """The integers of `event`, in the order of :data:`EVENT_DTYPE`."""
    return (
        _seconds(event.occurred_at),
        _seconds(event.charge_occurred_at),
        _seconds(event.ends_at),
        event.amount,
        event.settled_amount,
        stable_hash(event.source_id),
        stable_hash(event.charge_id),
        stable_hash(event.card),
        stable_hash(event.customer),
        event.kind,
        event.status,
        pack_letters(event.currency),
        pack_letters(event.settled_currency),
        event.network,
        event.method,
        event.outcome,
        event.risk_level,
        -1 if event.three_d_secure is None else int(event.three_d_secure),
        pack_letters(event.country),
        reason_code(event.reason),
    )


def event_columns(events: Iterable[PaymentEvent]) -> np.ndarray:
    """`events` as one array of :data:`EVENT_DTYPE`, sorted by time, then kind, then source: any order in, one out."""
    return sort_events(np.array([event_record(event) for event in events], dtype=EVENT_DTYPE))


def sort_events(columns: np.ndarray) -> np.ndarray:
    """`columns` in the canonical order, so that the same events always give the same result to the bit."""
    return columns[np.lexsort((columns["source"], columns["kind"], columns["at"]))]


def moment(seconds: int) -> datetime:
    """Unix seconds as an aware UTC datetime."""
    return datetime.fromtimestamp(int(seconds), UTC)
