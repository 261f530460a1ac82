"""Evidence for a reader outside: exports and their files, reports that are due again and again, and what was brought
from elsewhere."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Uuid

from payflux.kit.database import Base


class Content(StrEnum):
    ARTIFACTS = "artifacts"  # a run of the ledger, one artifact at least
    DOSSIER = "dossier"  # what speaks for a lower reserve


class Format(StrEnum):
    JSONL = "jsonl"  # checked offline by `payflux verify`
    CSV = "csv"
    PDF = "pdf"


class ExportState(StrEnum):
    WAITING = "waiting"
    MAKING = "making"
    READY = "ready"
    FAILED = "failed"  # `problem` says why


class ReportContent(StrEnum):
    DOSSIER = "dossier"
    SUMMARY = "summary"


class Every(StrEnum):
    WEEK = "week"
    MONTH = "month"


class Form(StrEnum):
    LEDGER = "ledger"  # an export of a ledger, whose signatures held
    RECORDS = "records"  # lines that nobody signed


def _of_a_workspace() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["account_id", "workspace_id"], ["workspaces.account_id", "workspaces.id"], ondelete="CASCADE"
    )


def _one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    return CheckConstraint(f"{column} in ({', '.join(repr(each.value) for each in values)})", name=column)


class EvidenceExport(Base):
    """A file that somebody asked for (None: a report that was due), until `expires_at`.

    `done` of `total` artifacts are written; `size` is bytes and `sha256` hex, once it is ready; `problem` is why it
    failed, a sentence a line. Only whoever holds
    `attempt` writes: a job that was taken for dead and goes on finds another one there.
    """

    __tablename__ = "evidence_exports"
    __table_args__ = (
        _of_a_workspace(),
        _one_of("content", Content),
        _one_of("format", Format),
        _one_of("state", ExportState),
        Index("ix_evidence_exports_workspace", "account_id", "workspace_id", "asked_at", "id"),
        Index("ix_evidence_exports_expires_at", "expires_at"),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID]
    id: Mapped[UUID] = mapped_column(primary_key=True)
    content: Mapped[str] = mapped_column(String(20))
    format: Mapped[str] = mapped_column(String(10))
    first_sequence: Mapped[int | None] = mapped_column(BigInteger)
    last_sequence: Mapped[int | None] = mapped_column(BigInteger)
    asked_by: Mapped[UUID | None]
    report_id: Mapped[UUID | None]
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    state: Mapped[str] = mapped_column(String(10))
    attempt: Mapped[UUID | None]
    done: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    total: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    size: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    sha256: Mapped[str] = mapped_column(String(64), default="", server_default="")
    problem: Mapped[str] = mapped_column(Text, default="", server_default="")

    @property
    def file_name(self) -> str:
        """What the file is called where it is saved."""
        if self.content == Content.DOSSIER:
            return f"payflux-dossier-{self.asked_at:%Y-%m-%d}.pdf"
        return f"payflux-evidence-{self.first_sequence}-{self.last_sequence}.{self.format}"


class EvidenceExportChunk(Base):
    """A piece of an export's file; each but the last has :data:`~.rules.CHUNK` bytes."""

    __tablename__ = "evidence_export_chunks"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "export_id"], ["evidence_exports.account_id", "evidence_exports.id"], ondelete="CASCADE"
        ),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    export_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class EvidenceReport(Base):
    """A report that is mailed to the members in `recipients`, the next time at `next_at`."""

    __tablename__ = "evidence_reports"
    __table_args__ = (
        _of_a_workspace(),
        _one_of("content", ReportContent),
        _one_of("every", Every),
        Index("ix_evidence_reports_next_at", "next_at"),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID]
    id: Mapped[UUID] = mapped_column(primary_key=True)
    content: Mapped[str] = mapped_column(String(20))
    every: Mapped[str] = mapped_column(String(10))
    recipients: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    created_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    next_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class EvidenceImport(Base):
    """A file of evidence from elsewhere: PayFlux vouches for when it came and for its SHA-256, by the artifact
    `sequence` of the ledger, and not for what it says. `origin` names whose ledger it is, empty for plain records."""

    __tablename__ = "evidence_imports"
    __table_args__ = (
        _of_a_workspace(),
        _one_of("form", Form),
        UniqueConstraint("account_id", "workspace_id", "source_hash"),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID]
    id: Mapped[UUID] = mapped_column(primary_key=True)
    form: Mapped[str] = mapped_column(String(20))
    file_name: Mapped[str] = mapped_column(String(100))
    source_hash: Mapped[str] = mapped_column(String(64))
    records: Mapped[int] = mapped_column(Integer)
    origin: Mapped[str] = mapped_column(Text)
    imported_by: Mapped[UUID]
    imported_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    sequence: Mapped[int] = mapped_column(BigInteger)


class ImportedRecord(Base):
    """One line of an import; `body` is JSON, None where its origin had kept it no longer."""

    __tablename__ = "evidence_import_records"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "import_id"], ["evidence_imports.account_id", "evidence_imports.id"], ondelete="CASCADE"
        ),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    body: Mapped[str | None] = mapped_column(Text)
