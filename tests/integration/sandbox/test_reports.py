"""Reports are asked for, made while time passes, and downloaded with a key."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
import stripe

from payflux.sandbox.api.reports import fail_report
from payflux.sandbox.app import TASKS
from payflux.sandbox.clock import run_due
from payflux.sandbox.exports import EXPORTS, export_csv
from payflux.sandbox.merchants.archetypes import ARCHETYPES
from payflux.sandbox.reports import REPORTS
from payflux.sandbox.state import SandboxState
from payflux.sandbox.work import Work
from tests.integration.sandbox.test_official_client import assert_complete

Client = Callable[..., Any]
HEALTHY, DEFAULT = ARCHETYPES["healthy"], ARCHETYPES["default"]
ACTIVITY = "balance_change_from_activity.itemized.6"
DAY = 86_400


@pytest.fixture
def midnight(state: SandboxState) -> int:
    now = int(state.now().timestamp())
    return now - now % DAY


def finished(v1: Any, state: SandboxState, report: str, **parameters: Any) -> Any:
    run = v1.reporting.report_runs.create(params={"report_type": report, "parameters": parameters})
    assert (run.status, run.result) == ("pending", None)
    state.advance(3)
    run_due(state, TASKS)
    return v1.reporting.report_runs.retrieve(run.id)


def rows_of(url: str, key: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(httpx.get(url, auth=(key, "")).raise_for_status().text)))


def test_a_report_says_what_the_dashboard_exports(client: Client, state: SandboxState, midnight: int) -> None:
    v1 = client(HEALTHY.restricted_key).v1
    run = finished(v1, state, ACTIVITY, interval_start=midnight - 20 * DAY, interval_end=midnight)

    assert_complete(run, stripe.reporting.ReportRun)
    assert_complete(run.result, stripe.File)
    assert run.status == "succeeded"
    answer = httpx.get(run.result.url, auth=(HEALTHY.restricted_key, ""))
    first, last = (datetime.fromtimestamp(midnight, UTC).date() - timedelta(days=n) for n in (20, 1))
    assert answer.text == export_csv(state, HEALTHY.account_id, f"{ACTIVITY[:-2]}.csv", first, last)
    assert len(answer.content) == run.result.size > 10_000
    (told,) = state.store.find(HEALTHY.account_id, "event", {"data.object.id": run.id})
    assert told["type"] == "reporting.report_run.succeeded"
    assert told["data"]["object"] == run.to_dict()


def test_chosen_columns_categories_and_seconds_narrow_a_report(
    client: Client, state: SandboxState, midnight: int
) -> None:
    v1 = client(DEFAULT.restricted_key).v1
    columns = ["created_utc", "net", "reporting_category", "payment_metadata[order]"]
    run = finished(
        v1,
        state,
        ACTIVITY,
        interval_start=midnight - 9 * DAY + 3600,
        interval_end=midnight - DAY,
        columns=columns,
        reporting_category="dispute",
    )
    rows = rows_of(run.result.url, DEFAULT.restricted_key)
    assert rows
    assert list(rows[0]) == columns
    assert {row["reporting_category"] for row in rows} == {"dispute"}
    assert run.parameters.columns == columns


def test_reports_of_payouts_and_of_what_is_left_add_up(client: Client, state: SandboxState, midnight: int) -> None:
    v1 = client(DEFAULT.restricted_key).v1
    interval = {"interval_start": midnight - 30 * DAY, "interval_end": midnight}
    parts = rows_of(
        finished(v1, state, "payout_reconciliation.itemized.5", **interval).result.url, DEFAULT.restricted_key
    )
    payouts = rows_of(finished(v1, state, "payouts.itemized.3", **interval).result.url, DEFAULT.restricted_key)
    assert len(payouts) > 15
    for payout in payouts:
        of = [Decimal(row["net"]) for row in parts if row["automatic_payout_id"] == payout["payout_id"]]
        assert sum(of) == -Decimal(payout["net"])
    left = rows_of(
        finished(v1, state, "ending_balance_reconciliation.itemized.4", **interval).result.url, DEFAULT.restricted_key
    )
    balance = state.view(DEFAULT.account_id).merchant.balance(midnight - 1)
    assert sum(Decimal(row["net"]) for row in left) * 100 == balance["available"] + balance["pending"]


def test_report_types_say_how_far_their_data_reaches(client: Client, midnight: int) -> None:
    v1 = client(HEALTHY.restricted_key).v1
    found = v1.reporting.report_types.list().data
    assert {kind.id for kind in found} == set(REPORTS)
    for kind in found:
        assert_complete(kind, stripe.reporting.ReportType)
        assert v1.reporting.report_types.retrieve(kind.id).to_dict() == kind.to_dict()
        assert kind.data_available_end == midnight


@pytest.mark.parametrize(
    ("report", "change", "message"),
    [
        ("nothing.1", {}, "No such reporting report_type: 'nothing.1'"),
        (ACTIVITY, {"interval_end": 60}, "interval_end must lie between data_available_start"),
        (ACTIVITY, {"interval_end": DAY}, "interval_end must lie between data_available_start"),
        (ACTIVITY, {"interval_start": 0}, "interval_start must be before interval_end"),
        (ACTIVITY, {"columns": ["colour"]}, "has no column colour"),
        (ACTIVITY, {"timezone": "Europe/Paris"}, "give times in UTC"),
        (ACTIVITY, {"payout": "po_1"}, "does not take payout"),
    ],
)
def test_a_wrong_report_is_refused(
    client: Client, midnight: int, report: str, change: dict[str, Any], message: str
) -> None:
    parameters: dict[str, Any] = {"interval_start": midnight - DAY, "interval_end": midnight}
    for name, value in change.items():
        parameters[name] = midnight + value if name.startswith("interval") else value
    with pytest.raises(stripe.InvalidRequestError, match=message):
        client(HEALTHY.restricted_key).v1.reporting.report_runs.create(
            params={"report_type": report, "parameters": parameters}
        )


def test_a_file_opens_for_its_own_account_alone(client: Client, base: str, state: SandboxState, midnight: int) -> None:
    v1 = client(HEALTHY.restricted_key).v1
    run = finished(v1, state, ACTIVITY, interval_start=midnight - DAY, interval_end=midnight)
    assert run.result.url == f"{base}/v1/files/{run.result.id}/contents"
    assert httpx.get(run.result.url).status_code == 401
    assert httpx.get(run.result.url, auth=(DEFAULT.restricted_key, "")).status_code == 404
    assert v1.files.retrieve(run.result.id).to_dict() == run.result.to_dict()


def test_a_run_that_fails_says_why(client: Client, state: SandboxState, midnight: int) -> None:
    v1 = client(HEALTHY.restricted_key).v1
    parameters = {"interval_start": midnight - DAY, "interval_end": midnight}
    run = v1.reporting.report_runs.create(params={"report_type": ACTIVITY, "parameters": parameters})
    fail_report(Work(state, HEALTHY.account_id, int(state.now().timestamp())), run.id)
    state.advance(3)
    run_due(state, TASKS)
    failed = v1.reporting.report_runs.retrieve(run.id)
    assert (failed.status, failed.result, bool(failed.error)) == ("failed", None, True)
    assert failed.id in [found.id for found in v1.reporting.report_runs.list().data]


def test_every_report_has_the_export_of_its_name() -> None:
    assert f"{ACTIVITY[:-2]}.csv" in EXPORTS
