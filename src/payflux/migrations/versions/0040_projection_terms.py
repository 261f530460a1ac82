"""What a workspace tells of its own reserve."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payflux.kit.tenancy import tenant_table

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

REASONS = "'first', 'history', 'event', 'sweep', 'asked', 'terms'"


def upgrade() -> None:
    op.create_table(
        "projection_terms",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("rate", sa.Float(), nullable=True),
        sa.Column("hold_days", sa.Integer(), nullable=True),
        sa.Column("horizons", sa.ARRAY(sa.Integer()), nullable=False),
        sa.CheckConstraint("rate BETWEEN 0 AND 1", name=op.f("ck_projection_terms_rate")),
        sa.CheckConstraint("hold_days BETWEEN 1 AND 365", name=op.f("ck_projection_terms_hold_days")),
        sa.ForeignKeyConstraint(
            ["account_id", "workspace_id"],
            ["workspaces.account_id", "workspaces.id"],
            name=op.f("fk_projection_terms_account_id_workspace_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "workspace_id", name=op.f("pk_projection_terms")),
    )
    op.drop_constraint(op.f("ck_risk_surfaces_reason"), "risk_surfaces")
    op.create_check_constraint(
        op.f("ck_risk_surfaces_reason"), "risk_surfaces", f"reason in ({REASONS})", postgresql_not_valid=True
    )
    op.execute("ALTER TABLE risk_surfaces VALIDATE CONSTRAINT ck_risk_surfaces_reason")
    for statement in tenant_table("projection_terms", writable="SELECT, INSERT, UPDATE"):
        op.execute(statement)
