"""What one account shows at one moment: the context in which rows are rendered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from payflux.sandbox.merchants.merchant import Merchant
from payflux.sandbox.objects.ids import print_id

Json = dict[str, Any]


@dataclass(frozen=True)
class View:
    merchant: Merchant
    account_id: str
    now: int  # unix seconds

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

    def refunds_of(self, charge: int) -> list[int]:
        """Row numbers of the refunds made of a charge by now, the newest first."""
        rows = self.merchant.refunds_of.get(charge, ())
        return [row for row in reversed(rows) if self.merchant.refunds.created[row] <= self.now]

    def dispute_of(self, charge: int) -> int | None:
        """The row number of the dispute of a charge, if it has been raised by now."""
        row = self.merchant.dispute_of.get(charge)
        return row if row is not None and self.merchant.disputes.created[row] <= self.now else None
