"""Artifacts as CSV (RFC 4180), for spreadsheets: the proof's parts as columns, the body as JSON. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from payflux.monitor.ledger.artifacts import written
from payflux.monitor.ledger.models import LedgerArtifact

COLUMNS = (
    "sequence",
    "recorded_at",
    "kind",
    "model_version",
    "inputs_hash",
    "body_hash",
    "previous_hash",
    "hash",
    "jws",
    "body",
)


def csv_head() -> bytes:
    return _lines([COLUMNS])


def csv_lines(artifacts: Iterable[LedgerArtifact]) -> bytes:
    """A line for each artifact; the body is empty where it is kept no longer."""
    return _lines(
        (
            each.sequence,
            written(each.recorded_at),
            each.kind,
            each.model_version,
            each.inputs_hash,
            each.body_hash.hex(),
            each.previous_hash.hex(),
            each.hash.hex(),
            each.jws,
            each.body or "",
        )
        for each in artifacts
    )


def _lines(rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
