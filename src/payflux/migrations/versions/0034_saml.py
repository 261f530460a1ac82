"""Assertions that were taken, none of which is taken again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payflux.kit.tenancy import system_access, tenant_table

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "saml_assertions",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_saml_assertions_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "digest", name=op.f("pk_saml_assertions")),
    )
    op.create_index(op.f("ix_saml_assertions_expires_at"), "saml_assertions", ["expires_at"])
    for statement in RIGHTS:
        op.execute(statement)


RIGHTS = [
    *tenant_table("saml_assertions", writable="SELECT, DELETE"),
    *system_access("saml_assertions", privileges="SELECT, INSERT, DELETE"),
]
