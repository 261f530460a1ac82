"""Measure the fast paths against their named peers and print one table: `make bench`."""

from __future__ import annotations

import os
import platform

from rich.console import Console
from rich.table import Table

from tests.bench.feature_rows import from_parquet, from_postgresql, in_memory

ROWS = (in_memory, from_postgresql, from_parquet)


def _seconds(taken: float) -> str:
    return f"{taken * 1e6:,.0f} µs" if taken < 1e-3 else f"{taken * 1e3:,.1f} ms"


def main() -> None:
    """Print the table. It fails on a wrong result only: a ratio depends on the machine."""
    console = Console(width=None if os.isatty(1) else 110)
    table = Table(title=f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for heading in ("work", "ours", "peer", "", "ratio", "goal", "met"):
        table.add_column(heading, justify="left" if heading in ("work", "") else "right")
    for measure in ROWS:
        with console.status(measure.__name__.replace("_", " ")):
            row = measure()
        ratio, goal, met = f"{row.ratio:.3f}", f"≤ {row.goal:.3g}", "yes" if row.met else "no"
        table.add_row(row.work, _seconds(row.ours), _seconds(row.peer), row.peer_name, ratio, goal, met)
    console.print(table)


if __name__ == "__main__":
    main()
