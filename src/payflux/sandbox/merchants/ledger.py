"""The merchant's balance: one balance transaction for everything that moves money, and the daily payouts."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from payflux.sandbox.merchants import tables
from payflux.sandbox.merchants.archetypes import Archetype
from payflux.sandbox.merchants.chance import Chance
from payflux.sandbox.merchants.currencies import converted, rates
from payflux.sandbox.merchants.orders import DELAY, Orders
from payflux.sandbox.merchants.purchases import DAY, Calendar, midnight
from payflux.sandbox.merchants.reserve import Held, hold_back
from payflux.sandbox.merchants.tables import Charge, Course, Dispute, Movement, Payout, Refund, Table

FEE_PER_MILLE, FEE_FIXED = 29, 30  # 2.9 % + 30 cents
DISPUTE_FEE = 1500
CONVERSION_PER_MILLE = 20
SETTLEMENT_DAYS = 2
PAYOUT_TIME = 600  # seconds after midnight, UTC, on business days


def make_ledger(
    archetype: Archetype,
    calendar: Calendar,
    horizon: date,
    charges: Table[Charge],
    refunds: Table[Refund],
    disputes: Table[Dispute],
    orders: Orders,
) -> tuple[Table[Movement], Table[Payout]]:
    """Book every movement of money, pay out what is available, and note each movement on its source's row."""
    ids = Chance(f"ids/{archetype.name}/{calendar.anchor}")
    paid = np.flatnonzero(charges.data["paid"])
    c, r, d = charges.data[paid], refunds.data, disputes.data
    settles = _settlement(c["created"], orders)
    presented = charges.data["currency"]
    rate = rates(archetype.currency, c["currency"], c["created"])
    amount = converted(c["amount"], rate)
    fee = (amount * (archetype.fee_per_mille + CONVERSION_PER_MILLE * (rate > 0)) + 500) // 1000 + archetype.fee_fixed
    back = rates(archetype.currency, presented[r["charge"]], r["created"])
    lost = np.flatnonzero(d["course"] == Course.CHARGEBACK)
    won = np.flatnonzero(d["won"])
    taken = rates(archetype.currency, presented[d["charge"]], d["created"])
    disputed = converted(d["amount"], taken)  # what is won comes back at the rate it was taken at
    parts = [
        _part(tables.CHARGE, paid, c["created"], amount, fee, settles, rate),
        _part(tables.REFUND, np.arange(len(r)), r["created"], -converted(r["amount"], back), rate=back),
        _part(
            tables.WITHDRAWAL,
            lost,
            d["created"][lost],
            -disputed[lost],
            np.full(len(lost), archetype.dispute_fee),
            rate=taken[lost],
        ),
        _part(tables.REINSTATEMENT, won, d["decided_at"][won], disputed[won], rate=taken[won]),
    ]
    if archetype.reserve_rate:
        parts += _reserve(archetype, hold_back(archetype, calendar, charges, refunds), orders)
    book = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    payouts = _payouts(archetype, calendar, horizon, book, ids, orders)
    settled = _part(tables.PAYOUT, np.arange(len(payouts)), payouts.created, -payouts.data["amount"])
    book = {name: np.concatenate([book[name], settled[name]]) for name in settled}
    book["key"] = _keys(book, ids, {"charges": charges, "refunds": refunds, "disputes": disputes, "payouts": payouts})
    movements: Table[Movement] = Table(Movement, book)
    _note(movements, charges, refunds, disputes, payouts)
    return movements, payouts


def _settlement(created: np.ndarray, orders: Orders) -> np.ndarray:
    """When payments are available: at midnight, UTC, some days on."""
    days = np.full(len(created), SETTLEMENT_DAYS)
    for order in sorted(order for order in orders.given if order.what == DELAY):
        days[created >= order.at] = order.value
    return created - created % DAY + days * DAY


def _keys(book: dict[str, np.ndarray], ids: Chance, sources: dict[str, Table]) -> np.ndarray:
    """A key for each movement from its kind and its source's key: row numbers may shift as days are added."""
    keys = np.zeros(len(book["kind"]), dtype=np.int64)
    for kind, movement in enumerate(tables.MOVEMENTS):
        rows = book["kind"] == kind
        keys[rows] = ids.bits(f"movement-{kind}", sources[movement.source].data["key"][book["source"][rows]])
    return keys


