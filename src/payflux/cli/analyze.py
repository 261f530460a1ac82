"""`payflux analyze`: the risk readout from files alone, without a server."""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from payflux.cli.readout import basis_sentence, show
from payflux.cli.report import report_page
from payflux.kit.clock import SystemClock
from payflux.kit.phrases import without_phrases
from payflux.monitor.processors.events import EVENT_DTYPE, PaymentEvent, event_columns, sort_events
from payflux.monitor.processors.exports import ReadReport, UnreadableFileError, read_exports
from payflux.monitor.processors.exports.tables import Progress as Report
from payflux.monitor.projections.rules import ProjectionSettings, project
from payflux.monitor.projections.skeleton import baseline_risk_surface, reserve_model_skeleton
from payflux.monitor.risk.engines.duckdb import MEMORY_LIMIT, stage_files
from payflux.monitor.risk.rules import History, prepare, score
from payflux.monitor.risk.rules.history import history_of
from payflux.monitor.whatif.answers import Answer, answer
from payflux.monitor.whatif.changes import Changes, parse_changes

FRESH_DAYS = 7
"""Events as recent as this are read as of now; older ones as of the end of their last day."""

BATCH = 50_000


class Engine(StrEnum):
    """What sums up the events: memory, or DuckDB within a limit of memory."""

    MEMORY = "memory"
    DUCKDB = "duckdb"


class AsOf(msgspec.Struct, frozen=True):
    """The instant a readout is for, and in a few words why that one."""

    instant: datetime
    basis: str


