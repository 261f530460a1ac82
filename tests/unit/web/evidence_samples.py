"""Contexts for the pages of evidence: a short ledger of a workspace, its exports, reports and imports."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import rfc8785

from payflux.monitor.evidence.models import (
    Content,
    Every,
    EvidenceExport,
    EvidenceImport,
    EvidenceReport,
    ExportState,
    Form,
    Format,
    ImportedRecord,
    ReportContent,
)
from payflux.monitor.ledger.artifacts import FIRST_HASH, Kind, key_id_of, sha256
from payflux.monitor.ledger.models import LedgerArtifact, LedgerCheckpoint
from payflux.monitor.ledger.queries import Proof
from payflux.web.evidence_views import KINDS, artifact_view
from tests.unit.web.staff_samples import NOW, ONE, TWO

KEY = key_id_of(bytes(32))
WINDOWS = [{"horizon_days": days, "trapped": days * 46_000} for days in (30, 60, 90)]
SCORE = {"trapped_said": 1_380_000, "trapped": 1_421_000, "currency": "usd"}
SAID: list[tuple[Kind, dict[str, object]]] = [
    (Kind.CONNECTION, {"processor": "stripe", "external_account_id": "acct_1A2b3C4d5E6f7G"}),
    (Kind.BASELINE, {"tier": 3, "stability_score": 62, "event_count": 847}),
    (Kind.PROJECTION, {"risk": {"tier": 3}, "windows": WINDOWS, "currency": "usd"}),
    (Kind.ENVELOPE, {"purpose": "activation"}),
    (Kind.ALERT, {"happening": "raised", "rule": "tier_escalation"}),
    (Kind.SCORE, {"horizon_days": 30, "score": SCORE}),
    (Kind.IMPORTED, {"records": 2}),
]
NAMES = {ONE: "Alice Archer", TWO: "Bob, who keeps the books of three companies"}


def ledger() -> list[LedgerArtifact]:
    """What :data:`SAID` says, chained, an hour apart; the first body is kept no longer."""
    rows: list[LedgerArtifact] = []
    for sequence, (kind, body) in enumerate(SAID, start=1):
        text = rfc8785.dumps(body)  # ty: ignore[invalid-argument-type] -- plain values
        previous = rows[-1].hash if rows else FIRST_HASH
        rows.append(
            LedgerArtifact(
                account_id=ONE,
                workspace_id=ONE,
                sequence=sequence,
                kind=kind.value,
                body=text.decode() if sequence > 1 else None,
                body_hash=sha256(text),
                inputs_hash="9f2c" * 16 if kind in (Kind.BASELINE, Kind.PROJECTION) else "",
                model_version="reserve-1.0.0" if kind is Kind.PROJECTION else "",
                recorded_at=NOW - timedelta(hours=len(SAID) - sequence),
                previous_hash=previous,
                hash=sha256(previous + text),
                key_id=KEY,
                signature=bytes(64),
            )
        )
    return rows


def export(number: int, state: ExportState, content: Content, format_: Format, **more: Any) -> EvidenceExport:
    values = {"done": 0, "total": 0, "size": 0, "sha256": "", "problem": "", "asked_by": ONE}
    sequences = {"first_sequence": 1, "last_sequence": 7} if content is Content.ARTIFACTS else {}
    return EvidenceExport(
        id=UUID(int=number),
        content=content.value,
        format=format_.value,
        state=state.value,
        asked_at=NOW,
        expires_at=NOW + timedelta(days=7),
        **values | sequences | more,
    )


EXPORTS = [
    export(1, ExportState.WAITING, Content.DOSSIER, Format.PDF),
    export(2, ExportState.MAKING, Content.ARTIFACTS, Format.CSV, done=1_200, total=3_412, asked_by=None),
    export(3, ExportState.READY, Content.ARTIFACTS, Format.JSONL, size=48_213, sha256="41ab" * 16),
    export(4, ExportState.FAILED, Content.DOSSIER, Format.PDF, problem="There is no projection to make a dossier of."),
]
REPORTS = [
    EvidenceReport(id=UUID(int=number), content=content.value, every=every.value, recipients=recipients, next_at=NOW)
    for number, (content, every, recipients) in enumerate(
        ((ReportContent.DOSSIER, Every.MONTH, [ONE, TWO]), (ReportContent.SUMMARY, Every.WEEK, [UUID(int=3)]))
    )
]


def brought(number: int, form: Form, file_name: str, records: int, at: datetime) -> EvidenceImport:
    return EvidenceImport(
        id=UUID(int=number),
        form=form.value,
        file_name=file_name,
        source_hash="c0de" * 16,
        records=records,
        origin="old.payflux.example/archer" if form is Form.LEDGER else "",
        imported_by=ONE,
        imported_at=at,
        sequence=7,
    )


IMPORTS = [
    brought(1, Form.LEDGER, "payflux-evidence-1-2.of-our-installation-before-2026.jsonl", 2, NOW),
    brought(2, Form.RECORDS, "", 1, NOW - timedelta(days=1)),
]
RECORDS = [
    ImportedRecord(number=1, kind="projection", at=NOW, body='{"note": "A reserve of 10 % was agreed by telephone."}'),
    ImportedRecord(number=2, kind="baseline", at=NOW - timedelta(days=90), body=None),
]


def evidence_pages(signed_in: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """The pages by name."""
    rows = ledger()
    listed = signed_in | {
        "artifacts": [artifact_view(row) for row in reversed(rows)],
        "count": len(rows),
        "kinds": KINDS,
        "live_version": "a1b2c3d4",
        "form": {"kind": "", "from": "", "to": ""},
        "filtered": False,
        "older": "?before=1",
        "errors": {},
        "may_export": True,
        "exports": EXPORTS,
        "reports": REPORTS,
        "report_contents": [each.value for each in ReportContent],
        "everies": [each.value for each in Every],
        "imports": IMPORTS,
        "names": NAMES,
        "site": "https://payflux.example",
    }
    nothing = {"artifacts": [], "count": 0, "older": "", "exports": [], "reports": [], "imports": []}
    filtered = {"artifacts": [], "older": "", "filtered": True, "form": {"kind": "alert", "from": "soon", "to": ""}}
    refused = {"errors": {"first": "Write a whole number.", "recipients": "Choose one at least.", "file": "Not JSONL."}}
    one = signed_in | {"count": len(rows), "may_export": True, "site": "https://payflux.example"}
    checkpoint = LedgerCheckpoint(tree_size=48_112, signed_at=NOW, note="payflux.example/ledger\n48112\n")
    imported = signed_in | {"brought": IMPORTS[0], "by": "Alice Archer", "records": RECORDS, "following": 2}
    return {
        "evidence": ("evidence/list.html", listed),
        "evidence-empty": ("evidence/list.html", listed | nothing),
        "evidence-reading-only": ("evidence/list.html", listed | {"may_export": False}),
        "evidence-refused": (
            "evidence/list.html",
            listed | filtered | refused | {"errors": refused["errors"] | {"from": "Write the day as 2026-11-21."}},
        ),
        "evidence-artifact": (
            "evidence/artifact.html",
            one | {"artifact": artifact_view(rows[2]), "proof": Proof(47_001, [], checkpoint)},
        ),
        "evidence-artifact-without-body": (
            "evidence/artifact.html",
            one | {"artifact": artifact_view(rows[0]), "proof": None, "may_export": False},
        ),
        "evidence-import": ("evidence/import.html", imported),
        "evidence-import-of-records": (
            "evidence/import.html",
            imported | {"brought": IMPORTS[1], "by": None, "records": RECORDS[:1], "following": None},
        ),
    }
