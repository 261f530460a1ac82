"""What a reading of history is made of: the windows of each resource. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from datetime import timedelta

from payflux.monitor.processors.models import PullPurpose
from payflux.monitor.processors.resources import RESOURCES, Resource
from payflux.monitor.processors.windows import Window, cut

FIRST_STRETCH = timedelta(days=90)
"""What the first projection waits for."""

HISTORY = timedelta(days=400)
"""How much of the past is read, and handed out for scoring: 13 months."""

REPORT = "balance_report"
"""The windows that are read from Stripe's itemized report instead of lists."""

REPORTED = ("charges", "refunds")
"""What that report replaces: of everything else there is too little to be slow, and the lists tell more."""

_DAY = 86_400
_PART = 31 * _DAY
"""Older history is read in parts of a month, the newest first, so that it is soon known how far back it is whole."""


def plan_windows(purpose: PullPurpose, start: int, end: int, *, reported: bool = False) -> list[Window]:
    """The windows that cover `start` to `end`, in unix seconds, both included; for an account that is `reported`, with
    the report in place of the lists it replaces."""
    windows = [
        Window(resource=name, number=number, filter=kind, start=first, end=last)
        for name, resource in RESOURCES.items()
        if not (reported and name in REPORTED)
        for number, (kind, (first, last)) in enumerate(
            itertools.product(resource.types, _stretches(purpose, resource, start, end))
        )
    ]
    return [*windows, *plan_reports(start, end)] if reported else windows


def plan_reports(start: int, end: int) -> list[Window]:
    """The windows of the reports over `start` to `end`, both included."""
    return [
        Window(resource=REPORT, number=number, filter="", start=first, end=last)
        for number, (first, last) in enumerate(cut(start, end, _parts(start, end)))
    ]


def _stretches(purpose: PullPurpose, resource: Resource, start: int, end: int) -> Iterator[tuple[int, int]]:
    parts = 1
    if purpose == PullPurpose.FIRST:
        start, parts = min(start, end - resource.days * _DAY), resource.windows
    elif purpose == PullPurpose.BACKFILL:
        # what the first pull has read further back than the others
        end = min(end, start + (HISTORY.days - resource.days) * _DAY)
        parts = _parts(start, end)
    return iter(cut(start, end, parts) if start <= end else ())


def _parts(start: int, end: int) -> int:
    return math.ceil((end - start + 1) / _PART)