def analyze(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Stripe exports (payments, disputes, itemized balance report) or plain payment events, as CSV or "
            "Parquet, of one account. Several are merged.",
            show_default=False,
        ),
    ],
    json_: Annotated[bool, typer.Option("--json", help="Print everything as JSON instead of the readout.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", help="Also write one self-contained page to this file.", dir_okay=False)
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            help="Read as of the end of this day, or this instant (ISO 8601, UTC where no zone is named). Without it: "
            "now if the last event is at most 7 days old, else the end of its day.",
            show_default=False,
        ),
    ] = None,
    horizon: Annotated[
        list[int] | None,
        typer.Option(
            "--horizon",
            metavar="DAYS",
            help="Project to this many days from now, 1 to 365, instead of 30, 60 and 90. Give it several times.",
            show_default=False,
        ),
    ] = None,
    reserve: Annotated[
        str | None,
        typer.Option(
            "--reserve",
            metavar="TERMS",
            help="Project this rolling reserve, such as 15%x120, instead of the tier's.",
            show_default=False,
        ),
    ] = None,
    what_if: Annotated[
        list[str] | None,
        typer.Option(
            "--what-if",
            metavar="CHANGE",
            help="Also say what would be different: refund-warnings, rdr or rdr=80%, 3ds=50%, growth=10%, "
            "reserve=15%x120. Give it several times for several changes at once.",
            show_default=False,
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with code 2 when any row was refused.")] = False,
    engine: Annotated[
        Engine,
        typer.Option("--engine", help="duckdb: for plain payment events of any size, on disk and in little memory."),
    ] = Engine.MEMORY,
    memory_limit: Annotated[
        str, typer.Option("--memory-limit", metavar="AMOUNT", help="What DuckDB may take, such as 500MB or 8GB.")
    ] = MEMORY_LIMIT,
) -> None:
    """See your risk band and trapped capital from export files, without a server.

    Exit code 0: read. 1: a file is unreadable, nothing usable is in it, or a change is not one. 2: with --strict, a
    row was refused.
    """
    complaints = Console(stderr=True, highlight=False)
    now = SystemClock().now()
    try:
        changes, settings = parse_changes(what_if or ()), settings_of(horizon, reserve)
        history, report, instant = read_files(files, as_of, now, None if engine == Engine.MEMORY else memory_limit)
    except (UnreadableFileError, ValueError) as error:
        complaints.print(str(error), style="bold red", markup=False)
        raise typer.Exit(1) from None
    if not report.events:
        complaints.print("There is no usable payment event in what was given.", style="bold red")
        for problem in report.problems[:10]:
            complaints.print(f"{problem.file}, line {problem.line}: {problem.message}", markup=False)
        raise typer.Exit(1)
    try:
        _publish(history, report, instant, changes, settings, json_=json_, html=html)
    except OSError as error:
        complaints.print(f"{html} cannot be written: {error.strerror or error}.", style="bold red", markup=False)
        raise typer.Exit(1) from None
    if strict and report.refused:
        raise typer.Exit(2)


def read_files(
    files: Sequence[Path], chosen: str | None, now: datetime, memory_limit: str | None
) -> tuple[History, ReadReport, AsOf]:
    """What the files tell, by DuckDB where a limit of memory is given. Raises UnreadableFileError or ValueError."""
    with _progress(files) as progress:
        if memory_limit is None:
            reading = read_exports(files, now=now, progress=progress)
            last = max((event.occurred_at for event in reading.events if event.occurred_at <= now), default=None)
            as_of = choose_as_of(chosen, last, now)
            return prepare(columns_of(reading.events), as_of=as_of.instant), reading.report, as_of
        with stage_files(files, now=now, memory_limit=memory_limit, progress=progress) as staged:
            as_of = choose_as_of(chosen, staged.last_before(now), now)
            return history_of(staged.summary(as_of.instant), as_of=as_of.instant), staged.report, as_of


def settings_of(horizons: Sequence[int] | None, reserve: str | None) -> ProjectionSettings:
    """What was chosen of the projection. Raises ValueError, with a sentence, for what means nothing."""
    terms = parse_changes([f"reserve={reserve}"]) if reserve is not None else Changes()
    chosen = tuple(sorted(set(horizons))) if horizons else ProjectionSettings().horizons
    return ProjectionSettings(horizons=chosen, rate=terms.reserve_rate, hold_days=terms.hold_days)


def choose_as_of(chosen: str | None, last: datetime | None, now: datetime) -> AsOf:
    """The instant to read as of, where `last` is when the last event before `now` happened. A day means its end, or
    `now` when it is not over.

    Raises ValueError, with a sentence that says what to write, when `chosen` is not a time.
    """
    if chosen is not None:
        try:
            moment = datetime.fromisoformat(chosen)
        except ValueError:
            raise ValueError(f"--as-of {chosen!r} is not a day or a time such as 2026-11-20.") from None
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        return AsOf(min(_end_of_day(moment), now) if len(chosen) <= len("2026-11-20") else moment, "as asked")
    if last is None or now - last <= timedelta(days=FRESH_DAYS):
        return AsOf(now, "")
    return AsOf(_end_of_day(last), "the end of the last event's day, as the files end before this week")


def _end_of_day(moment: datetime) -> datetime:
    return datetime.combine(moment.date() + timedelta(days=1), time(), UTC)


def columns_of(events: Sequence[PaymentEvent]) -> np.ndarray:
    """`events` as one array of EVENT_DTYPE, made in pieces so that a long history takes little memory."""
    pieces = [event_columns(events[start : start + BATCH]) for start in range(0, len(events), BATCH)]
    return sort_events(np.concatenate(pieces)) if pieces else np.empty(0, EVENT_DTYPE)


def _publish(
    history: History,
    report: ReadReport,
    as_of: AsOf,
    changes: Changes,
    settings: ProjectionSettings,
    *,
    json_: bool,
    html: Path | None,
) -> None:
    surface = score(history)
    projection = project(history, surface, settings)
    answered = answer(history, changes, settings) if changes else None
    if html is not None:
        page = report_page(surface, projection, report, history, as_of_basis=as_of.basis, answer=answered)
        html.write_text(page, encoding="utf-8")
    if json_:
        said = {
            "basis": basis_sentence(surface, report),
            "as_of_basis": as_of.basis,
            "surface": without_phrases(surface),
            "projection": without_phrases(projection),
            "baselineRiskSurface": baseline_risk_surface(surface),
            "reserveModelSkeleton": reserve_model_skeleton(projection),
            "reading": report,
        }
        if answered:
            said["what_if"] = what_is_different(answered)
        print(msgspec.json.format(msgspec.json.encode(said)).decode())
        return
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # an old terminal shows ? where it cannot show a sign
    console = Console(highlight=False)
    show(console, surface, projection, report, as_of_basis=as_of.basis, answer=answered)
    if html is not None:
        console.print(f" The page is in {html}.", markup=False)


def what_is_different(answered: Answer) -> dict[str, object]:
    """An answer for a machine, without the readout that it is compared with."""
    return {
        "changes": answered.changes,
        "measures": answered.measures,
        "outlay": answered.outlay,
        "avoided_disputes": answered.avoided_disputes,
        "notes": answered.notes,
        "surface": without_phrases(answered.after),
        "projection": without_phrases(answered.projection_after),
    }


@contextmanager
def _progress(files: Sequence[Path]) -> Generator[Report | None]:
    """A progress bar over all files on a terminal's standard error; none anywhere else."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        tasks = {path: bar.add_task(path.name, total=None) for path in files}
        yield lambda path, done, whole: bar.update(tasks[path], completed=done, total=whole)
