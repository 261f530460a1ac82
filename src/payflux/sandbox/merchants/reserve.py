"""A rolling reserve: a share of each payment is held back for some days."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import numpy as np

from payflux.sandbox.merchants.archetypes import Archetype
from payflux.sandbox.merchants.chance import Chance
from payflux.sandbox.merchants.purchases import DAY, Calendar, midnight
from payflux.sandbox.merchants.tables import Charge, Hold, Plan, Refund, Release, Table


class Held(NamedTuple):
    """What the reserve takes of each payment, one entry for each."""

    charge: np.ndarray
    amount: np.ndarray
    created: np.ndarray
    until: np.ndarray
    refund: np.ndarray  # the full refund that ended it early, -1 for none


def hold_back(archetype: Archetype, calendar: Calendar, charges: Table[Charge], refunds: Table[Refund]) -> Held:
    """Each payment since the reserve began is held back in part until the midnight after its days are over; a full
    refund releases it at once."""
    data = charges.data
    since = begun(archetype, calendar)
    held = np.flatnonzero((data["paid"] == 1) & (charges.created >= since))
    amount = np.rint(data["amount"][held] * archetype.reserve_rate).astype(np.int64)
    created = charges.created[held]
    until = scheduled(created, archetype.reserve_days)
    whole = np.flatnonzero(refunds.data["amount"] == data["amount"][refunds.data["charge"]])
    refund = np.full(len(charges), -1)
    refund[refunds.data["charge"][whole]] = whole
    early = refund[held]
    refunded_at = np.append(refunds.created, np.iinfo(np.int64).max)[early]
    return Held(held, amount, created, np.minimum(until, refunded_at), np.where(refunded_at < until, early, -1))


def begun(archetype: Archetype, calendar: Calendar) -> int:
    """When the reserve began, unix seconds."""
    return midnight(calendar.anchor - timedelta(days=archetype.reserve_since))


def scheduled(created: np.ndarray, days: int) -> np.ndarray:
    """When holds are released: the midnight after their last day."""
    due = created + days * DAY
    return due - due % DAY + DAY


def make_reserve(
    archetype: Archetype, calendar: Calendar, charges: Table[Charge], refunds: Table[Refund]
) -> tuple[Table[Plan], Table[Hold], Table[Release]]:
    """The plan, its holds and their releases; all empty where nothing is held back or it shows in the legacy form."""
    ids = Chance(f"ids/{archetype.name}/{calendar.anchor}")
    shown = bool(archetype.reserve_rate) and not archetype.legacy_reserve
    begins = np.array([begun(archetype, calendar)] if shown else [], np.int64)
    plans: Table[Plan] = Table(Plan, {"created": begins, "key": ids.bits("plan", begins)})
    held = hold_back(archetype, calendar, charges, refunds) if shown else Held(*np.zeros((5, 0), np.int64))
    keys = charges.data["key"][held.charge]
    holds: Table[Hold] = Table(
        Hold,
        {
            "created": held.created,
            "key": ids.bits("hold", keys),
            "charge": held.charge,
            "amount": held.amount,
            "until": held.until,
            "scheduled": scheduled(held.created, archetype.reserve_days),
            "refund": held.refund,
            "release": np.full(len(keys), -1),
        },
    )
    releases: Table[Release] = Table(
        Release,
        {"created": held.until, "key": ids.bits("release", keys), "amount": held.amount, "hold": holds.moved()},
    )
    holds.data["release"][releases.data["hold"]] = np.arange(len(releases))
    return plans, holds, releases
