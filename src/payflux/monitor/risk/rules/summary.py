"""A workspace's payment events as exact counts and amounts by UTC day: what every signal reads.

A summary is a set of integer sums, so that it is the same from any order of events, from NumPy or from SQL, on every
machine, and ten million events are a few ten thousand rows.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import numpy as np

from payflux.monitor.processors.codes import COUNTED_KINDS, Kind, Network, Status
from payflux.monitor.processors.events import EVENT_DTYPE
from payflux.monitor.risk.rules.retries import retry_times

DAY = 86_400
HISTORY_DAYS = 400
"""Older events are not read: 13 months cover every programme's reference month."""

GROUP_KEYS = (
    "day", "charge_day", "kind", "status", "network", "method", "outcome", "risk_level", "three_d_secure", "country",
    "reason", "currency",
)  # fmt: skip
GROUP_DTYPE = np.dtype(
    [
        ("day", "i4"),
        ("charge_day", "i4"),
        *((name, "i2") for name in GROUP_KEYS[2:]),
        ("count", "i8"),
        ("settled", "i8"),
    ]
)
"""Events that agree in all of :data:`GROUP_KEYS`, their number and settled minor units. `day` counts days of UTC since
1970; `charge_day` is that of the charge an event is about, 0 when unknown; `currency` is the settlement currency."""

TICKET_DTYPE = np.dtype([("day", "i4"), ("currency", "i2"), ("ticket", "i8"), ("count", "i8"), ("settled", "i8")])
"""Payments by the size of the ticket: its settled amount cut to three digits, within 1 % of itself."""

CARD_DTYPE = np.dtype([("day", "i4"), ("retries", "i8"), ("declined_cards", "i8")])
"""Attempts within an hour after a decline of the same card, and how many cards were declined, by day."""

CONVERSION_DTYPE = np.dtype([("currency", "i2"), ("settled_currency", "i2"), ("amount", "i8"), ("settled", "i8")])
"""Payments that settle in another currency than the payer's: minor units of both, so that settled / amount is the
balance transactions' own rate."""

LARGEST_SUM = 10**16
"""Minor units that the amounts of a history may come to, so that their sums, forecast too, fit into 64 bits."""


class Customers(NamedTuple):
    """Sales of the window to known customers in minor units of the main currency: all, the largest customer's, and the
    sum of squares over customers."""

    volume: int
    largest: int
    squares: int


class Summary(NamedTuple):
    """Events of :data:`COUNTED_KINDS` up to an instant, at most 400 days back, each `(kind, source)` once. Rows are in
    the order of their keys.

    `groups` is of GROUP_DTYPE; `holds` are the single reserve holds and releases, of EVENT_DTYPE; `tickets`, `cards`,
    `conversions` and `customers` cover the window only. `currency` is the packed settlement currency of most payments
    in the window, 0 without any. `later` and `repeated` count the events that were left out.
    """

    groups: np.ndarray
    tickets: np.ndarray
    cards: np.ndarray
    holds: np.ndarray
    conversions: np.ndarray
    customers: Customers
    currency: int
    later: int = 0
    repeated: int = 0


def summarise(events: np.ndarray, *, as_of: datetime, window_days: int = 90) -> Summary:
    """The summary of `events` (an array of EVENT_DTYPE, in any order) at `as_of`; its window ends with that day.

    An event without its charge's time, network or method takes them from that charge, when it is here. Raises
    ValueError for an array of another type, an `as_of` without a time zone or amounts that are too large to be added.
    """
    if events.dtype != EVENT_DTYPE:
        raise ValueError("events are an array of EVENT_DTYPE")
    if as_of.tzinfo is None:
        raise ValueError("as_of needs a time zone")
    now = int(as_of.timestamp())
    today = now // DAY
    counted = events["kind"] < COUNTED_KINDS.stop
    later = int(np.count_nonzero(counted & (events["at"] > now)))
    known = events[counted & (events["at"] <= now) & (events["at"] >= (today - HISTORY_DAYS + 1) * DAY)]
    check_amounts(known["settled"])
    unique = _unique(known)
    kept = _join_charges(unique)
    recent = kept[(kept["at"] >= (today - window_days + 1) * DAY) & (kept["kind"] == Kind.CHARGE)]
    paid = recent[recent["status"] == Status.SUCCEEDED]
    currency = main_currency(paid)
    moved = (kept["kind"] == Kind.RESERVE_HOLD) | (kept["kind"] == Kind.RESERVE_RELEASE)
    return Summary(
        groups=_groups(kept),
        tickets=_tickets(paid),
        cards=_cards(recent),
        holds=in_key_order(kept[moved]),
        conversions=_conversions(paid),
        customers=_customers(paid[(paid["settled_currency"] == currency) & (currency > 0)]),
        currency=currency,
        later=later,
        repeated=len(known) - len(unique),
    )


