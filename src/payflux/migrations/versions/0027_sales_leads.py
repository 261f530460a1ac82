"""Who asked for a talk."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payflux.kit.tenancy import system_access

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sales_leads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("email_normalized", sa.String(320), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("company", sa.String(200), nullable=False),
        sa.Column("team_size", sa.String(20), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("source", sa.String(50), nullable=False),
        sa.Column("posthog_distinct_id", sa.String(255), nullable=True),
        sa.Column("status", sa.String(20), server_default="new", nullable=False),
        _instant("created_at"),
        _instant("updated_at"),
        sa.CheckConstraint("status IN ('new', 'contacted', 'closed')", name=op.f("ck_sales_leads_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_leads")),
    )
    op.create_index(op.f("ix_sales_leads_email_normalized"), "sales_leads", ["email_normalized"])
    op.create_index(op.f("ix_sales_leads_created_at"), "sales_leads", ["created_at"])
    op.create_table(
        "sales_lead_changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("before", sa.String(20), nullable=False),
        sa.Column("after", sa.String(20), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("changed_by", sa.String(600), nullable=False),
        _instant("at"),
        sa.ForeignKeyConstraint(
            ["lead_id"], ["sales_leads.id"], name=op.f("fk_sales_lead_changes_lead_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_members.id"], name=op.f("fk_sales_lead_changes_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_lead_changes")),
    )
    op.create_index(op.f("ix_sales_lead_changes_lead_id"), "sales_lead_changes", ["lead_id"])
    for statement in RIGHTS:
        op.execute(statement)


def _instant(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


RIGHTS = [
    *system_access("sales_leads", privileges="SELECT, INSERT, UPDATE, DELETE"),
    *system_access("sales_lead_changes", privileges="SELECT, INSERT"),
]
