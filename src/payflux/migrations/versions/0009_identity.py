"""Addresses that are proven, and sessions that say where they are used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payflux.kit.tenancy import system_access

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("intended_plan", sa.String(length=50), nullable=True))
    op.add_column("sessions", sa.Column("kind", sa.String(length=10), server_default="browser", nullable=False))
    op.add_column("sessions", sa.Column("user_agent", sa.String(length=300), server_default="", nullable=False))
    op.add_column("sessions", sa.Column("address", sa.String(length=64), server_default="", nullable=False))
    op.add_column("sessions", sa.Column("account_id", sa.Uuid(), nullable=True))
    op.add_column("sessions", sa.Column("impersonated_by", sa.Uuid(), nullable=True))
    op.add_column(
        "sessions",
        sa.Column("factors", sa.ARRAY(sa.String(length=20)), server_default=sa.text("'{}'"), nullable=False),
    )
    op.add_column(
        "sessions",
        sa.Column("authenticated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )
    # sessions that are open now were opened by a password when they began
    op.execute("UPDATE sessions SET authenticated_at = created_at, factors = '{password}'")
    op.create_check_constraint("kind", "sessions", "kind in ('browser', 'api')")
    op.create_foreign_key("fk_sessions_account_id", "sessions", "accounts", ["account_id"], ["id"], ondelete="SET NULL")
    op.create_foreign_key(
        "fk_sessions_impersonated_by", "sessions", "users", ["impersonated_by"], ["id"], ondelete="CASCADE"
    )
    op.create_table(
        "email_challenges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("previous_email", sa.String(length=320), nullable=False),
        sa.Column("code_attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "purpose in ('verify', 'reset', 'change', 'taken')", name=op.f("ck_email_challenges_purpose")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_email_challenges_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_challenges")),
    )
    op.create_index("ix_email_challenges_user_id_purpose", "email_challenges", ["user_id", "purpose", "created_at"])
    for statement in system_access("email_challenges", privileges="SELECT, INSERT, UPDATE, DELETE"):
        op.execute(statement)
