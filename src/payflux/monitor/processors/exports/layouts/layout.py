"""What a layout is: the columns that tell it, and how one of its rows becomes payment events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.events import PaymentEvent
from payflux.monitor.processors.exports.rows import Row


class Ending(NamedTuple):
    """A row that only tells how something ended which another row, perhaps of another file, tells of."""

    kind: Kind
    source_id: str
    charge_id: str
    status: Status
    words: str  # what ended, to say so when nothing tells of its beginning


Found = list[PaymentEvent] | Ending | str
"""What a row says: events, how one ended, or in a few words why a sound row is no payment event."""


class Layout(NamedTuple):
    """One kind of file. Columns are keys (see :func:`tables.column_key`); `aliases` maps other names onto them.

    Where layouts tell of the same fact, the one with the higher `authority` is believed.
    """

    name: str
    title: str
    authority: int
    required: tuple[str, ...]
    optional: tuple[str, ...]
    read: Callable[[Row], Found]
    aliases: Mapping[str, str] = {}


def words(text: str) -> tuple[str, ...]:
    """The words of a text that lists column keys or values."""
    return tuple(text.split())


CHARGE_FACTS = (
    *("charge_occurred_at", "network", "method", "outcome", "risk_level", "three_d_secure"),
    *("country", "card", "customer"),
)
"""Fields in which a refund or a dispute repeats what is known of its charge."""

SUMMARY = "/summary"
"""Ends the `source_id` of a refund or dispute known only from its charge's row, which names no object of its own."""


def summary_id(kind: Kind, charge_id: str) -> str:
    """The `source_id` of what a charge's own row says of its refund or dispute."""
    return f"{charge_id}/{kind.name.lower()}{SUMMARY}"
