"""The Reporting API: report types, runs that take a few seconds, and the files they leave."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import stripe
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from stripe import params
from stripe.reporting import ReportRun, ReportType

from payflux.sandbox.addresses import page_url
from payflux.sandbox.api.calls import api_key, respond
from payflux.sandbox.api.endpoints import Call, Endpoint, listing, retrieving
from payflux.sandbox.clock import Tasks
from payflux.sandbox.errors import StripeError, no_such
from payflux.sandbox.merchants.purchases import DAY
from payflux.sandbox.reports import REPORTS, write_report
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.state import SandboxState
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work, new_id

READ, WRITE = "rak_report_runs_and_report_types_read", "rak_report_runs_and_report_types_write"
SECONDS = 3  # that a run takes
KEPT = 365 * DAY  # for which its file can be downloaded
_CONTENTS = "_report_contents"
_CHUNK = 1 << 16


def report_type(work: Work, report_id: str) -> Json:
    """A report type; its data ends with the last full day, UTC. Raises a 404 StripeError."""
    kind = REPORTS.get(report_id)
    if kind is None:
        raise no_such("reporting report_type", report_id)
    midnight = work.now - work.now % DAY
    return complete(
        ReportType,
        {
            "id": report_id,
            "data_available_end": midnight,
            "data_available_start": work.view.merchant.opened,
            "default_columns": kind.columns,
            "livemode": False,
            "name": kind.name,
            "updated": midnight,
            "version": kind.version,
        },
    )


def _types(call: Call) -> Json:
    data = [report_type(call.work, name) for name in REPORTS]
    return {"object": "list", "data": data, "has_more": False, "url": "/v1/reporting/report_types"}


def _create(call: Call) -> Json:
    work, report_id = call.work, call.params["report_type"]
    available = report_type(work, report_id)
    given = call.params.get("parameters", {})
    _check(given, available)
    parameters = complete(ReportRun.Parameters, given)
    run = complete(
        ReportRun,
        {
            "id": new_id("frr"),
            "created": work.now,
            "livemode": False,
            "parameters": parameters,
            "report_type": report_id,
            "status": "pending",
        },
    )
    work.later(work.now + SECONDS, "finish_report", run["id"])
    return work.create(run)


def _check(given: Json, available: Json) -> None:
    start, end = available["data_available_start"], available["data_available_end"]
    for name in ("interval_start", "interval_end"):
        if name not in given:
            raise StripeError(
                400, f"Missing required param: {name}.", code="parameter_missing", param=f"parameters[{name}]"
            )
        if not start <= given[name] <= end:
            raise StripeError(
                400,
                f"{name} must lie between data_available_start ({start}) and data_available_end ({end}) of the report "
                f"type {available['id']}, but is {given[name]}.",
                param=f"parameters[{name}]",
            )
    if given["interval_start"] >= given["interval_end"]:
        raise StripeError(400, "interval_start must be before interval_end.", param="parameters[interval_start]")
    for column in given.get("columns", ()):
        if not REPORTS[available["id"]].knows(column):
            raise StripeError(
                400, f"Report type {available['id']} has no column {column}.", param="parameters[columns]"
            )
    for name in ("connected_account", "payout"):
        if name in given:
            raise StripeError(400, f"Report type {available['id']} does not take {name}.", param=f"parameters[{name}]")
    if given.get("timezone", "Etc/UTC") not in ("Etc/UTC", "UTC"):
        raise StripeError(400, "The sandbox's reports give times in UTC: leave timezone out.", param="timezone")


def finish_report(work: Work, run_id: str) -> None:
    """Write the file of a run that is still pending."""
    run = work.require("reporting.report_run", run_id)
    if run["status"] != "pending":
        return
    text = write_report(work.view, REPORTS[run["report_type"]], run["parameters"])
    file_id = new_id("file")
    filename = f"{run['report_type']}_{run_id}.csv"
    file = complete(
        stripe.File,
        {
            "id": file_id,
            "created": work.now,
            "expires_at": work.now + KEPT,
            "filename": filename,
            "links": {"object": "list", "data": [], "has_more": False, "url": f"/v1/file_links?file={file_id}"},
            "purpose": "finance_report_run",
            "size": len(text.encode()),
            "title": f"FinanceReportRun {run_id}",
            "type": "csv",
            "url": page_url(work, f"/v1/files/{file_id}/contents"),
        },
    )
    work.create(file)
    work.create({"id": f"{_CONTENTS}/{file_id}", "object": _CONTENTS, "created": work.now, "text": text})
    done = {"status": "succeeded", "succeeded_at": work.now, "result": file}
    work.change(run, done, "reporting.report_run.succeeded")


def fail_report(work: Work, run_id: str) -> Json:
    """Let a pending run fail, as one does at Stripe when its data is not there. Raises StripeError."""
    run = work.require("reporting.report_run", run_id)
    if run["status"] != "pending":
        raise StripeError(400, f"The report run {run_id} is {run['status']} already.")
    why = "An error occurred while running the report. Create it again."
    return work.change(run, {"status": "failed", "error": why}, "reporting.report_run.failed")


async def contents(request: Request) -> Response:
    """The file itself, for whoever holds a key of its account."""
    state: SandboxState = request.app.state.sandbox
    file_id, request_id = request.path_params["id"], f"req_{secrets.token_hex(7)}"
    try:
        caller = state.caller(api_key(request), request.headers.get("stripe-account"))
        caller.require(READ)
        kept = state.store.get(caller.account_id, f"{_CONTENTS}/{file_id}")
        if kept is None or kept["created"] + KEPT <= state.now().timestamp():
            raise no_such("file", file_id)
    except StripeError as error:
        return respond(request, request_id, error.body, error.status, error.headers)
    headers = {"Request-Id": request_id, "Content-Disposition": f'attachment; filename="{file_id}.csv"'}
    return StreamingResponse(_chunks(kept["text"].encode()), 200, headers, "text/csv; charset=utf-8")


def _chunks(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), _CHUNK):
        yield body[start : start + _CHUNK]


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/v1/reporting/report_types", READ, ReportType, _types),
    Endpoint("GET", "/v1/reporting/report_types/{id}", READ, ReportType, lambda call: report_type(call.work, call.id)),
    Endpoint("POST", "/v1/reporting/report_runs", WRITE, ReportRun, _create, params.reporting.ReportRunCreateParams),
    listing("/v1/reporting/report_runs", READ, ReportRun, params.reporting.ReportRunListParams),
    retrieving("/v1/reporting/report_runs", READ, ReportRun),
    retrieving("/v1/files", "rak_file_read", stripe.File),
)
TASKS: Tasks = {"finish_report": finish_report}
