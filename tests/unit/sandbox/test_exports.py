"""The exports say what the API says."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from payflux.sandbox.exports import EXPORTS, export_csv, write_exports
from payflux.sandbox.merchants.archetypes import ARCHETYPES
from payflux.sandbox.resources import BY_TABLE
from payflux.sandbox.state import SandboxState
from tests.unit.sandbox.conftest import ANCHOR, NOON

START = ANCHOR - timedelta(days=89)


@pytest.fixture(scope="module")
def state() -> SandboxState:
    return SandboxState(now=lambda: NOON)


def rows_of(state: SandboxState, archetype: str, name: str) -> list[dict[str, str]]:
    text = export_csv(state, ARCHETYPES[archetype].account_id, name, START, ANCHOR)
    return list(csv.DictReader(io.StringIO(text)))


def cents(text: str) -> int:
    return int(Decimal(text) * 100)


def moment(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize("archetype", ["default", "card-testing", "low-activity"])
def test_unified_payments_are_the_charges_of_the_api(state: SandboxState, archetype: str) -> None:
    view = state.view(ARCHETYPES[archetype].account_id)
    table = view.merchant.charges
    rows = rows_of(state, archetype, "unified_payments.csv")
    first = moment(f"{START} 00:00:00")
    charges = [
        BY_TABLE["charges"].render(view, table[n], n)
        for n in range(len(table) - 1, -1, -1)
        if first <= table.created[n] <= view.now
    ]

    assert [row["id"] for row in rows] == [charge["id"] for charge in charges]
    for row, charge in zip(rows, charges, strict=True):
        assert moment(row["Created date (UTC)"]) == charge["created"]
        assert cents(row["Amount"]) == charge["amount"]
        assert cents(row["Amount Refunded"]) == charge["amount_refunded"]
        assert (row["Status"] == "Failed") == (charge["status"] == "failed")
        assert (row["Status"] == "Refunded") == charge["refunded"]
        assert bool(row["Dispute Status"]) == charge["disputed"]
        assert row["Decline Reason"] == (charge["outcome"]["reason"] or "")
        assert row["Card Fingerprint"] == charge["payment_method_details"]["card"]["fingerprint"]


def test_the_disputes_export_is_the_disputes_of_the_api(state: SandboxState) -> None:
    view = state.view(ARCHETYPES["default"].account_id)
    table = view.merchant.disputes
    rows = {row["id"]: row for row in rows_of(state, "default", "disputes.csv")}
    for n in range(len(table)):
        dispute = BY_TABLE["disputes"].render(view, table[n], n)
        if dispute["id"] not in rows:
            assert not moment(f"{START} 00:00:00") <= dispute["created"] <= view.now
            continue
        row = rows.pop(dispute["id"])
        assert (row["Charge ID"], row["Status"], row["Reason"], row["Network Reason Code"]) == (
            dispute["charge"],
            dispute["status"],
            dispute["reason"],
            dispute["network_reason_code"],
        )
        assert cents(row["Amount"]) == dispute["amount"]
        assert (moment(row["Evidence Due (UTC)"]) if row["Evidence Due (UTC)"] else None) == dispute[
            "evidence_details"
        ]["due_by"]
    assert not rows


@pytest.mark.parametrize("archetype", ["default", "reserve-in-force", "not-ready"])
def test_the_itemized_report_adds_up_to_the_activity_of_the_payments_balance(
    state: SandboxState, archetype: str
) -> None:
    account_id = ARCHETYPES[archetype].account_id
    name = "balance_change_from_activity.itemized.csv"
    text = export_csv(state, account_id, name, ANCHOR.replace(year=2000), ANCHOR)
    rows = list(csv.DictReader(io.StringIO(text)))
    balance = state.view(account_id).merchant.balance(int(NOON.timestamp()))
    payouts = state.view(account_id).merchant.payouts
    paid_out = int(payouts.data["amount"][payouts.created <= NOON.timestamp()].sum())

    assert sum(cents(row["net"]) for row in rows) == balance["available"] + balance["pending"] + paid_out
    assert all(cents(row["gross"]) - cents(row["fee"]) == cents(row["net"]) for row in rows)
    assert not any(row["customer_email"] for row in rows)
    held = -sum(cents(row["gross"]) for row in rows if row["reporting_category"] == "risk_reserved_funds")
    assert held == balance["reserved"]


def test_every_export_is_written_with_its_header_even_when_nothing_happened(tmp_path: Path) -> None:
    state = SandboxState(now=lambda: NOON)
    paths = write_exports(state, ARCHETYPES["not-ready"].account_id, tmp_path / "files", ANCHOR, ANCHOR)

    assert {path.name for path in paths} == set(EXPORTS)
    for path in paths:
        assert path.read_bytes().decode() == ",".join(EXPORTS[path.name][0]) + "\r\n"
