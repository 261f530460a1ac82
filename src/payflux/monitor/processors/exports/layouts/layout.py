"""What a layout is: the columns that tell it, and how one of its rows becomes payment events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from payflux.monitor.processors.events import PaymentEvent
from payflux.monitor.processors.exports.rows import Row

Found = list[PaymentEvent] | str
"""The events of a row, or in a few words why a sound row is no payment event."""


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
