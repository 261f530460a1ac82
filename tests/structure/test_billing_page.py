"""The table of the subscription in the documentation is the one that the code goes by."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from payflux.frontdoor.billing.rules import TRANSITIONS, Event, State

PAGE = Path("docs/billing.md")
BOTH: dict[Event, Event] = {"stripe_unpaid": "stripe_paused"}
"""Events that lead to the same states, and share a column."""


def as_table() -> str:
    """Every state and event with the state that follows; a dot where nothing changes."""
    events = [event for event in get_args(Event) if event not in BOTH.values()]
    heads = [f"{event}, {BOTH[event].removeprefix('stripe_')}" if event in BOTH else event for event in events]
    rows = [["", *(head.replace("stripe_", "").replace("_", " ") for head in heads)], ["---"] * (len(events) + 1)]
    for state in get_args(State):
        follow = [TRANSITIONS[state].get(event, state) for event in events]
        cells = ["·" if to == state else to.replace("_", " ") for to in follow]
        rows.append([f"**{state.replace('_', ' ')}**", *cells])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def test_events_that_share_a_column_do_the_same() -> None:
    for row in TRANSITIONS.values():
        assert all(row.get(one) == row.get(other) for one, other in BOTH.items())


def test_the_page_shows_the_table_of_the_code() -> None:
    assert as_table() in PAGE.read_text(), f"Put this into {PAGE}:\n{as_table()}"
