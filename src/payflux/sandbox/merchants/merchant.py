"""One simulated merchant with all its books, and what of them can be seen at a moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from payflux.sandbox.merchants import tables
from payflux.sandbox.merchants.aftermath import Aftermath
from payflux.sandbox.merchants.archetypes import Archetype
from payflux.sandbox.merchants.ledger import make_ledger
from payflux.sandbox.merchants.orders import Orders
from payflux.sandbox.merchants.payments import make_payments
from payflux.sandbox.merchants.purchases import Calendar, midnight
from payflux.sandbox.merchants.reserve import make_reserve
from payflux.sandbox.merchants.reviews import make_reviews
from payflux.sandbox.merchants.timeline import make_timeline

NO_ORDERS = Orders()


class Merchant:
    """Everything that happens to `archetype` until the end of the day `horizon`.

    The books reach into the future where the past decides it, such as a dispute's outcome; who reads them hides what is
    created after now. The same archetype and anchor with a later horizon give the same objects, and more. Nothing of
    its own happens to the charges that calls have changed.
    """

    def __init__(self, archetype: Archetype, anchor: date, horizon: date, orders: Orders = NO_ORDERS) -> None:
        calendar = Calendar(anchor)
        self.archetype, self.horizon, self.orders = archetype, horizon, orders
        self.opened = midnight(calendar.first)
        self.intents, self.charges = make_payments(archetype, calendar, horizon, orders)
        after = Aftermath(archetype, calendar, horizon, self.charges, orders.amended)
        self.closed_at: int | None = None  # when Stripe stopped charges and payouts
        if archetype.closed_since:
            self.closed_at = midnight(anchor - timedelta(days=archetype.closed_since - 1))
        self.refunds, self.warnings, self.disputes = after.refunds, after.warnings, after.disputes
        self.movements, self.payouts = make_ledger(
            archetype, calendar, horizon, self.charges, self.refunds, self.disputes, orders
        )
        self.reviews = make_reviews(self.charges, self.refunds, self.disputes, orders)
        self.review_of = {charge: row for row, charge in enumerate(self.reviews.data["charge"].tolist())}
        # rows of charges with a refund, dispute, warning or review, also one to come
        self.told = frozenset(after.taken) | self.review_of.keys()
        self.plans, self.holds, self.releases = make_reserve(archetype, calendar, self.charges, self.refunds)
        self.tables: Mapping[str, tables.Table[Any]] = MappingProxyType(
            {
                "charges": self.charges,
                "intents": self.intents,
                "refunds": self.refunds,
                "disputes": self.disputes,
                "warnings": self.warnings,
                "movements": self.movements,
                "payouts": self.payouts,
                "reviews": self.reviews,
                "plans": self.plans,
                "holds": self.holds,
                "releases": self.releases,
            }
        )
        self.refunds_of: dict[int, list[int]] = {}
        for row, charge in enumerate(self.refunds.data["charge"].tolist()):
            self.refunds_of.setdefault(charge, []).append(row)
        self.dispute_of: dict[int, int] = {
            charge: row for row, charge in enumerate(self.disputes.data["charge"].tolist())
        }

    @cached_property
    def events(self) -> tables.Table[tables.Change]:
        return make_timeline(self)

    def table(self, name: str) -> tables.Table[Any]:
        """The table of this name; the events are made when they are first asked for."""
        return self.events if name == "events" else self.tables[name]

    def balance(self, now: int) -> dict[str, int]:
        """Minor units `available`, `pending` and `reserved` at `now`, unix seconds."""
        seen = self.movements.data[: int(np.searchsorted(self.movements.created, now, side="right"))]
        reserved = np.isin(seen["kind"], tables.RESERVED_KINDS)
        ready = ~reserved & (seen["available_on"] <= now)
        return {
            "available": int(seen["net"][ready].sum()),
            "pending": int(seen["net"][~reserved & ~ready].sum()),
            "reserved": int(seen["net"][reserved].sum()),
        }
