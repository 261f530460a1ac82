"""Quiet hours, and one mail a day about all alerts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payflux.kit.tenancy import tenant_table

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alert_mail_times",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("quiet_from", sa.Time(), nullable=True),
        sa.Column("quiet_until", sa.Time(), nullable=True),
        sa.Column("digest_at", sa.Time(), nullable=True),
        sa.Column("time_zone", sa.String(60), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "workspace_id"],
            ["workspaces.account_id", "workspaces.id"],
            name=op.f("fk_alert_mail_times_account_id_workspace_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "workspace_id", name=op.f("pk_alert_mail_times")),
    )
    op.drop_constraint(op.f("ck_alert_deliveries_state"), "alert_deliveries")
    op.create_check_constraint(
        op.f("ck_alert_deliveries_state"),
        "alert_deliveries",
        "state in ('held', 'waiting', 'delivered', 'failed', 'dropped')",
        postgresql_not_valid=True,
    )
    op.execute("ALTER TABLE alert_deliveries VALIDATE CONSTRAINT ck_alert_deliveries_state")
    op.create_index(
        "ix_alert_deliveries_held", "alert_deliveries", ["due_at"], postgresql_where=sa.text("state = 'held'")
    )
    for statement in tenant_table("alert_mail_times", writable="SELECT, INSERT, UPDATE"):
        op.execute(statement)
