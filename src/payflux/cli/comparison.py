"""A what-if's answer in a terminal: before, after, and the difference."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from payflux.monitor.whatif.answers import Answer
from payflux.web.comparison import changes_in_words, comparison
from payflux.web.formatting import decimal, money_short

STYLES = {"better": "green", "worse": "red"}


def what_if(answer: Answer) -> RenderableType:
    """The changed measures as a table, what the change costs and avoids, and what it assumes."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("Measure")
    for name in ("As it is", "Changed", "Difference"):
        table.add_column(name, justify="right")
    table.add_column("")
    for _, rows in comparison(answer):
        for row in rows:
            direction = Text(row.direction, style=STYLES.get(row.direction, "dim"))
            table.add_row(row.label, row.before, Text(row.after, style="bold"), row.change, direction)
        table.add_section()
    outlay = money_short(answer.outlay, answer.projection_before.currency)
    paid = f" {outlay} is paid back at once." if answer.outlay else ""
    notes = Table.grid(padding=(0, 1))
    for note in answer.notes:
        notes.add_row(Text("·", style="dim"), Text(note))
    asked = Text(f"With {', '.join(changes_in_words(answer.changes))}", style="bold")
    return Group(asked, table, Text(f"Disputes avoided: {decimal(answer.avoided_disputes)}.{paid}"), notes)