def _part(
    kind: int,
    source: np.ndarray,
    created: np.ndarray,
    amount: np.ndarray,
    fee: np.ndarray | None = None,
    available_on: np.ndarray | None = None,
    rate: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Movements of one kind, available at once unless said otherwise."""
    fee = np.zeros(len(source), np.int64) if fee is None else fee
    return {
        "created": created,
        "kind": np.full(len(source), kind),
        "source": source,
        "amount": amount,
        "fee": fee,
        "net": amount - fee,
        "available_on": created if available_on is None else available_on,
        "payout": np.full(len(source), -1),
        "rate": np.zeros(len(source), np.int64) if rate is None else rate,
    }


def _reserve(archetype: Archetype, held: Held, orders: Orders) -> list[dict[str, np.ndarray]]:
    """What is held back leaves the payments balance for the reserved one, and comes back. The legacy form shows the
    payments balance alone."""
    settles = _settlement(held.created, orders)
    if archetype.legacy_reserve:
        return [
            _part(tables.RESERVED, held.charge, held.created, -held.amount, None, settles),
            _part(tables.UNRESERVED, held.charge, held.until, held.amount),
        ]
    return [
        _part(tables.HOLD, held.charge, held.created, -held.amount, None, settles),
        _part(tables.HELD, held.charge, held.created, held.amount),
        _part(tables.RELEASE, held.charge, held.until, held.amount),
        _part(tables.RELEASED, held.charge, held.until, -held.amount),
    ]


def next_business_day(day: date) -> date:
    """The first day after `day` that is no Saturday or Sunday."""
    day += timedelta(days=1)
    return day + timedelta(days=max(7 - day.weekday(), 0)) if day.weekday() > 4 else day


def _payouts(
    archetype: Archetype, calendar: Calendar, horizon: date, book: dict[str, np.ndarray], ids: Chance, orders: Orders
) -> Table[Payout]:
    """Each business day pays out all that is available; a balance that is not positive waits for the next."""
    last = min(horizon, calendar.anchor - timedelta(days=archetype.closed_since)) if archetype.closed_since else horizon
    days = [calendar.first + timedelta(days=n) for n in range((last - calendar.first).days + 1)]
    days = [day for day in days if orders.pays_on(day)]
    times = np.array([midnight(day) + PAYOUT_TIME for day in days], dtype=np.int64)
    kinds = np.isin(book["kind"], tables.RESERVED_KINDS)
    slot = np.searchsorted(times, np.maximum(book["created"], book["available_on"]), side="left")
    slot[kinds] = len(days)
    sums = np.zeros(len(days) + 1, dtype=np.int64)
    np.add.at(sums, slot, book["net"])
    number = np.full(len(days) + 1, -1)  # the payout that each slot's movements end in
    rows: list[tuple[int, int, int]] = []
    balance, waiting = 0, []
    for n, total in enumerate(sums[:-1].tolist()):
        balance += total
        waiting.append(n)
        if balance > 0:
            number[waiting] = len(rows)
            rows.append((int(times[n]), balance, midnight(next_business_day(days[n]))))
            balance, waiting = 0, []
    book["payout"][:] = number[slot]
    created, amount, arrival = np.array(rows, dtype=np.int64).reshape(len(rows), 3).T
    key = ids.bits("payout", created)
    return Table(
        Payout,
        {"created": created, "key": key, "amount": amount, "arrival": arrival, "movement": np.full(len(rows), -1)},
    )


def _note(
    movements: Table[Movement],
    charges: Table[Charge],
    refunds: Table[Refund],
    disputes: Table[Dispute],
    payouts: Table[Payout],
) -> None:
    """Write each movement's row number where its source can find it."""
    kind, source = movements.data["kind"], movements.data["source"]
    for table, column, which in (
        (charges, "movement", tables.CHARGE),
        (refunds, "movement", tables.REFUND),
        (disputes, "withdrawal", tables.WITHDRAWAL),
        (disputes, "reinstatement", tables.REINSTATEMENT),
        (payouts, "movement", tables.PAYOUT),
    ):
        rows = np.flatnonzero(kind == which)
        table.data[column][source[rows]] = rows
