"""What one account shows at one moment: the context in which rows are rendered."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cached_property

from payflux.sandbox.merchants.currencies import CURRENCIES
from payflux.sandbox.merchants.merchant import Merchant
from payflux.sandbox.objects.ids import print_id
from payflux.sandbox.store import Json, Store

AMENDMENT = "_amendment"  # type of the documents that say what calls have changed in the books


@dataclass(frozen=True)
class View:
    """`store` holds what calls have made and changed; without one, there is nothing but the books."""

    merchant: Merchant
    account_id: str
    now: int  # unix seconds
    store: Store | None = None

    @cached_property
    def _amendments(self) -> dict[str, list[Json]]:
        documents = self.store.find(self.account_id, AMENDMENT) if self.store else []
        return {document["of"]: document["changes"] for document in documents}

    def amended(self, shown: Json) -> Json:
        """An object of the books with what calls have changed in it by now."""
        for change in self._amendments.get(shown["id"], ()):
            if change["at"] <= self.now:
                shown.update(copy.deepcopy(change["values"]))
        return shown

    def touched(self, object_id: str) -> bool:
        """Whether a call has changed an object of the books."""
        return object_id in self._amendments

    def changed(self, field: str) -> Json:
        """The objects of the books in which calls have changed `field`, and what it is now."""
        shown = {name: self.amended({"id": name}) for name in self._amendments}
        return {name: values[field] for name, values in shown.items() if field in values}

    def id(self, table: str, row: int) -> str | None:
        """The id of a row of `table`; None for row -1."""
        if row < 0:
            return None
        return print_id(table, self.account_id, int(self.merchant.tables[table].data["key"][row]))

    def movement(self, row: int) -> str | None:
        """The id of a balance transaction that exists by now, else None."""
        if row < 0 or self.merchant.movements.created[row] > self.now:
            return None
        return self.id("movements", row)

    @property
    def currency(self) -> str:
        """What the merchant is settled in."""
        return self.merchant.archetype.currency

    def currency_of(self, charge: int) -> str:
        """What a charge was paid in."""
        return CURRENCIES[int(self.merchant.charges.data["currency"][charge])]

    def review_of(self, charge: int) -> str | None:
        """The id of the review that a charge was put under; -1 is no charge."""
        return self.id("reviews", self.merchant.review_of.get(charge, -1))

    def refunds_of(self, charge: int) -> list[int]:
        """Row numbers of the refunds made of a charge by now, the newest first."""
        rows = self.merchant.refunds_of.get(charge, ())
        return [row for row in reversed(rows) if self.merchant.refunds.created[row] <= self.now]

    def dispute_of(self, charge: int) -> int | None:
        """The row number of the dispute of a charge, if it has been raised by now."""
        row = self.merchant.dispute_of.get(charge)
        return row if row is not None and self.merchant.disputes.created[row] <= self.now else None
