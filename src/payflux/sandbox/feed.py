"""The events of the merchants' books, rendered when they are asked for: always the same bytes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from payflux.sandbox.merchants.timeline import CHANGES
from payflux.sandbox.resources import EVENTS, find_in_books
from payflux.sandbox.state import SandboxState
from payflux.sandbox.store import Json


def between(
    state: SandboxState, account_id: str, after: int, until: int, wanted: Callable[[str], bool] | None = None
) -> list[Json]:
    """The events of the seconds beyond `after` and up to `until`, both unix seconds, the oldest first; none of what is
    still to come. With `wanted`, only those whose type it takes."""
    view = state.view(account_id)
    table = view.merchant.events
    first = int(np.searchsorted(table.created, after, side="right"))
    last = int(np.searchsorted(table.created, min(until, view.now), side="right"))
    rows = np.arange(first, max(first, last))
    if wanted is not None:
        kinds = [number for number, kind in enumerate(CHANGES) if wanted(kind.type)]
        rows = rows[np.isin(table.data["kind"][rows], kinds)]
    return [EVENTS.render(view, row, index) for row, index in zip(table.rows(rows), rows.tolist(), strict=True)]


def find(state: SandboxState, account_id: str, event_id: str) -> Json | None:
    """The event with this id, if it has happened by now."""
    found = find_in_books(state.view(account_id), event_id)
    return found if found is not None and found["object"] == "event" else None
