"""Mails that came back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payflux.kit.database import APP_ROLE
from payflux.kit.tenancy import system_access

revision = "0039"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("mail_returned_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "mail_bounces",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(11), nullable=False),
        sa.Column("permanent", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_mail_bounces_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_bounces")),
    )
    op.create_index("ix_mail_bounces_user_id", "mail_bounces", ["user_id", "at"])
    for statement in RIGHTS:
        op.execute(statement)


RIGHTS = [
    *system_access("mail_bounces", privileges="SELECT, INSERT, DELETE"),
    f"GRANT SELECT (mail_returned_at) ON users TO {APP_ROLE}",
]
