"""The itemized reports of the Reporting API: what each lists, in the columns and words of Stripe's own files.

They say what the exports of the Dashboard say. docs.stripe.com/reports/report-types
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from payflux.sandbox.document_rows import Row, major, moment
from payflux.sandbox.export_columns import ITEMIZED, PAYOUT_REPORT
from payflux.sandbox.exports import activity, itemized_row, rows_within
from payflux.sandbox.merchants.tables import MOVEMENTS, RESERVED_KINDS
from payflux.sandbox.merchants.tables import PAYOUT as PAYOUT_KIND
from payflux.sandbox.objects.movements import bank_account_id, render_payout
from payflux.sandbox.objects.view import View
from payflux.sandbox.store import Json

_METADATA = re.compile(r"(payment|refund)_metadata\[[^\[\]]{1,40}\]")


class ReportType(NamedTuple):
    """`rows` gives those of the seconds from the first on and before the second, the newest first."""

    name: str
    version: int
    columns: list[str]
    rows: Callable[[View, int, int], Iterator[Row]]

    def knows(self, column: str) -> bool:
        return column in self.columns or _METADATA.fullmatch(column) is not None


def _paid_out(view: View, since: int, before: int) -> Iterator[Row]:
    """What the automatic payouts that arrive within the interval are made of."""
    merchant = view.merchant
    arrival = merchant.payouts.data["arrival"]
    arrives = (arrival >= since) & (arrival < before) & (merchant.payouts.created <= view.now)
    payout = merchant.movements.data["payout"]
    rows = np.flatnonzero((payout >= 0) & arrives[payout])[::-1] if len(arrives) else np.zeros(0, np.int64)
    return _rows_of(view, rows)


def _left(view: View, _since: int, before: int) -> Iterator[Row]:
    """What the payments balance at the end of the interval is made of."""
    merchant, data = view.merchant, view.merchant.movements.data
    until = min(before, view.now + 1)
    paid_at = np.append(merchant.payouts.created, np.iinfo(np.int64).max)[data["payout"]]
    waits = (data["created"] < until) & (paid_at >= until)
    waits &= ~np.isin(data["kind"], (*RESERVED_KINDS, PAYOUT_KIND))
    return _rows_of(view, np.flatnonzero(waits)[::-1])


def _rows_of(view: View, rows: np.ndarray) -> Iterator[Row]:
    found = zip(view.merchant.movements.rows(rows), rows.tolist(), strict=True)
    return (
        itemized_row(view, row, index) | {"automatic_payout_effective_at_utc": _effective(view, row.payout)}
        for row, index in found
    )


def _effective(view: View, payout: int) -> str:
    return moment(int(view.merchant.payouts.data["arrival"][payout])) if payout >= 0 else ""


def _payouts(view: View, since: int, before: int) -> Iterator[Row]:
    """The payouts that arrive within the interval."""
    for row, index in rows_within(view, "payouts", 0, before):
        if not since <= row.arrival < before:
            continue
        payout = view.amended(render_payout(view, row, index))
        yield {
            "payout_id": payout["id"],
            "effective_at_utc": moment(row.arrival),
            "currency": payout["currency"],
            "gross": major(-row.amount),
            "fee": "0.00",
            "net": major(-row.amount),
            "reporting_category": MOVEMENTS[PAYOUT_KIND].reporting_category,
            "balance_transaction_id": payout["balance_transaction"],
            "description": payout["description"],
            "payout_expected_arrival_date": moment(row.arrival),
            "payout_status": payout["status"],
            "payout_type": payout["type"],
            "payout_destination_id": bank_account_id(view.account_id),
        }


_RECONCILED = [
    name if name != "automatic_payout_effective_at" else "automatic_payout_effective_at_utc" for name in ITEMIZED
]
REPORTS: dict[str, ReportType] = {
    "balance_change_from_activity.itemized.6": ReportType(
        "Itemized balance change from activity", 6, ITEMIZED, activity
    ),
    "payout_reconciliation.itemized.5": ReportType("Itemized payout reconciliation", 5, _RECONCILED, _paid_out),
    "ending_balance_reconciliation.itemized.4": ReportType("Itemized ending balance", 4, _RECONCILED, _left),
    "payouts.itemized.3": ReportType("Itemized payouts", 3, PAYOUT_REPORT, _payouts),
}


def write_report(view: View, kind: ReportType, parameters: Json) -> str:
    """The CSV of a report: amounts in major units with decimals, times in UTC to the second."""
    text = io.StringIO(newline="")
    columns = parameters.get("columns") or kind.columns
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\r\n")
    writer.writeheader()
    same = {name: parameters[name] for name in ("currency", "reporting_category") if name in parameters}
    rows = kind.rows(view, parameters["interval_start"], parameters["interval_end"])
    writer.writerows(row for row in rows if all(row[name] == value for name, value in same.items()))
    return text.getvalue()
