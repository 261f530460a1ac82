"""How far somebody is with the first steps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payflux.kit.database import APP_ROLE
from payflux.kit.tenancy import tenant_table

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # who is here already has no wizard before them; a default that is there when the column is added rewrites no row
    op.add_column(
        "users", sa.Column("onboarding_step_completed", sa.Integer(), nullable=True, server_default=sa.text("3"))
    )
    op.alter_column("users", "onboarding_step_completed", server_default=None)
    op.add_column(
        "users", sa.Column("onboarding_dismissed", sa.Boolean(), nullable=False, server_default=sa.text("false"))
    )
    op.add_column("users", sa.Column("role_at_signup", sa.String(50), nullable=True))
    op.create_check_constraint(
        op.f("ck_users_onboarding_step"),
        "users",
        "onboarding_step_completed BETWEEN 1 AND 3",
        postgresql_not_valid=True,
    )
    op.execute("ALTER TABLE users VALIDATE CONSTRAINT ck_users_onboarding_step")
    op.add_column("accounts", sa.Column("team_size_bucket", sa.String(20), nullable=True))
    op.add_column("accounts", sa.Column("primary_processor", sa.String(20), nullable=True))
    op.create_table(
        "milestones",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("milestone", sa.String(50), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_milestones_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "milestone", name=op.f("pk_milestones")),
    )
    for statement in (*BACKFILL, *RIGHTS):
        op.execute(statement)


# the owner is bound by row-level security too; for these statements it is not
BACKFILL = [
    "ALTER TABLE workspaces NO FORCE ROW LEVEL SECURITY",
    "INSERT INTO milestones (account_id, milestone, at) "
    "SELECT account_id, 'processor_connected', connected_at FROM workspaces WHERE connected_at IS NOT NULL",
    "INSERT INTO milestones (account_id, milestone, at) "
    "SELECT account_id, 'first_projection', first_projection_at FROM workspaces WHERE first_projection_at IS NOT NULL",
    "ALTER TABLE workspaces FORCE ROW LEVEL SECURITY",
]

RIGHTS = [
    *tenant_table("milestones", writable="SELECT, INSERT"),
    # how far a member is with the wizard is changed in the transaction that changes their account
    f"CREATE POLICY onboarding ON users FOR UPDATE TO {APP_ROLE} "
    "USING (EXISTS (SELECT FROM memberships WHERE memberships.user_id = users.id))",
    f"GRANT SELECT (onboarding_step_completed, onboarding_dismissed, role_at_signup) ON users TO {APP_ROLE}",
    f"GRANT UPDATE (onboarding_step_completed, onboarding_dismissed, role_at_signup) ON users TO {APP_ROLE}",
]
