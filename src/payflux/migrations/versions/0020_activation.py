"""Workspaces that are fully configured, activations that are tried again, and the mails of an activation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payflux.kit.tenancy import system_access, tenant_table

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

STATES = "'paid_unconnected', 'connected_generating', 'baseline_ready', 'live_monitored', 'fully_configured'"


def upgrade() -> None:
    # one row for each account, so that checking them all takes no time
    op.drop_constraint(op.f("ck_workspaces_activation_state"), "workspaces")
    op.create_check_constraint(op.f("ck_workspaces_activation_state"), "workspaces", f"activation_state in ({STATES})")
    for name in ("fully_configured_at", "failing_since", "retry_at", "support_told_at"):
        op.add_column("workspaces", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("workspaces", sa.Column("failures", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "activation_mails",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("mail", sa.String(length=40), nullable=False),
        sa.Column("dedupe_key", sa.String(length=200), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("enqueued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_activation_mails_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_activation_mails")),
        sa.UniqueConstraint("account_id", "dedupe_key", name=op.f("uq_activation_mails_account_id_dedupe_key")),
    )
    for statement in RIGHTS:
        op.execute(statement)


RIGHTS = [
    *tenant_table("activation_mails", writable="SELECT, INSERT, UPDATE"),
    *system_access("activation_mails", privileges="SELECT"),
]
