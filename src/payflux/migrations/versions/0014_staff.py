"""The people who run PayFlux, and what they look at."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payflux.kit.tenancy import system_access

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "staff_members",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("email_normalized", sa.String(320), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("password_hash", sa.String(300), nullable=True),
        sa.Column("totp_secret", sa.LargeBinary(), nullable=False),
        sa.Column("totp_last_step", sa.BigInteger(), nullable=True),
        sa.Column("link_digest", sa.LargeBinary(), nullable=True),
        _instant("link_expires_at", nullable=True),
        _instant("created_at"),
        _instant("joined_at", nullable=True),
        _instant("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_members")),
        sa.UniqueConstraint("email_normalized", name=op.f("uq_staff_members_email_normalized")),
        sa.UniqueConstraint("link_digest", name=op.f("uq_staff_members_link_digest")),
    )
    op.create_table(
        "staff_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("user_agent", sa.String(300), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        _instant("created_at"),
        _instant("expires_at"),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_members.id"], name=op.f("fk_staff_sessions_staff_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_sessions")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_staff_sessions_token_digest")),
    )
    op.create_index(op.f("ix_staff_sessions_staff_id"), "staff_sessions", ["staff_id"])
    # whoever looks at an account as its member is one of the staff, not a user; until now there was nobody
    op.drop_constraint("fk_sessions_impersonated_by", "sessions")
    op.create_foreign_key(
        "fk_sessions_impersonated_by",
        "sessions",
        "staff_members",
        ["impersonated_by"],
        ["id"],
        ondelete="CASCADE",
        postgresql_not_valid=True,
    )
    op.create_index(
        "ix_sessions_impersonated_by",
        "sessions",
        ["impersonated_by"],
        postgresql_where=sa.text("impersonated_by IS NOT NULL"),
    )
    for statement in RIGHTS:
        op.execute(statement)


def _instant(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


RIGHTS = [
    *system_access("staff_members", privileges="SELECT, INSERT, UPDATE"),
    *system_access("staff_sessions", privileges="SELECT, INSERT, UPDATE, DELETE"),
]
