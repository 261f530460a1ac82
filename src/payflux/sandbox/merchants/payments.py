"""Attempts to pay: a successful charge for each real purchase, failed attempts around them, and card testing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np

from payflux.sandbox.merchants.archetypes import Archetype
from payflux.sandbox.merchants.chance import Chance, quantile
from payflux.sandbox.merchants.currencies import AVERAGE, CURRENCIES, MILLION
from payflux.sandbox.merchants.orders import Orders
from payflux.sandbox.merchants.purchases import Calendar, load_purchases, midnight
from payflux.sandbox.merchants.tables import Charge, Intent, Table

# Share of an American shop's payments by hour, UTC: quiet at 10:00 (early morning there), busy from 16:00 to 02:00.
HOURLY = (60, 55, 50, 42, 33, 24, 16, 10, 7, 6, 6, 9, 16, 26, 36, 45, 52, 56, 58, 58, 57, 57, 59, 62)
DIURNAL = tuple(zip(np.cumsum((0, *HOURLY)) / sum(HOURLY), range(0, 25 * 3600, 3600), strict=True))

RETRIED = 0.55  # share of the failed attempts that the same card's successful payment follows within the hour
SECOND_FAILURE = 0.2  # of those, the share that fail once more before they succeed
RETRY_DELAY = ((0.0, 40.0), (0.6, 240.0), (0.9, 1200.0), (1.0, 3400.0))  # seconds before the success
# decline code, share; a block is Stripe's own decision and never reaches the network
DECLINES = (
    ("insufficient_funds", 0.34),
    ("generic_decline", 0.22),
    ("do_not_honor", 0.14),
    ("incorrect_cvc", 0.09),
    ("expired_card", 0.06),
    ("transaction_not_allowed", 0.05),
    ("stolen_card", 0.03),
    ("highest_risk_level", 0.07),
)
DECLINE_WEIGHTS = tuple(share for _, share in DECLINES)
TESTING_WEIGHTS = (0.05, 0.35, 0.2, 0.2, 0.04, 0.02, 0.04, 0.1)  # of DECLINES, in an attack
TESTING_PASSED = 0.03  # share of an attack's attempts that the issuer lets through
RISK_SCORE = ((0.0, 1.0), (0.7, 25.0), (0.975, 64.0), (0.995, 74.0), (1.0, 90.0))
TESTING_RISK_SCORE = ((0.0, 40.0), (0.5, 70.0), (1.0, 99.0))

# Kinds of attempt, part of an attempt's key beside day and number.
SUCCESS, FIRST_FAILURE, NEXT_FAILURE, ABANDONED, TESTING = range(5)


def make_payments(
    archetype: Archetype, calendar: Calendar, horizon: date, orders: Orders
) -> tuple[Table[Intent], Table[Charge]]:
    """Every checkout and every attempt from the calendar's first day to `horizon`, both included."""
    chance = Chance(f"payments/{archetype.name}")
    sales = _purchases(archetype, calendar, horizon, orders)
    key = sales["key"]
    paid_at = sales["midnight"] + quantile(DIURNAL, chance.uniform("time", key)).astype(np.int64)

    failures = archetype.decline_rate / (1 - archetype.decline_rate)  # failed attempts per successful one
    first = chance.uniform("retried", key) < failures * RETRIED / (1 + SECOND_FAILURE)
    second = first & (chance.uniform("again", key) < SECOND_FAILURE)
    lost = chance.uniform("lost", key) < failures * (1 - RETRIED)
    delay = quantile(RETRY_DELAY, chance.uniform("delay", key)).astype(np.int64)
    lost_at = sales["midnight"] + quantile(DIURNAL, chance.uniform("lost-time", key)).astype(np.int64)

    groups = [
        _attempts(chance, archetype, SUCCESS, sales, np.ones(len(key), bool), paid_at),
        _attempts(chance, archetype, FIRST_FAILURE, sales, first, np.maximum(paid_at - delay, sales["midnight"])),
        _attempts(chance, archetype, NEXT_FAILURE, sales, second, np.maximum(paid_at - delay // 2, sales["midnight"])),
        _attempts(chance, archetype, ABANDONED, sales, lost, lost_at),
    ]
    if archetype.testing_attempts and horizon >= calendar.anchor - timedelta(days=2):
        groups.append(_card_testing(chance, archetype, calendar.anchor - timedelta(days=2)))
    columns = {name: np.concatenate([group[name] for group in groups]) for name in groups[0]}
    ids = Chance(f"ids/{archetype.name}/{calendar.anchor}")
    columns |= {"movement": np.full(len(columns["created"]), -1)}
    columns |= _presented(archetype, columns)
    checkouts, number = np.unique(columns["checkout"], return_inverse=True)
    columns |= {"key": ids.bits("charge", columns["attempt"]), "intent": number}
    charges: Table[Charge] = Table(Charge, columns)
    intents = _intents(charges, ids.bits("intent", checkouts))
    charges.data["intent"] = intents.moved()[charges.data["intent"]]
    return intents, charges


def _purchases(archetype: Archetype, calendar: Calendar, horizon: date, orders: Orders) -> dict[str, np.ndarray]:
    purchases = load_purchases()
    last = horizon
    if archetype.closed_since:
        last = min(last, calendar.anchor - timedelta(days=archetype.closed_since))
    days = [calendar.first + timedelta(days=n) for n in range((last - calendar.first).days + 1)]
    none = np.zeros(0, np.int64)
    per_day = [purchases.rows_of[calendar.source_day(day)] if orders.sells_on(day) else none for day in days]
    counts = [len(rows) for rows in per_day]
    rows = np.concatenate([*per_day, none])
    # Systematic sampling: every 1/sample-th purchase, so that a sample's volume is as steady as the data's own.
    kept = np.floor((rows + 1) * archetype.sample) > np.floor(rows * archetype.sample)
    number = np.repeat(np.arange(len(days)), counts)
    rank = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    start = np.repeat(np.array([midnight(day) for day in days], dtype=np.int64), counts)
    return {
        "key": ((number << 20) | (rank << 4))[kept],
        "midnight": start[kept],
        "customer": purchases.customer[rows[kept]],
        "amount": purchases.amount[rows[kept]],
    }


def _attempts(
    chance: Chance,
    archetype: Archetype,
    kind: int,
    sales: dict[str, np.ndarray],
    chosen: np.ndarray,
    created: np.ndarray,
) -> dict[str, np.ndarray]:
    key = sales["key"][chosen] | kind
    paid = np.full(len(key), int(kind == SUCCESS))
    # A retry shares its purchase's checkout; an abandoned cart is a checkout of its own.
    checkout = key if kind == ABANDONED else sales["key"][chosen]
    decline = chance.choice("decline", key, DECLINE_WEIGHTS)
    return {
        "attempt": key,
        "checkout": checkout,
        "created": created[chosen],
        "amount": sales["amount"][chosen],
        "customer": sales["customer"][chosen],
        "card": chance.bits("card", sales["customer"][chosen]),
        "paid": paid,
        "decline": np.where(paid, -1, decline),
        "risk_score": _risk(chance, key, np.where(paid, -1, decline), RISK_SCORE),
        "three_d_secure": (chance.uniform("3ds", checkout) < archetype.three_d_secure).astype(np.int64),
    }


def _presented(archetype: Archetype, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What each attempt is paid in, and its amount in that. A customer always pays in the same currency."""
    own = CURRENCIES.index(archetype.currency)
    amount, currency = columns["amount"], np.full(len(columns["amount"]), own)
    draw, share = Chance(f"currency/{archetype.name}").uniform("currency", columns["customer"]), 0.0
    for name, part in archetype.foreign:
        paying = (draw >= share) & (draw < share + part)
        currency[paying], share = CURRENCIES.index(name), share + part
        worth = AVERAGE[archetype.currency, name]
        amount = np.where(paying, np.maximum(amount * MILLION // worth, 1), amount)
    return {"amount": amount, "currency": currency}


def _risk(chance: Chance, key: np.ndarray, decline: np.ndarray, curve: Any) -> np.ndarray:
    """Radar's score, 0 to 99; 75 and above is "highest", which only a blocked attempt reaches."""
    blocked = decline == len(DECLINES) - 1
    score = quantile(curve, chance.uniform("risk", key))
    return np.where(blocked, 75 + score // 4, np.minimum(score, 74)).astype(np.int64)


def _card_testing(chance: Chance, archetype: Archetype, day: date) -> dict[str, np.ndarray]:
    key = (np.arange(archetype.testing_attempts) << 4) | TESTING | (1 << 40)
    paid = (chance.uniform("passed", key) < TESTING_PASSED).astype(np.int64)
    decline = np.where(paid, -1, chance.choice("decline", key, TESTING_WEIGHTS))
    return {
        "attempt": key,
        "checkout": key,
        "created": midnight(day) + 9 * 3600 + (chance.uniform("time", key) * 5 * 3600).astype(np.int64),
        "amount": 100 + (chance.uniform("amount", key) * 400).astype(np.int64),
        "customer": np.full(len(key), -1),
        "card": chance.bits("card", key),
        "paid": paid,
        "decline": decline,
        "risk_score": _risk(chance, key, decline, TESTING_RISK_SCORE),
        "three_d_secure": np.zeros(len(key), np.int64),
    }


def _intents(charges: Table[Charge], keys: np.ndarray) -> Table[Intent]:
    """One payment intent for each checkout, begun at its first attempt."""
    intent = charges.data["intent"]
    attempts = np.argsort(intent, kind="stable")  # by checkout, then by time
    first = np.searchsorted(intent[attempts], np.arange(len(keys)))
    count = np.bincount(intent, minlength=len(keys))
    begun = attempts[first]
    columns = {name: charges.data[name][begun] for name in ("created", "amount", "customer", "card", "currency")} | {
        "key": keys
    }
    for n in range(3):
        later = attempts[np.minimum(first + n, max(len(attempts) - 1, 0))] if len(attempts) else begun
        columns[f"attempt_{n + 1}"] = np.where(count > n, later, -1)
    return Table(Intent, columns)
