"""Files in, payment events and an honest report of the reading out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.events import PaymentEvent
from payflux.monitor.processors.exports.layouts import LAYOUTS, balance_activity, plain, unified_payments
from payflux.monitor.processors.exports.layouts.layout import Ending, Layout
from payflux.monitor.processors.exports.merge import Facts
from payflux.monitor.processors.exports.report import FileReport, ReadReport, Trouble, set_aside, tally
from payflux.monitor.processors.exports.rows import RefusedRowError, Row
from payflux.monitor.processors.exports.tables import (
    BrokenRow,
    Progress,
    Table,
    UnreadableFileError,
    column_key,
    open_table,
)


class Reading(NamedTuple):
    """What the files say, in order of time, and how reading them went."""

    events: list[PaymentEvent]
    report: ReadReport


def read_exports(paths: Sequence[Path], *, now: datetime, progress: Progress | None = None) -> Reading:
    """Read and merge exports of one merchant account.

    Layouts are told by their headers (see :data:`LAYOUTS`). Times after `now` (with a day of grace for clocks) are
    noted. Raises UnreadableFileError for a file that cannot be opened or whose layout is not known; a bad row is never
    an error, it is counted in the report.
    """
    facts, report = Facts(), ReadReport()
    endings: list[tuple[FileReport, Ending]] = []
    for path in dict.fromkeys(paths):
        with open_table(path, progress) as table:
            endings += _read_table(path, table, facts, report, now + timedelta(days=1))
    for file, ending in endings:
        if not facts.end(ending):
            file.used -= 1
            set_aside(file, f"{ending.words} of something from before these files")
    events = facts.events()
    report.merged = facts.merged
    report.events = len(events)
    report.kinds = tally(Counter(event.kind.name.lower() for event in events))
    report.currencies = tally(Counter(event.settled_currency for event in events if event.kind == Kind.CHARGE))
    if events:
        report.first_at, report.last_at = events[0].occurred_at, events[-1].occurred_at
    charges = [event for event in events if event.kind == Kind.CHARGE]
    report.unseen = unseen(
        {event.kind for event in events},
        {file.layout for file in report.files},
        failures=any(charge.status == Status.FAILED for charge in charges),
        cards=any(charge.card for charge in charges),
    )
    return Reading(events, report)


def _read_table(
    path: Path, table: Table, facts: Facts, report: ReadReport, latest: datetime
) -> list[tuple[FileReport, Ending]]:
    """Take in the events of a table; the endings can only be placed when every file is read."""
    endings: list[tuple[FileReport, Ending]] = []
    layout = detect(path, table.header)
    columns = columns_of(layout, table.header)
    file = describe(path, layout, table.header, table.notes)
    report.files.append(file)
    for line, cells in table.rows:
        file.rows += 1
        if isinstance(cells, BrokenRow):
            report.refuse(file, line, Trouble.BROKEN_ROW, cells.why)
            continue
        row = Row(cells, columns, table.header, table.decimal_comma)
        try:
            outcome = layout.read(row)
        except RefusedRowError as error:
            report.refuse(file, line, error.trouble, str(error))
            continue
        for trouble, message in row.notices:
            report.note(file, line, trouble, message)
        if isinstance(outcome, str):
            set_aside(file, outcome)
            continue
        file.used += 1
        if isinstance(outcome, Ending):
            endings.append((file, outcome))
            continue
        for event in outcome:
            facts.add(event, layout.authority)
            if event.occurred_at > latest:
                report.note(file, line, Trouble.FUTURE_TIME, f"{event.occurred_at:%Y-%m-%d %H:%M} UTC is still to come")
    return endings


def describe(path: Path, layout: Layout, header: Sequence[str], notes: tuple[str, ...] = ()) -> FileReport:
    """The report of a file of this layout, before any row is read."""
    columns = columns_of(layout, header)
    known = set(layout.required) | set(layout.optional)
    return FileReport(
        file=str(path),
        layout=layout.name,
        title=layout.title,
        unknown_columns=tuple(header[index] for key, index in columns.items() if key not in known),
        missing_columns=tuple(column for column in layout.optional if column not in columns),
        notes=notes,
    )


def detect(path: Path, header: Sequence[str]) -> Layout:
    """The layout whose required columns are all in `header`; of several, the one that knows most of its columns.

    Raises UnreadableFileError that names the nearest layout and the columns it misses.
    """
    fitting = [layout for layout in LAYOUTS if not _missing(layout, header)]
    if fitting:
        return max(
            fitting, key=lambda layout: len({*layout.required, *layout.optional} & columns_of(layout, header).keys())
        )
    nearest = min(LAYOUTS, key=lambda layout: len(_missing(layout, header)) / len(layout.required))
    missing = _missing(nearest, header)
    described = "\n".join(f"  {layout.title}: {', '.join(layout.required)}" for layout in LAYOUTS)
    hint = ""
    if any(column.endswith("_utc") for column in missing) and any("created" in column_key(name) for name in header):
        hint = " Export it again with the time zone UTC, so that every day is the processor's own."
    closest = (
        f" It comes closest to the {nearest.title}, but misses {', '.join(missing)}.{hint}"
        if len(missing) < len(nearest.required)
        else ""
    )
    raise UnreadableFileError(
        f"{path} has none of the known headers.{closest}\nWhat can be read, with the columns each needs:\n{described}"
    )


def columns_of(layout: Layout, header: Sequence[str]) -> dict[str, int]:
    """Column key → position; the first of two columns of one name counts."""
    columns: dict[str, int] = {}
    for index, name in enumerate(header):
        key = column_key(name)
        columns.setdefault(layout.aliases.get(key, key), index)
    return columns


def _missing(layout: Layout, header: Sequence[str]) -> list[str]:
    columns = columns_of(layout, header)
    return [column for column in layout.required if column not in columns]


def unseen(kinds: Set[Kind], layouts: Set[str], *, failures: bool, cards: bool) -> tuple[str, ...]:
    """What no event shows, so that nobody takes an absence for a zero.

    `kinds` and `layouts` are those that were read; `failures` and `cards` whether any charge failed or names its card.
    """
    charges = Kind.CHARGE in kinds
    tests = (
        (True, "The account's state and its balance now: files hold neither, so coverage and stops are not judged."),
        (not charges, "Payments: none in these files, so no rate can be said; add the payments export."),
        (
            Kind.EARLY_FRAUD_WARNING not in kinds,
            "Early fraud warnings: no export lists them, so card-network fraud ratios are lower bounds.",
        ),
        (
            charges and not failures,
            "Failed attempts: none in these files. If there were any, add the payments export.",
        ),
        (
            charges and not cards,
            "Card fingerprints: not in these files, so retries and card testing cannot be told.",
        ),
        (
            layouts == {unified_payments.LAYOUT.name},
            "Refunds and disputes of payments older than the file: add the disputes export and the itemized report.",
        ),
        (Kind.DISPUTE not in kinds, "Disputes: none in these files. If there were any, add the disputes export."),
        (Kind.REFUND not in kinds, "Refunds: none in these files. If there were any, add the itemized report."),
        (Kind.PAYOUT not in kinds, "Payouts: not in these files, so late or failed ones are not seen."),
        (
            not layouts & {balance_activity.LAYOUT.name, plain.LAYOUT.name},
            "Reserves in force: not in these files; add the itemized balance report.",
        ),
    )
    return tuple(sentence for applies, sentence in tests if applies)
