"""The rows of Stripe's itemized balance report, as they come in, as payment events."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from typing import NamedTuple

from payflux.monitor.processors.codes import Kind
from payflux.monitor.processors.events import PaymentEvent
from payflux.monitor.processors.exports.layouts import balance_activity
from payflux.monitor.processors.exports.layouts.layout import Ending
from payflux.monitor.processors.exports.reader import columns_of
from payflux.monitor.processors.exports.rows import Row
from payflux.world.stripe import ProcessorUnavailable

COLUMNS = (
    *("balance_transaction_id", "created_utc", "currency", "gross", "reporting_category", "source_id"),
    *("charge_id", "charge_created_utc", "customer_id", "customer_facing_amount", "customer_facing_currency"),
    *("payment_method_type", "card_brand", "card_country"),
)
"""The columns asked for: no name, no address and no description of a payer."""

ROWS_AT_ONCE = 2000
_KINDS = (Kind.CHARGE, Kind.REFUND)


class Batch(NamedTuple):
    """So many `rows` of a report: the charges and refunds they tell of, and those whose money went again."""

    events: list[PaymentEvent]
    endings: list[Ending]
    rows: int


async def batches(lines: AsyncIterator[str], *, skip: int) -> AsyncIterator[Batch]:
    """What the rows of a report say, but for the first `skip`, so many rows at a time.

    A download that breaks off does so after everything that came is handed out.
    """
    columns: dict[str, int] | None = None
    header: list[str] = []
    batch, number = Batch([], [], 0), 0
    broken: ProcessorUnavailable | None = None
    try:
        async for line in lines:
            (cells,) = csv.reader([line])
            if columns is None:
                header, columns = cells, columns_of(balance_activity.LAYOUT, cells)
                continue
            number += 1
            if number <= skip:
                continue
            batch = _with_row(batch, Row(cells, columns, header, decimal_comma=False))
            if batch.rows == ROWS_AT_ONCE:
                yield batch
                batch = Batch([], [], 0)
    except ProcessorUnavailable as error:
        broken = error
    if batch.rows:
        yield batch
    if broken is not None:
        raise broken


def _with_row(batch: Batch, row: Row) -> Batch:
    found = balance_activity.LAYOUT.read(row)
    if isinstance(found, Ending):
        batch.endings.extend([found] if found.kind in _KINDS else [])
    elif not isinstance(found, str):
        batch.events.extend(event for event in found if event.kind in _KINDS)
    return batch._replace(rows=batch.rows + 1)
