"""Measure the fast paths against their named peers and print one table: `make bench`."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from tests.bench.activation_rows import connected_to_live
from tests.bench.api_rows import keys_and_streams
from tests.bench.entitlement_rows import kept
from tests.bench.feature_rows import from_parquet, from_postgresql, in_memory
from tests.bench.hook_rows import applied, verified
from tests.bench.ledger_rows import recorded_and_verified
from tests.bench.measuring import Row
from tests.bench.pull_rows import first_projections
from tests.bench.reading_rows import read_again
from tests.bench.score_rows import large_file, large_score, small_scores
from tests.bench.sweep_rows import rollup_kept_up_to_date, sweep_of_all

ROWS: tuple[Callable[[], list[Row]], ...] = (
    lambda: [in_memory()],
    lambda: [from_postgresql()],
    lambda: [from_parquet()],
    small_scores,
    large_score,
    large_file,
    lambda: [rollup_kept_up_to_date()],
    sweep_of_all,
    first_projections,
    connected_to_live,
    lambda: [read_again()],
    lambda: [verified()],
    applied,
    lambda: [kept()],
    recorded_and_verified,
    keys_and_streams,
)


def _amount(value: float, unit: str) -> str:
    if unit != "s":
        return f"{value:,.0f} {unit}"
    if value < 1e-3:
        return f"{value * 1e6:,.0f} µs"
    return f"{value * 1e3:,.1f} ms" if value < 1 else f"{value:,.2f} s"


def main() -> None:
    """Print the table. It fails on a wrong result only: a ratio depends on the machine."""
    console = Console(width=None if os.isatty(1) else 130)
    table = Table(title=f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for heading in ("work", "ours", "peer", "", "ratio", "goal", "met"):
        table.add_column(heading, justify="left" if heading in ("work", "") else "right")
    with console.status("measuring"):
        for measure in ROWS:
            for row in measure():
                ratio, goal, met = f"{row.ratio:.3f}", f"≤ {row.goal:.3g}", "yes" if row.met else "no"
                ours, peer = _amount(row.ours, row.unit), _amount(row.peer, row.unit)
                table.add_row(row.work, ours, peer, row.peer_name, ratio, goal, met)
    console.print(table)


if __name__ == "__main__":
    main()
