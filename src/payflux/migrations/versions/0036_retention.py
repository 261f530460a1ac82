"""How long an account keeps what, which workers run its jobs, and which mails its members ask for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payflux.kit.tenancy import CURRENT_ACCOUNT, system_access, tenant_table

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "retention_periods",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("coming_days", sa.Integer(), nullable=True),
        sa.Column("coming_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("days > 0", name=op.f("ck_retention_periods_days")),
        sa.CheckConstraint("coming_days > 0", name=op.f("ck_retention_periods_coming_days")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_retention_periods_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "kind", name=op.f("pk_retention_periods")),
    )
    op.create_table(
        "worker_pools",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("pool", sa.String(40), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_worker_pools_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_worker_pools")),
    )
    op.create_table(
        "mail_subscriptions",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "user_id"],
            ["memberships.account_id", "memberships.user_id"],
            name=op.f("fk_mail_subscriptions_account_id_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "user_id", "kind", name=op.f("pk_mail_subscriptions")),
    )
    for statement in RIGHTS:
        op.execute(statement)


# a workspace's jobs are run where those of the account are that it belongs to
PAYING_ACCOUNT = f"(SELECT parent_id FROM accounts WHERE id = {CURRENT_ACCOUNT})"  # noqa: S608 -- a constant

RIGHTS = [
    *tenant_table("retention_periods"),
    *system_access("retention_periods", privileges="SELECT"),
    *tenant_table("worker_pools", writable="SELECT, DELETE"),
    *system_access("worker_pools", privileges="SELECT, INSERT, UPDATE, DELETE"),
    f"CREATE POLICY paying_account ON worker_pools FOR SELECT TO payflux_app USING (account_id = {PAYING_ACCOUNT})",
    *tenant_table("mail_subscriptions"),
    *system_access("mail_subscriptions", privileges="SELECT"),
]
