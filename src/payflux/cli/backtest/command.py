"""`payflux backtest`: replay the past at past dates, with what was known then, and score what would have been said."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from payflux.cli.analyze import columns_of
from payflux.cli.backtest.merchants import Past, past_of_events
from payflux.cli.backtest.replaying import SHOPS_A_SEED, Backtest, replay_pasts, simulated_pasts
from payflux.kit.clock import SystemClock
from payflux.monitor.processors.exports import UnreadableFileError, read_exports
from payflux.web.formatting import count

MOST_SEEDS = 20


def backtest(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Exports of one account, as `payflux analyze` reads them. Without any, simulated merchants with a "
            "known truth, and the daily sales of a real shop.",
            show_default=False,
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, max=MOST_SEEDS, help="How often each simulated merchant is drawn.")
    ] = 3,
    json_: Annotated[bool, typer.Option("--json", help="Print everything as JSON instead of the tables.")] = False,
) -> None:
    """See how right the model would have been on past days.

    Exit code 0: replayed. 1: a file is unreadable, or its history is too short for any question.
    """
    complaints = Console(stderr=True, highlight=False)
    try:
        pasts: Iterable[Past] = [_own_past(files)] if files else simulated_pasts(seeds)
        with complaints.status("Replaying") as status:
            found = replay_pasts(
                pasts, lambda name: status.update(f"Replaying {name}"), shops=0 if files else seeds * SHOPS_A_SEED
            )
    except UnreadableFileError as error:
        complaints.print(str(error), style="bold red", markup=False)
        raise typer.Exit(1) from None
    if not (found.disputes or found.sales or found.escalations):
        complaints.print(
            "This history is too short to replay: five months of sales are needed for the forecast, and a year with "
            "disputes for the dispute rate.",
            style="bold red",
        )
        raise typer.Exit(1)
    if json_:
        answer = {
            "disputes": {name: score._asdict() for name, score in found.disputes.items()},
            "sales": [
                {"name": row.name, "ours": row.ours._asdict(), "last_week": row.seasonal._asdict(),
                 "last_day": row.naive._asdict()}
                for row in found.sales
            ],
            "escalations": {name: score._asdict() for name, score in found.escalations.items()},
        }  # fmt: skip
        print(msgspec.json.format(msgspec.json.encode(answer)).decode())
        return
    show(Console(highlight=False), found)


def show(console: Console, found: Backtest) -> None:
    """Print a table for each question that could be asked."""
    width = min(console.width, 120)
    tables = (
        (found.disputes, _disputes(found)),
        (found.sales, _sales(found)),
        (found.escalations, _escalations(found)),
    )
    for rows, table in tables:
        if rows:
            console.print(table, width=width)


def _own_past(files: list[Path]) -> Past:
    reading = read_exports(files, now=SystemClock().now())
    return past_of_events(", ".join(file.name for file in files), columns_of(reading.events))


def _disputes(found: Backtest) -> Table:
    table = _table(
        "Disputes in the end on the last 13 weeks' payments, said before they had all arrived",
        ("merchant", "a week", "days", "bias", "error", "9 of 10", "in range", "so far"),
    )
    for name, row in found.disputes.items():
        table.add_row(
            name,
            f"{row.events_a_week:.1f}",
            count(row.valuations),
            _signed(row.bias),
            _percent(row.mape),
            _percent(row.p90),
            _percent(row.coverage),
            _percent(row.naive_mape),
        )
    table.caption = (
        "error: mean; 9 of 10: errors up to this; in range: counts inside the 80 % range; so far: the mean error of "
        "taking the disputes seen so far for all"
    )
    return table


def _sales(found: Backtest) -> Table:
    table = _table(
        "Sales of the next 30, 60 and 90 days",
        ("merchant", "days", "bias", "error", "in range", "CRPS", "last week", "last day"),
    )
    for row in found.sales:
        ours = row.ours
        table.add_row(
            row.name if ours.horizon == found.sales[0].ours.horizon else "",
            str(ours.horizon),
            _signed(ours.bias),
            _percent(ours.mape),
            _percent(ours.coverage),
            f"{ours.crps:.3f}",
            *(f"{ours.crps / other.crps:.2f} ×" if other.crps else "–" for other in (row.seasonal, row.naive)),
        )
    table.caption = (
        "in range: sums inside the 80 % range; CRPS over mean sales, and beside that of repeating the last week or day"
    )
    return table


def _escalations(found: Backtest) -> Table:
    table = _table(
        "A higher tier within 30 days: what was said, and what came",
        ("merchant", "said on", "said", "came", "Brier", "base rate's", "skill"),
    )
    for name, row in found.escalations.items():
        table.add_row(
            name,
            f"{count(row.valuations)} days",
            _percent(row.stated),
            _percent(row.base_rate),
            f"{row.brier:.3f}",
            f"{row.brier_of_base_rate:.3f}",
            f"{row.skill:+.2f}" if row.brier_of_base_rate else "–",
        )
    table.caption = (
        "Brier: 0 is perfect; base rate's: that of always saying the share that came; skill above 0 is better"
    )
    return table


def _table(title: str, columns: tuple[str, ...]) -> Table:
    table = Table(
        title=title, box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold", title_justify="left"
    )
    table.title_style = "bold"
    for place, name in enumerate(columns):
        table.add_column(name, justify="right" if place else "left", no_wrap=True)
    return table


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _signed(share: float) -> str:
    return f"{'+' if share >= 0 else '−'}{_percent(abs(share))}"