def check_amounts(amounts: np.ndarray) -> None:
    """Raises ValueError when `amounts`, int64 minor units, come to more than :data:`LARGEST_SUM`."""
    if int(amounts.max(initial=0)) * amounts.size > LARGEST_SUM and sum(amounts.tolist()) > LARGEST_SUM:
        raise ValueError(f"The amounts come to over {LARGEST_SUM:,} minor units; that is too much to be added up.")


def main_currency(payments: np.ndarray) -> int:
    """The packed settlement currency of most of these payments, the smaller code among equals; 0 without any."""
    known = payments["settled_currency"][payments["settled_currency"] > 0]
    return int(np.bincount(known).argmax()) if known.size else 0


def in_key_order(events: np.ndarray) -> np.ndarray:
    """Single events in their canonical order: by time, kind and source."""
    return events[np.lexsort((events["source"], events["kind"], events["at"]))]


def group_by(columns: dict[str, np.ndarray], amounts: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Rows of `dtype`, one for each distinct combination of `columns`, in their order, with `count` and the exact sum
    of `amounts` as `settled`."""
    rows = np.zeros(0, dtype)
    if not amounts.size:
        return rows
    order = _order(list(columns.values()))
    changed = np.zeros(len(order), bool)
    changed[0] = True
    sorted_columns = {name: values[order] for name, values in columns.items()}
    for values in sorted_columns.values():
        changed[1:] |= values[1:] != values[:-1]
    starts = np.flatnonzero(changed)
    rows = np.zeros(len(starts), dtype)
    for name, values in sorted_columns.items():
        rows[name] = values[starts]
    rows["count"] = np.diff(starts, append=len(order))
    rows["settled"] = np.add.reduceat(amounts[order], starts)
    return rows


def cut_to_three_digits(amounts: np.ndarray) -> np.ndarray:
    """Amounts of minor units with every digit after the third set to 0; amounts of nothing stay nothing."""
    unit = np.ones(len(amounts), np.int64)
    for power in range(3, 18):
        unit[amounts >= 10**power] = 10 ** (power - 2)
    return amounts // unit * unit


def _order(columns: list[np.ndarray]) -> np.ndarray:
    """Indices that sort by the first column, then the second, …: by one packed integer where it fits into 63 bits."""
    offsets = [int(values.min()) for values in columns]
    widths = [(int(values.max()) - least).bit_length() for values, least in zip(columns, offsets, strict=True)]
    if sum(widths) > 63:
        return np.lexsort(columns[::-1])
    key = np.zeros(len(columns[0]), np.int64)
    for values, least, width in zip(columns, offsets, widths, strict=True):
        key = (key << width) | (values - least)
    return np.argsort(key, kind="stable")


def _groups(events: np.ndarray) -> np.ndarray:
    columns = {name: events[name] for name in GROUP_KEYS[2:-1]}
    days = {"day": events["at"] // DAY, "charge_day": np.maximum(events["charge_at"], 0) // DAY}
    charge = events["kind"] == Kind.CHARGE
    days["charge_day"] = np.where(charge, days["day"], days["charge_day"])
    return group_by({**days, **columns, "currency": events["settled_currency"]}, events["settled"], GROUP_DTYPE)


def _tickets(payments: np.ndarray) -> np.ndarray:
    columns = {
        "day": payments["at"] // DAY,
        "currency": payments["settled_currency"],
        "ticket": cut_to_three_digits(payments["settled"]),
    }
    return group_by(columns, payments["settled"], TICKET_DTYPE)


def _cards(charges: np.ndarray) -> np.ndarray:
    declined = charges[(charges["status"] == Status.FAILED) & (charges["card"] != 0)]
    days, cards = declined["at"] // DAY, declined["card"]
    order = np.lexsort((cards, days))
    days, cards = days[order], cards[order]
    first = np.append(True, (days[1:] != days[:-1]) | (cards[1:] != cards[:-1]))[: len(days)]
    again = retry_times(charges) // DAY
    rows: np.ndarray = np.zeros(len(np.union1d(days, again)), CARD_DTYPE)
    rows["day"] = np.union1d(days, again)
    np.add.at(rows["declined_cards"], np.searchsorted(rows["day"], days[first]), 1)
    np.add.at(rows["retries"], np.searchsorted(rows["day"], again), 1)
    return rows


def _conversions(payments: np.ndarray) -> np.ndarray:
    other = payments[(payments["currency"] != payments["settled_currency"]) & (payments["settled"] > 0)]
    other = other[(other["currency"] > 0) & (other["settled_currency"] > 0) & (other["amount"] > 0)]
    order = np.lexsort((other["settled_currency"], other["currency"]))
    other = other[order]
    pair = other["currency"].astype(np.int64) << 16 | other["settled_currency"]
    starts = np.flatnonzero(np.append(True, pair[1:] != pair[:-1])[: len(pair)])
    rows: np.ndarray = np.zeros(len(starts), CONVERSION_DTYPE)
    if starts.size:
        for name in ("currency", "settled_currency"):
            rows[name] = other[name][starts]
        for name in ("amount", "settled"):
            rows[name] = np.add.reduceat(other[name], starts)
    return rows


def _customers(payments: np.ndarray) -> Customers:
    known = payments[payments["customer"] != 0]
    if not known.size:
        return Customers(0, 0, 0)
    order = np.argsort(known["customer"], kind="stable")
    customer, settled = known["customer"][order], known["settled"][order]
    starts = np.flatnonzero(np.append(True, customer[1:] != customer[:-1]))
    totals = np.add.reduceat(settled, starts).tolist()
    return Customers(sum(totals), max(totals), sum(total * total for total in totals))


def _unique(events: np.ndarray) -> np.ndarray:
    """`events`, one for each (kind, source): the one with the last time and state."""
    source = np.sort(events["source"][events["source"] != 0])
    if not (source[1:] == source[:-1]).any():
        return events
    names = [name for name in EVENT_DTYPE.names or () if name not in ("kind", "source", "at", "status")]
    tie_breaks = [events[name] for name in names]
    ordered = events[np.lexsort((*tie_breaks, events["status"], events["at"], events["source"], events["kind"]))]
    twin = (ordered["kind"][1:] == ordered["kind"][:-1]) & (ordered["source"][1:] == ordered["source"][:-1])
    twin &= ordered["source"][1:] != 0
    return ordered[np.append(~twin, True)]


def _join_charges(events: np.ndarray) -> np.ndarray:
    about = (events["kind"] != Kind.CHARGE) & (events["charge"] != 0)
    lacking = np.flatnonzero(about & ((events["charge_at"] == 0) | (events["network"] == Network.UNKNOWN)))
    charges = events[(events["kind"] == Kind.CHARGE) & (events["charge"] != 0)] if lacking.size else events[:0]
    if not charges.size:
        return events
    # of two attempts that share a charge the first one counts, whatever the order they came in
    charges = charges[np.lexsort((charges["source"], charges["at"], charges["charge"]))]
    wanted = events["charge"][lacking]
    place = np.minimum(np.searchsorted(charges["charge"], wanted), len(charges) - 1)
    found = charges["charge"][place] == wanted
    lacking, place = lacking[found], place[found]
    joined = events.copy()
    for name, source in (("charge_at", "at"), ("network", "network"), ("method", "method")):
        known = events[name][lacking]
        joined[name][lacking] = np.where(known == 0, charges[source][place], known)
    return joined
