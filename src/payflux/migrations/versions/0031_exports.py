"""Exports of evidence, what is scheduled, and evidence from elsewhere."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import SchemaItem

from payflux.kit.tenancy import system_access, tenant_table

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _exports()
    _reports()
    _imports()
    kinds = "'connection', 'baseline', 'projection', 'alert', 'score', 'envelope', 'imported'"
    constraint = op.f("ck_ledger_artifacts_kind")
    op.drop_constraint(constraint, "ledger_artifacts")
    op.create_check_constraint(constraint, "ledger_artifacts", f"kind in ({kinds})", postgresql_not_valid=True)
    op.execute(f"ALTER TABLE ledger_artifacts VALIDATE CONSTRAINT {constraint}")
    for statement in RIGHTS:
        op.execute(statement)


def _exports() -> None:
    op.create_table(
        "evidence_exports",
        *_of_a_workspace("evidence_exports"),
        sa.Column("content", sa.String(20), nullable=False),
        sa.Column("format", sa.String(10), nullable=False),
        sa.Column("first_sequence", sa.BigInteger(), nullable=True),
        sa.Column("last_sequence", sa.BigInteger(), nullable=True),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("report_id", sa.Uuid(), nullable=True),
        _instant("asked_at"),
        _instant("finished_at", nullable=True),
        _instant("expires_at"),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("attempt", sa.Uuid(), nullable=True),
        sa.Column("done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sha256", sa.String(64), server_default="", nullable=False),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("content in ('artifacts', 'dossier')", name=op.f("ck_evidence_exports_content")),
        sa.CheckConstraint("format in ('jsonl', 'csv', 'pdf')", name=op.f("ck_evidence_exports_format")),
        sa.CheckConstraint("state in ('waiting', 'making', 'ready', 'failed')", name=op.f("ck_evidence_exports_state")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_evidence_exports")),
    )
    op.create_index(
        "ix_evidence_exports_workspace", "evidence_exports", ["account_id", "workspace_id", "asked_at", "id"]
    )
    op.create_index("ix_evidence_exports_expires_at", "evidence_exports", ["expires_at"])
    op.create_table(
        "evidence_export_chunks",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "export_id"],
            ["evidence_exports.account_id", "evidence_exports.id"],
            name=op.f("fk_evidence_export_chunks_account_id_export_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "export_id", "number", name=op.f("pk_evidence_export_chunks")),
    )


def _reports() -> None:
    op.create_table(
        "evidence_reports",
        *_of_a_workspace("evidence_reports"),
        sa.Column("content", sa.String(20), nullable=False),
        sa.Column("every", sa.String(10), nullable=False),
        sa.Column("recipients", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        _instant("created_at"),
        _instant("next_at"),
        sa.CheckConstraint("content in ('dossier', 'summary')", name=op.f("ck_evidence_reports_content")),
        sa.CheckConstraint("every in ('week', 'month')", name=op.f("ck_evidence_reports_every")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_evidence_reports")),
    )
    op.create_index("ix_evidence_reports_next_at", "evidence_reports", ["next_at"])


def _imports() -> None:
    op.create_table(
        "evidence_imports",
        *_of_a_workspace("evidence_imports"),
        sa.Column("form", sa.String(20), nullable=False),
        sa.Column("file_name", sa.String(100), nullable=False),
        sa.Column("source_hash", sa.String(64), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("imported_by", sa.Uuid(), nullable=False),
        _instant("imported_at"),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("form in ('ledger', 'records')", name=op.f("ck_evidence_imports_form")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_evidence_imports")),
        sa.UniqueConstraint(
            "account_id", "workspace_id", "source_hash", name=op.f("uq_evidence_imports_account_id_workspace_id")
        ),
    )
    op.create_table(
        "evidence_import_records",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        _instant("at"),
        sa.Column("body", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "import_id"],
            ["evidence_imports.account_id", "evidence_imports.id"],
            name=op.f("fk_evidence_import_records_account_id_import_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "import_id", "number", name=op.f("pk_evidence_import_records")),
    )


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _of_a_workspace(table: str) -> tuple[SchemaItem, ...]:
    return (
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "workspace_id"],
            ["workspaces.account_id", "workspaces.id"],
            name=op.f(f"fk_{table}_account_id_workspace_id"),
            ondelete="CASCADE",
        ),
    )


RIGHTS = [
    *tenant_table("evidence_exports"),
    *system_access("evidence_exports", privileges="SELECT, DELETE"),
    *tenant_table("evidence_export_chunks", writable="SELECT, INSERT, DELETE"),
    *tenant_table("evidence_reports"),
    *system_access("evidence_reports", privileges="SELECT"),
    *tenant_table("evidence_imports", writable="SELECT, INSERT, DELETE"),
    *tenant_table("evidence_import_records", writable="SELECT, INSERT, DELETE"),
]
