"""Which mails a member wants, channels at more services, and deliveries that end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payflux.kit.database import SYSTEM_ROLE
from payflux.kit.tenancy import system_access, tenant_table

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mail_opt_outs",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("opted_out_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "user_id"],
            ["memberships.account_id", "memberships.user_id"],
            name=op.f("fk_mail_opt_outs_account_id_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "user_id", "kind", name=op.f("pk_mail_opt_outs")),
    )
    op.add_column("workspaces", sa.Column("summarized_at", sa.DateTime(timezone=True), nullable=True))
    for statement in (
        *tenant_table("mail_opt_outs", writable="SELECT, INSERT, DELETE"),
        *system_access("alert_mail_times", privileges="SELECT"),
        f"GRANT DELETE ON alert_deliveries TO {SYSTEM_ROLE}",
    ):
        op.execute(statement)
    _kinds("alert_channels", "'webhook', 'slack', 'pagerduty', 'apprise'")
    _kinds("alert_deliveries", "'email', 'webhook', 'slack', 'pagerduty', 'apprise'")


def _kinds(table: str, kinds: str) -> None:
    constraint = op.f(f"ck_{table}_kind")
    op.drop_constraint(constraint, table)
    op.create_check_constraint(constraint, table, f"kind in ({kinds})", postgresql_not_valid=True)
    op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}")
