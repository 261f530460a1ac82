"""Small exports, written as the Dashboard and the Reporting API write them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from payflux.monitor.processors.exports import Reading, read_exports

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

PAYMENT = {
    "id": "ch_1",
    "Created date (UTC)": "2026-11-01 10:00:00",
    "Amount": "40.00",
    "Amount Refunded": "0.00",
    "Currency": "usd",
    "Captured": "true",
    "Converted Amount": "40.00",
    "Converted Amount Refunded": "0.00",
    "Converted Currency": "usd",
    "Decline Reason": "",
    "Refunded date (UTC)": "",
    "Status": "Paid",
    "Card Brand": "Visa",
    "Card Issue Country": "US",
    "Card Fingerprint": "fp_1",
    "Customer ID": "cus_1",
    "Disputed Amount": "",
    "Dispute Date (UTC)": "",
    "Dispute Evidence Due (UTC)": "",
    "Dispute Reason": "",
    "Dispute Status": "",
    "Payment Source Type": "card",
}
MOVEMENT = {
    "balance_transaction_id": "txn_1",
    "created_utc": "2026-11-01 10:00:02",
    "currency": "usd",
    "gross": "40.00",
    "fee": "1.46",
    "net": "38.54",
    "reporting_category": "charge",
    "source_id": "ch_1",
    "charge_id": "ch_1",
    "charge_created_utc": "2026-11-01 10:00:01",
    "customer_facing_amount": "40.00",
    "customer_facing_currency": "usd",
    "payment_method_type": "card",
    "card_brand": "Visa",
    "card_country": "US",
    "dispute_reason": "",
}
DISPUTE = {
    "id": "dp_1",
    "Created (UTC)": "2026-11-10 09:00:00",
    "Amount": "40.00",
    "Currency": "usd",
    "Charge ID": "ch_1",
    "Reason": "fraudulent",
    "Status": "needs_response",
    "Evidence Due (UTC)": "2026-11-20 23:59:59",
    "Card Brand": "Visa",
    "Payment Created (UTC)": "2026-11-01 10:00:01",
}
EVENT = {
    "kind": "charge",
    "source_id": "py_1",
    "occurred_at": "2026-11-01T10:00:00Z",
    "status": "succeeded",
    "amount": "4000",
    "currency": "usd",
}


def write(path: Path, *rows: Mapping[str, str], delimiter: str = ",") -> Path:
    """A CSV file with the columns of the first row."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def read(*paths: Path) -> Reading:
    return read_exports(paths, now=NOW)
