"""Free website scans and their findings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from payflux.kit.tenancy import system_access, tenant_table

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "site_scans",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("asked_by", sa.String(10), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("host", sa.String(253), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("problem", sa.String(30), server_default="", nullable=False),
        sa.Column("pages_read", postgresql.JSONB(), nullable=False),
        sa.Column("assessment", postgresql.JSONB(), nullable=True),
        sa.Column("shared", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status in ('waiting', 'reading', 'done', 'failed')", name=op.f("ck_site_scans_status")),
        sa.CheckConstraint("asked_by in ('page', 'api')", name=op.f("ck_site_scans_asked_by")),
        sa.CheckConstraint(
            "(account_id IS NULL) = (expires_at IS NOT NULL)", name=op.f("ck_site_scans_expires_unless_claimed")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_site_scans_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_scans")),
    )
    op.create_index("ix_site_scans_account_id", "site_scans", ["account_id", "created_at"])
    op.create_index("ix_site_scans_host", "site_scans", ["host", "created_at"])
    op.create_index(
        "ix_site_scans_expires_at", "site_scans", ["expires_at"], postgresql_where=sa.text("expires_at IS NOT NULL")
    )
    for statement in RIGHTS:
        op.execute(statement)


RIGHTS = [
    *tenant_table("site_scans"),
    *system_access("site_scans", privileges="SELECT, INSERT, UPDATE, DELETE"),
]
